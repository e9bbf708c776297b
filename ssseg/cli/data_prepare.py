"""`ssseg data prepare NAME`: fetch a data set, check it and put it where the experiments look for it."""

import argparse
import sys
from typing import Any


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("prepare", help="fetch and unpack a data set", description=__doc__)
    parser.add_argument("name", help="such as camvid, pascalvoc, ade20k; an unknown name lists them all")
    parser.add_argument("--root", default=".", metavar="DIR", help="where it goes (default: here)")
    parser.add_argument("--keep", action="store_true", help="keep the archives")


def run(options: argparse.Namespace) -> int:
    """Fetch the data set."""
    from ..engine.prepare import prepare

    folder = prepare(options.name, options.root, keep=options.keep, say=lambda line: print(line, file=sys.stderr))
    print(folder)
    return 0
