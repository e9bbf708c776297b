"""`ssseg ckpt info | check | convert | average`: look at checkpoints and turn them into others."""

import argparse
from typing import Any


def add_parser(commands: Any) -> None:
    """Register the command and its own commands."""
    parser = commands.add_parser("ckpt", help="look at, check, convert and average checkpoints", description=__doc__)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    one = actions.add_parser("info", help="print what a checkpoint says of itself and what it holds")
    one.add_argument("checkpoint")
    one = actions.add_parser("check", help="read every byte; fail on damage and on weights that are not finite")
    one.add_argument("checkpoint", nargs="+")
    one = actions.add_parser("convert", help="write the weights alone, as .safetensors or .pth")
    one.add_argument("checkpoint")
    one.add_argument("target")
    one.add_argument("--ema", action="store_true", help="the averaged weights")
    one = actions.add_parser("average", help="write the mean of several checkpoints' weights")
    one.add_argument("checkpoint", nargs="+")
    one.add_argument("--out", required=True, help="the file to write, .pth")
    one.add_argument("--ema", action="store_true", help="the averaged weights")


def run(options: argparse.Namespace) -> int:
    """Run one of its commands."""
    return {"info": info, "check": check, "convert": convert, "average": average}[options.action](options)


def info(options: argparse.Namespace) -> int:
    """Print a checkpoint's header, entries and weights."""
    from ..engine.problems import section
    from ..engine.weightfiles import read_header, weights_of

    header, weights = read_header(options.checkpoint), weights_of(options.checkpoint)
    cfg, classnames = section(header, "config"), section(header, "label_map").get("classnames")
    facts = {
        "segmentor": cfg.get("type"),
        "backbone": section(cfg, "backbone").get("structure_type"),
        "data set": section(cfg, "dataset").get("type"),
        "classes": ", ".join(map(str, classnames)) if isinstance(classnames, list | tuple) else None,
        "position": header.get("position"),
        "best": section(header, "metrics").get("best"),
        "ssseg": section(header, "versions").get("ssseg"),
        "torch": section(header, "versions").get("torch"),
    }
    for name, value in facts.items():
        if value:
            print(f"{name:10} {value}")
    values, size = sum(w.numel() for w in weights.values()), sum(w.nbytes for w in weights.values())
    print(f"{'weights':10} {len(weights)} entries, {values:,} values, {size / 2**20:.1f} MiB")
    for name, weight in weights.items():
        print(f"  {name}  {tuple(weight.shape)}  {str(weight.dtype).removeprefix('torch.')}")
    return 0


def check(options: argparse.Namespace) -> int:
    """Print a line a checkpoint; fail where one has values that are not finite."""
    from ..engine.weightfiles import check as find_not_finite
    from ..modules.utils.errors import CheckpointError

    code = 0
    for path in options.checkpoint:
        broken = find_not_finite(path)
        if broken:
            code = CheckpointError.exit_code
        print(f"{path}: {f'not finite: {broken[0]} and {len(broken) - 1} more' if broken else 'ok'}")
    return code


def convert(options: argparse.Namespace) -> int:
    """Write the weights in another format."""
    from ..engine.weightfiles import convert as convert_file

    convert_file(options.checkpoint, options.target, ema=options.ema)
    print(options.target)
    return 0


def average(options: argparse.Namespace) -> int:
    """Write the mean of weights."""
    from ..engine.weightfiles import average as average_files

    average_files(options.checkpoint, options.out, ema=options.ema)
    print(options.out)
    return 0
