"""`ssseg data check CONFIG|FOLDER`: look at every file of a data set before anything is trained."""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from .arguments import OVERRIDES_HELP


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("check", help="look at every file of a data set", description=__doc__)
    add_target(parser)
    parser.add_argument("--json", default="", metavar="FILE", help="also write all findings to FILE")
    parser.add_argument("--files", type=int, default=3, metavar="N", help="files to show of each kind (default 3)")


def add_target(parser: argparse.ArgumentParser, *, cache: bool = True) -> None:
    """Add the data set and how it is read; `cache` for commands that keep what they found."""
    parser.add_argument("target", help="a config file, an experiment's name, or a path as `ssseg train --data` takes")
    parser.add_argument("overrides", nargs="*", default=[], metavar="a.b.c=value", help=OVERRIDES_HELP)
    parser.add_argument(
        "--split", choices=("train", "val", "both"), default="both", help="the set trained on, that tested on, or both"
    )
    parser.add_argument("--workers", type=int, default=-1, metavar="N", help="processes that read (default: one a CPU)")
    if not cache:
        return
    parser.add_argument(
        "--cache", default=None, metavar="FILE", help="keep results in FILE; only files that changed are read again"
    )


@contextmanager
def target_cfg(options: argparse.Namespace) -> Iterator[Any]:
    """Give the config that the target stands for, overrides applied, while its files are needed."""
    from ..engine.dataaudit.sources import path_cfg
    from ..modules.utils.configparser import load_config
    from ..modules.utils.overrides import apply_overrides

    target = Path(options.target)
    if target.is_dir() or (target.is_file() and target.suffix not in (".py", ".pkl")):
        with tempfile.TemporaryDirectory(prefix="ssseg-") as lists:
            yield apply_overrides(path_cfg(target, lists), options.overrides)
    else:
        yield load_config(options.target, options.overrides)


def splits_of(options: argparse.Namespace) -> list[str]:
    """Return the names of the sets that are asked for."""
    return ["train", "val"] if options.split == "both" else [options.split]


def workers_of(options: argparse.Namespace) -> int:
    """Return how many processes read."""
    import os

    return len(os.sched_getaffinity(0)) if options.workers < 0 else options.workers


def run(options: argparse.Namespace) -> int:
    """Print what was found; 3 where something is an error."""
    import json

    from ..engine.dataaudit import Audit, audit
    from ..engine.dataaudit.findings import finding
    from ..engine.dataaudit.table import findings_table
    from ..modules.utils.errors import DataError
    from ..modules.utils.files import write_atomically

    with ExitStack() as stack:
        try:
            cfg = stack.enter_context(target_cfg(options))
        except DataError as error:
            if not options.json:
                raise
            found = Audit({}, [finding("unusable-set", options.target, str(error))])
        else:
            found = audit(cfg, splits_of(options), workers=workers_of(options), cache=options.cache)
    for line in findings_table(found, files=options.files):
        print(line)
    if options.json:
        text = json.dumps(found.to_json(), indent=1).encode()
        write_atomically(options.json, lambda stream: stream.write(text))
    return DataError.exit_code if found.count("error") else 0
