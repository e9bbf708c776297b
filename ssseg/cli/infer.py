"""`ssseg infer CONFIG --ckptspath FILE --imagedir DIR`: segment pictures."""

import argparse
import sys
from typing import Any

from .arguments import add_config, add_device, config_of
from .quickimports import quick_imports


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    add_config(parser)
    parser.add_argument("--ckptspath", required=True, help="the checkpoint")
    parser.add_argument("--imagedir", default="", help="a folder of pictures; goes before --imagepath")
    parser.add_argument("--imagepath", default="", help="one picture")
    parser.add_argument("--outputdir", default="inference_outputs", help="where overlays and labels/ are written")
    parser.add_argument("--ema", action="store_true", help="use the averaged weights")
    add_device(parser)


def add_parser(commands: Any) -> None:
    """Register the command."""
    add_arguments(commands.add_parser("infer", help="segment pictures", description=__doc__))


def run(options: argparse.Namespace) -> int:
    """Segment the pictures; one that cannot be read does not stop the others."""
    cfg = config_of(options)
    with quick_imports():
        from ..engine.inference import find_images, infer, require_apart
        from ..engine.predictor import Predictor
        from ..modules.utils.errors import DataError

    given = options.imagedir or options.imagepath
    images = find_images(given)
    require_apart(given, images, options.outputdir)
    predictor = Predictor(cfg, options.ckptspath, device=options.device, ema=options.ema)
    failed = infer(predictor, images, options.outputdir)
    print(f"{len(images) - len(failed)} of {len(images)} pictures segmented into {options.outputdir}")
    for error in failed.values():
        sys.stderr.write(f"{error}\n")
    return DataError.exit_code if failed else 0
