"""`ssseg train CONFIG`: train, or go on training."""

import argparse
from typing import Any

from .arguments import add_config, add_device, add_launch, config_of, set_up_launch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    add_config(parser)
    parser.add_argument("--ckptspath", default="", help="go on from this checkpoint")
    add_device(parser)
    add_launch(parser)


def add_parser(commands: Any) -> None:
    """Register the command."""
    add_arguments(commands.add_parser("train", help="train a segmentor", description=__doc__))


def run(options: argparse.Namespace) -> int:
    """Train."""
    cfg = config_of(options)
    set_up_launch(options)
    from ..engine.trainer import train
    from ..modules.utils.distributed import ismainprocess

    best = train(cfg, device=options.device, ckptspath=options.ckptspath)
    if best and ismainprocess():
        what = f"best {best['metric']} {best['value']:.4f} ({best['weights']}, epoch {best['epoch']})"
        print(f"{what}; checkpoints and logs in {cfg['work_dir']}")
    return 0
