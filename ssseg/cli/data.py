"""`ssseg data ...`: work on data sets."""

import argparse
from typing import Any

from . import synthetic


def add_parser(commands: Any) -> None:
    """Register the command and its own commands."""
    parser = commands.add_parser("data", help="work on data sets", description=__doc__)
    synthetic.add_parser(parser.add_subparsers(dest="data_command", metavar="COMMAND", required=True))


def run(options: argparse.Namespace) -> int:
    """Run one of its commands."""
    return {"synthetic": synthetic}[options.data_command].run(options)
