"""`ssseg data verify CONFIG|FOLDER --write FILE | --check FILE`: keep the SHA-256 of every file, find what changed.

FILE is a list as `sha256sum` writes it, with paths that start at its own folder.
"""

import argparse
from typing import Any

from .data_check import add_target, splits_of, target_cfg, workers_of


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("verify", help="find files that changed since they were listed", description=__doc__)
    add_target(parser, cache=False)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", default="", metavar="FILE", help="write the list")
    action.add_argument("--check", default="", metavar="FILE", help="compare with the list")


def run(options: argparse.Namespace) -> int:
    """Write the list, or print what differs from it; 3 where a file has changed or is missing."""
    from ..engine.filehashes import files_of, verify, write_hashes
    from ..modules.utils.errors import DataError
    from ..modules.utils.filekinds import shown

    workers = workers_of(options)
    with target_cfg(options) as cfg:
        paths = files_of(cfg, splits_of(options))
    if options.write:
        write_hashes(options.write, paths, workers=workers)
        print(f"{len(paths)} files listed in {options.write}")
        return 0
    found = verify(options.check, paths, workers=workers)
    for kind, names in (("changed", found.changed), ("missing", found.missing), ("not listed", found.unlisted)):
        for name in names:
            print(f"{kind:10}  {shown(name)}")
    counts = f"{len(found.changed)} changed, {len(found.missing)} missing, {len(found.unlisted)} not listed"
    print(f"{found.same} files are as listed; {counts}")
    return DataError.exit_code if found.changed or found.missing else 0
