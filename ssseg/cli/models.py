"""`ssseg models list`: the experiments that can be given by name."""

import argparse
import ast
from pathlib import Path
from typing import Any


def add_parser(commands: Any) -> None:
    """Register the command and its subcommand."""
    parser = commands.add_parser("models", help="list the experiments", description=__doc__)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="print names and what they are", description=__doc__)
    listing.add_argument("words", nargs="*", default=[], help="only experiments whose name or text holds all of these")


def run(options: argparse.Namespace) -> int:
    """Print a line for each experiment: its name and the first line of its docstring."""
    from ..modules.utils.configfiles import experiments

    texts = {name: _first_line(path) for name, path in experiments().items()}
    words = [word.lower() for word in options.words]
    chosen = [name for name, text in texts.items() if all(word in f"{name} {text}".lower() for word in words)]
    width = max(map(len, chosen), default=0)
    for name in chosen:
        print(f"{name:{width}}  {texts[name]}".rstrip())
    if not chosen:
        print(f"none of the {len(texts)} experiments mentions {' and '.join(options.words)}")
    return 0


def _first_line(path: Path) -> str:
    """Return the first line of a file's docstring without running the file."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
