"""`ssseg data cache CONFIG --out DIR`: decode the training set once, for `dataset.raw_cache=DIR`.

Raw pixels take much more room than their files (4 bytes a pixel: 21 GB for ADE20k); how much is said first. Where DIR
holds a cache already, or the beginning of one, only files that are new or have changed are read.
"""

import argparse
from typing import Any

from .arguments import OVERRIDES_HELP
from .data_check import target_cfg, workers_of


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("cache", help="decode a training set once, to read it faster", description=__doc__)
    parser.add_argument("target", help="a config file, an experiment's name, or a path as `ssseg train --data` takes")
    parser.add_argument("overrides", nargs="*", default=[], metavar="a.b.c=value", help=OVERRIDES_HELP)
    parser.add_argument("--out", required=True, metavar="DIR", help="the folder of the cache")
    parser.add_argument("--workers", type=int, default=-1, metavar="N", help="processes that read (default: one a CPU)")
    parser.add_argument("--dry-run", action="store_true", help="say how much room it needs, and stop")


def run(options: argparse.Namespace) -> int:
    """Make the cache, or bring it up to date."""
    from ..engine.rawcaching import make_raw_cache

    with target_cfg(options) as cfg:
        make_raw_cache(cfg, options.out, workers=workers_of(options), dry_run=options.dry_run, say=print)
    return 0
