"""`ssseg data stats CONFIG|FOLDER`: image sizes, colours, class shares, and class weights that make up for them."""

import argparse
from typing import Any

from .data_check import add_target, splits_of, target_cfg, workers_of


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("stats", help="sizes, colours, class shares and weights", description=__doc__)
    add_target(parser)
    parser.add_argument("--json", default="", metavar="FILE", help="also write all figures to FILE")


def run(options: argparse.Namespace) -> int:
    """Print the figures of each set."""
    import json

    from ..engine.dataaudit.pool import read_sets
    from ..engine.datastats import summarize, summary_table
    from ..modules.utils.files import write_atomically

    figures = {}
    with target_cfg(options) as cfg:
        sets = read_sets(cfg, splits_of(options), workers=workers_of(options), cache=options.cache)
        for number, (source, records) in enumerate(sets):
            dataset = source.dataset
            in_channels = dataset.options.in_channels
            figures[source.name] = summarize(records, dataset.label_map.classnames, in_channels)
            print("\n" * bool(number) + f"set       {source.name}")
            print("\n".join(summary_table(figures[source.name])))
    if options.json:
        text = json.dumps(figures, indent=1).encode()
        write_atomically(options.json, lambda stream: stream.write(text))
    return 0
