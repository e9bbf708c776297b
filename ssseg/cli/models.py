"""`ssseg models list | info`: the experiments that can be given by name, and how large their networks are."""

import argparse
import ast
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .arguments import OVERRIDES_HELP

_LIST_HELP = "Print names, what they are, and what SSSegmentation has published for them: mIoU in percent, checkpoint."
_INFO_HELP = "Print a network's parameters, multiply-adds in eval mode, and the maps of its backbone. Needs no data."
_FILTER_HELP = (
    "only those whose method, backbone, dataset, schedule, miou or checkpoint is like the shell pattern, as "
    "backbone=R-50*; or miou>=80, miou<=80. May be given several times"
)
_HEADER = ("name", "method", "backbone", "dataset", "lr/policy/batch/epochs", "mIoU", "checkpoint")


def add_parser(commands: Any) -> None:
    """Register the command and its subcommands."""
    parser = commands.add_parser("models", help="list the experiments, describe a network", description=__doc__)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="print names and what they are", description=_LIST_HELP)
    listing.add_argument("words", nargs="*", default=[], help="only experiments whose line or text holds all of these")
    listing.add_argument("--filter", action="append", default=[], metavar="FIELD=PATTERN", help=_FILTER_HELP)
    listing.add_argument("--json", action="store_true", help="print a list of objects")
    describing = actions.add_parser("info", help="print a network's size and cost", description=_INFO_HELP)
    describing.add_argument("config", help="a config file, or the name of an experiment")
    describing.add_argument("overrides", nargs="*", default=[], metavar="a.b.c=value", help=OVERRIDES_HELP)
    describing.add_argument(
        "--size", type=int, nargs=2, default=(512, 512), metavar=("HEIGHT", "WIDTH"), help="pixels (default 512 512)"
    )
    describing.add_argument("--batch", type=int, default=1, help="number of images (default 1)")
    describing.add_argument("--json", action="store_true", help="print an object")


def run(options: argparse.Namespace) -> int:
    """Run the subcommand and return its exit code."""
    return {"list": list_experiments, "info": info}[options.action](options)


def list_experiments(options: argparse.Namespace) -> int:
    """Print a line for each experiment that fits."""
    from ..modules.utils.configfiles import experiments
    from .modelzoo import FIELDS, configured, parse_filter, published

    known = published()
    rows = [
        {"name": name, **(known.get(name) or configured(name)), "text": _first_line(path)}
        for name, path in experiments().items()
    ]
    words, tests = [word.lower() for word in options.words], [parse_filter(text) for text in options.filter]
    chosen = [
        row
        for row in rows
        if all(word in " ".join(map(str, row.values())).lower() for word in words) and all(fits(row) for fits in tests)
    ]
    if options.json:
        print(json.dumps(chosen, indent=1))
    elif chosen:
        _print_table([_HEADER, *([row[field] for field in ("name", *FIELDS)] for row in chosen)])
    else:
        print(f"none of the {len(rows)} experiments fits {' and '.join(options.words + options.filter)}")
    return 0


def info(options: argparse.Namespace) -> int:
    """Print what a network holds and costs, and what has been published for it."""
    from ..engine.imagechannels import input_channels
    from ..engine.modelinfo import describe
    from ..modules.utils.configfiles import experiments, find_config
    from ..modules.utils.configparser import load_config
    from .modelzoo import published

    cfg = load_config(options.config, options.overrides)
    facts = describe(cfg, (options.batch, input_channels(cfg), *options.size))
    path = find_config(options.config)
    known = published().get(path.stem) if experiments().get(path.stem) == path else None
    if options.json:
        print(json.dumps({"name": path.stem, **asdict(facts), "published": known}, indent=1))
        return 0
    lines = {
        "images": " x ".join(map(str, facts.input_shape)),
        "parameters": f"{facts.parameters:,}",
        "trainable": f"{facts.trainable:,}",
        "multiply-adds": f"{facts.macs:,} in convolutions and linear layers",
        "with attention": f"{facts.total_macs:,} in these and all other matrix products",
    }
    if known:
        lines |= {f"published {metric}": f"{value} %" for metric, value in known["metrics"].items()}
        lines["checkpoint"] = known["checkpoint"]
    _print_table(lines.items())
    print("\nmaps of the backbone")
    maps = [(i, x.channels, x.stride, f"{x.height} x {x.width}") for i, x in enumerate(facts.maps)]
    _print_table([("index", "channels", "stride", "size"), *maps])
    return 0


def _print_table(rows: Iterable[Sequence[Any]]) -> None:
    cells = [["-" if value is None else str(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        print("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def _first_line(path: Path) -> str:
    """Return the first line of a file's docstring without running the file."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
