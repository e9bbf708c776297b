"""`ssseg train CONFIG`: train, or go on training; with `--data PATH` on other data than the experiment's own.

PATH is a folder of images and label maps (plain, or as PASCAL VOC, Cityscapes, ADE20K, COCO or LabelMe arrange them),
an annotation file of COCO, or a text file of pairs `image<TAB>label map`. What is found is shown before training.
"""

import argparse
import os
from collections.abc import Sequence
from typing import Any

from .arguments import add_config, add_device, add_launch, config_of, set_up_launch
from .quickimports import quick_imports


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    add_config(parser)
    parser.add_argument("--ckptspath", default="", help="go on from this checkpoint")
    parser.add_argument("--data", default="", metavar="PATH", help="train on these data; their layout is detected")
    add_device(parser)
    add_launch(parser)


def add_parser(commands: Any) -> None:
    """Register the command."""
    add_arguments(commands.add_parser("train", help="train a segmentor", description=__doc__))


def run(options: argparse.Namespace) -> int:
    """Train."""
    cfg = config_of(options)
    set_up_launch(options)
    speaks = os.environ.get("RANK", "0") == "0"  # the processes do not work together yet, or no longer
    if options.data:
        refuse_contradictions(options.overrides)
        from ..engine.owndata import use_data

        found = use_data(cfg, options.data)
        if speaks:
            print(found, flush=True)
    with quick_imports():
        from ..engine.trainer import train

    best = train(cfg, device=options.device, ckptspath=options.ckptspath)
    if best and speaks:
        what = f"best {best['metric']} {best['value']:.4f} ({best['weights']}, epoch {best['epoch']})"
        print(f"{what}; checkpoints and logs in {cfg['work_dir']}")
    return 0


def refuse_contradictions(overrides: Sequence[str]) -> None:
    """Raise a ConfigError where an override sets what `--data` decides."""
    from ..modules.utils.errors import ConfigError

    for override in overrides:
        key = override.lstrip("+~").partition("=")[0]
        if key in ("num_classes", "dataset", "dataset.type", "dataset.rootdir"):
            raise ConfigError(f"{override}: --data decides on {key}; give one of the two")
