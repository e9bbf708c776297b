"""`ssseg plan CONFIG`: what a training run needs, and the largest batch and crop that fit, before anything is trained.

The network is run without values (torch's meta device), and the memory of its tensors is followed through a step.
"""

import argparse
import json
from dataclasses import asdict
from typing import Any

from .arguments import add_config, add_device, config_of


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("plan", help="estimate memory, batch and crop", description=__doc__)
    add_config(parser)
    parser.add_argument("--memory", type=float, help="plan for so many GB, not for what the device has free")
    help_ = "measure one real step of two images as well; without data"
    parser.add_argument("--measure", action="store_true", help=help_)
    parser.add_argument("--json", action="store_true", help="print an object")
    add_device(parser)


def run(options: argparse.Namespace) -> int:
    """Plan, and print the plan."""
    cfg = config_of(options)
    from ..engine.devices import choose_device
    from ..engine.planning import make_plan
    from ..modules.utils.errors import ConfigError

    if options.memory is not None and not options.memory > 0:
        raise ConfigError(f"--memory {options.memory:g}: must be a number of GB above 0")
    memory = None if options.memory is None else int(1e9 * options.memory)
    plan = make_plan(cfg, choose_device(options.device), memory=memory, measure=options.measure)
    if options.json:
        print(json.dumps(asdict(plan), indent=1))
        return 0
    height, width = plan.crop
    lines = {
        "parameters": f"{plan.info.parameters:,}",
        "multiply-adds": f"{plan.info.total_macs:,} an image of {height} x {width}, forward",
        "training": f"{_size(plan.training)} for a batch of {plan.batch}",
        "testing": f"{_size(plan.testing)} for an image of {height} x {width}",
        "memory": f"{_size(plan.memory)}, nine tenths of which are planned for",
        "largest batch": f"{plan.largest_batch or 'none'} of {height} x {width}",
        "largest crop": f"{plan.largest_crop} x {plan.largest_crop}" if plan.largest_crop else "none",
    }
    if plan.training is None:
        lines["training"] = "not estimated: this network looks at values; --measure makes a real step"
        lines["largest batch"] = lines["largest crop"] = "not estimated"
    if options.measure:
        lines["measured"] = f"{_size(plan.measured)} for two images; estimated {_size(plan.estimated)}"
    for name, text in lines.items():
        print(f"{name:14} {text}")
    return 0


def _size(number: int | None) -> str:
    if number is None:
        return "unknown"
    return f"{number / 1e9:.2f} GB" if number >= 1e9 else f"{number / 1e6:.1f} MB"
