"""`ssseg data browse CONFIG|PATH --out DIR`: draw samples as they are stored, and as training sees them."""

import argparse
from pathlib import Path
from typing import Any

from .arguments import OVERRIDES_HELP


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("browse", help="draw samples before and after the transforms", description=__doc__)
    parser.add_argument("target", help="a config file, an experiment's name, or a path as `ssseg train --data` takes")
    parser.add_argument("overrides", nargs="*", default=[], metavar="a.b.c=value", help=OVERRIDES_HELP)
    parser.add_argument("--data", default="", metavar="PATH", help="draw these data with the transforms of the config")
    parser.add_argument("--out", required=True, metavar="DIR", help="where the sheets go, samples_01.png, ...")
    parser.add_argument("--split", choices=("train", "val"), default="train", help="the set (default train)")
    parser.add_argument("--number", type=int, default=12, metavar="N", help="samples to draw (default 12)")
    parser.add_argument("--seed", type=int, default=0, help="of the random transforms")
    parser.add_argument("--epoch", type=int, default=1, help="whose random transforms are drawn (default 1)")


def run(options: argparse.Namespace) -> int:
    """Draw the sheets and print their paths."""
    from ..engine.browse import browse
    from ..modules.utils.errors import ConfigError

    if options.number < 1:
        raise ConfigError(f"--number {options.number}: must be 1 or more")
    dataset = dataset_of(options)
    for path in browse(dataset, options.out, number=options.number, seed=options.seed, epoch=options.epoch):
        print(path)
    return 0


def dataset_of(options: argparse.Namespace) -> Any:
    """Build the data set that the arguments name."""
    from ..engine.build import build_dataset
    from ..engine.owndata import use_data
    from ..modules.utils.configparser import load_config

    target, data = Path(options.target), options.data
    cfg: Any
    if not data and (target.is_dir() or (target.is_file() and target.suffix != ".py")):
        cfg, data = {"dataset": {}}, options.target
    else:
        cfg = load_config(options.target, options.overrides)
    if data:
        cfg["work_dir"] = options.out
        print(use_data(cfg, data))
    return build_dataset(cfg, "TRAIN" if options.split == "train" else "TEST")
