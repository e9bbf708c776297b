"""`ssseg data synthetic FOLDER`: write the embedded data set."""

import argparse
from typing import Any


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("synthetic", help="write the embedded data set", description=__doc__)
    parser.add_argument("folder", help="empty, missing, or written by this command before")
    for name, count in (("train", 400), ("val", 60), ("test", 12)):
        parser.add_argument(
            f"--{name}", type=int, default=count, metavar="N", help=f"scenes of the set (default {count})"
        )
    parser.add_argument(
        "--size", type=int, nargs=2, default=[144, 192], metavar=("HEIGHT", "WIDTH"), help="pixels (default 144 192)"
    )
    parser.add_argument("--seed", type=int, default=0, help="another one gives other scenes")


def run(options: argparse.Namespace) -> int:
    """Write the data set."""
    from ..engine.progress import progress
    from ..synthetic import write_dataset

    counts = {"num_train": options.train, "num_val": options.val, "num_test": options.test}
    with progress("scenes", sum(counts.values())) as meter:
        root = write_dataset(
            options.folder,
            **counts,
            size=tuple(options.size),
            seed=options.seed,
            progress=lambda done, total: meter.advance(),
        )
    print(f"{sum(counts.values())} scenes of {options.size[0]} x {options.size[1]} pixels in {root}")
    return 0
