"""`ssseg test CONFIG --ckptspath FILE`: metrics of a checkpoint."""

import argparse
from typing import Any

from .arguments import add_config, add_device, add_launch, config_of, set_up_launch
from .quickimports import quick_imports


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    add_config(parser)
    parser.add_argument("--ckptspath", required=True, help="the checkpoint")
    parser.add_argument("--ema", action="store_true", help="use the averaged weights")
    help_ = "local: compute metrics; server: write predictions for a benchmark's server"
    parser.add_argument("--eval_env", "--eval-env", choices=["local", "server"], default="local", help=help_)
    add_device(parser)
    add_launch(parser)


def add_parser(commands: Any) -> None:
    """Register the command."""
    add_arguments(commands.add_parser("test", help="test a checkpoint", description=__doc__))


def run(options: argparse.Namespace) -> int:
    """Test."""
    cfg = config_of(options)
    set_up_launch(options)
    with quick_imports():
        from ..engine.tester import evaluate_checkpoint

    evaluate_checkpoint(
        cfg, ckptspath=options.ckptspath, device=options.device, ema=options.ema, eval_env=options.eval_env
    )
    return 0
