"""`ssseg models list | info`: the experiments that can be given by name, and how large their networks are."""

import argparse
import ast
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from .arguments import OVERRIDES_HELP

_COLUMNS = ("method", "backbone", "dataset", "schedule", "miou", "checkpoint")
_FILTER_HELP = f"""only those whose FIELD ({", ".join(_COLUMNS)}) is like the shell pattern, as backbone=R-50*; numbers
may also be compared, as miou>=80. May be given several times"""


def add_parser(commands: Any) -> None:
    """Register the command and its subcommands."""
    parser = commands.add_parser("models", help="list the experiments, describe a network", description=__doc__)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    text = "Print names, what they are, and what SSSegmentation has published for them: mIoU in percent, checkpoint."
    listing = actions.add_parser("list", help="print names and what they are", description=text)
    listing.add_argument("words", nargs="*", default=[], help="only experiments whose line or text holds all of these")
    listing.add_argument("--filter", action="append", default=[], metavar="FIELD=PATTERN", help=_FILTER_HELP)
    listing.add_argument("--json", action="store_true", help="print a list of objects")
    text = "Print a network's parameters, multiply-adds in eval mode, and the maps of its backbone. Needs no data."
    describing = actions.add_parser("info", help="print a network's size and cost", description=text)
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

    published, texts = _published(), {name: _first_line(path) for name, path in experiments().items()}
    rows = [{"name": name, **(published.get(name) or _configured(name))} for name in texts]
    words = [word.lower() for word in options.words]
    tests = [_parse_filter(text) for text in options.filter]
    chosen = [
        row
        for row in rows
        if all(word in f"{' '.join(map(str, row.values()))} {texts[row['name']]}".lower() for word in words)
        and all(test(row) for test in tests)
    ]
    if options.json:
        print(json.dumps([{**row, "text": texts[row["name"]]} for row in chosen], indent=1))
    elif chosen:
        header = ("name", "method", "backbone", "dataset", "lr/policy/batch/epochs", "mIoU", "checkpoint")
        _print_table([header, *([row[field] for field in ("name", *_COLUMNS)] for row in chosen)])
    else:
        asked = " and ".join([*options.words, *options.filter])
        print(f"none of the {len(rows)} experiments fits {asked}")
    return 0


def info(options: argparse.Namespace) -> int:
    """Print what a network holds and costs."""
    from ..engine.modelinfo import describe
    from ..modules.utils.configparser import load_config

    cfg = load_config(options.config, options.overrides)
    channels = (cfg.get("backbone") or {}).get("in_channels", 3)
    facts = describe(cfg, (options.batch, channels, *options.size))
    published = _published().get(Path(options.config).stem, {})
    if options.json:
        print(json.dumps({"name": options.config, **asdict(facts), "published": published}, indent=1))
        return 0
    lines = {
        "images": " x ".join(map(str, facts.input_shape)),
        "parameters": f"{facts.parameters:,}",
        "trainable": f"{facts.trainable:,}",
        "multiply-adds": f"{facts.macs:,} in convolutions and linear layers",
        "with attention": f"{facts.total_macs:,} in these and all other matrix products",
        **{f"published {field}": published[field] for field in published if published[field] is not None},
    }
    _print_table(lines.items())
    print("\nmaps of the backbone")
    maps = [(i, x.channels, x.stride, f"{x.height} x {x.width}") for i, x in enumerate(facts.maps)]
    _print_table([("index", "channels", "stride", "size"), *maps])
    return 0


def _published() -> dict[str, dict[str, Any]]:
    """Return name -> what has been published for it, by `_COLUMNS`."""
    from ..modules.utils.configfiles import configs_folder

    table = json.loads((configs_folder() / "modelzoo.json").read_text(encoding="utf-8"))
    rows = {}
    for name, row in table["experiments"].items():
        main, value = next(iter(row.pop("metrics").items()), ("", None))
        row["miou"] = value if main.startswith("mIoU") else None
        rows[name] = {**row, "checkpoint": table["checkpoints"] + row["checkpoint"]}
    return rows


def _configured(name: str) -> dict[str, Any]:
    """Return what the config itself says, for an experiment of which nothing has been published."""
    from ..modules.utils.configparser import load_config

    cfg = load_config(name)
    schedule, backbone = cfg["scheduler"], cfg["backbone"]
    policy = schedule["type"].removesuffix("Scheduler").lower()
    batch = cfg["dataloader"]["expected_total_train_bs_for_assert"]
    return {
        "method": cfg["type"],
        "backbone": backbone.get("structure_type", backbone["type"]),
        "dataset": cfg["dataset"]["type"].removesuffix("Dataset"),
        "schedule": f"{schedule['optimizer']['lr']}/{policy}/{batch}/{schedule['max_epochs']}",
        "miou": None,
        "checkpoint": None,
    }


def _parse_filter(text: str) -> Callable[[dict[str, Any]], bool]:
    from ..modules.utils.errors import ConfigError, listed, nearest

    match = re.fullmatch(r"(\w+)\s*(>=|<=|=)\s*(.+)", text)
    if not match:
        raise ConfigError(f"--filter {text}: must be FIELD=PATTERN, FIELD>=NUMBER or FIELD<=NUMBER")
    field, sign, value = match.groups()
    if field not in _COLUMNS:
        raise ConfigError(f"--filter {text}: no field {field!r}.{nearest(field, _COLUMNS)} It is {listed(_COLUMNS)}.")
    if sign == "=":
        return lambda row: fnmatch(str(row[field]).lower(), value.lower())
    try:
        limit = float(value)
    except ValueError as error:
        raise ConfigError(f"--filter {text}: {value!r} is no number") from error
    if field != "miou":
        raise ConfigError(f"--filter {text}: only miou is a number; compare {field} with =")
    factor = 1 if sign == ">=" else -1
    return lambda row: row[field] is not None and factor * row[field] >= factor * limit


def _print_table(rows: Iterable[Sequence[Any]]) -> None:
    cells = [["-" if value is None else str(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        print("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def _first_line(path: Path) -> str:
    """Return the first line of a file's docstring without running the file."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
