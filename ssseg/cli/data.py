"""`ssseg data ...`: work on data sets. Each of its commands has a file of its own."""

import argparse
from typing import Any

from . import data_browse, data_cache, data_check, data_prepare, data_stats, data_verify, synthetic

COMMANDS = {
    "check": data_check,
    "stats": data_stats,
    "browse": data_browse,
    "prepare": data_prepare,
    "cache": data_cache,
    "verify": data_verify,
    "synthetic": synthetic,
}


def add_parser(commands: Any) -> None:
    """Register the command and its own commands."""
    parser = commands.add_parser("data", help="work on data sets", description=__doc__)
    own = parser.add_subparsers(dest="data_command", metavar="COMMAND", required=True)
    for module in COMMANDS.values():
        module.add_parser(own)


def run(options: argparse.Namespace) -> int:
    """Run one of its commands."""
    return COMMANDS[options.data_command].run(options)
