"""`ssseg bench data|loss|eval|train|infer [CONFIG]`: where the time goes here, and which switch would help.

Our way and the plain one take turns on the same inputs; the ratio is the median over the pairs. Without CONFIG the
experiment of `ssseg demo` is measured, on scenes that are drawn for it. Weights are random.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import add_config, add_device, config_of

if TYPE_CHECKING:
    from ..engine.bench.measuring import Report, Row

_SUBJECTS = {
    "data": "reading a training sample",
    "loss": "the losses, forward and backward",
    "eval": "from scores to the confusion matrix",
    "train": "a training step",
    "infer": "from a picture to its label map",
}


def add_parser(commands: Any) -> None:
    """Register the command and its subcommands."""
    parser = commands.add_parser("bench", help="measure where the time goes", description=__doc__)
    subjects = parser.add_subparsers(dest="subject", metavar="SUBJECT", required=True)
    for name, text in _SUBJECTS.items():
        subject = subjects.add_parser(name, help=text, description=f"Measure {text}.")
        add_config(subject)
        subject.add_argument("--rounds", type=int, default=10, help="how often each way has its turn (default 10)")
        subject.add_argument("--json", action="store_true", help="print an object")
        add_device(subject)


def run(options: argparse.Namespace) -> int:
    """Measure, and print what was found."""
    from ..engine.bench.data import bench_data
    from ..engine.bench.testing import bench_eval, bench_infer
    from ..engine.bench.training import bench_loss, bench_train
    from ..engine.devices import choose_device, set_up_backends
    from ..engine.options import RuntimeOptions

    benches = {"data": bench_data, "loss": bench_loss, "eval": bench_eval, "train": bench_train, "infer": bench_infer}
    device = choose_device(options.device)
    with _config(options) as cfg:
        set_up_backends(cfg, RuntimeOptions.of(cfg))
        report = benches[options.subject](cfg, device, max(options.rounds, 1))
    if options.json:
        print(json.dumps(asdict(report), indent=1))
    else:
        _show(report)
    return 0


@contextmanager
def _config(options: argparse.Namespace) -> Iterator[Any]:
    """Load the config; without one, the demo's, with a few scenes on disk meanwhile."""
    if (options.config and "=" not in options.config) or options.cfgfilepath:
        yield config_of(options)
        return
    from ..synthetic import write_dataset
    from .demo import CONFIG

    with tempfile.TemporaryDirectory() as folder:
        root = write_dataset(Path(folder, "data"), num_train=16, num_val=4, num_test=1)
        overrides = [*([options.config] if options.config else []), *options.overrides]
        options.config, options.overrides = CONFIG, [f"dataset.rootdir={root}", *overrides]
        yield config_of(options)


def _show(report: "Report") -> None:
    from rich.console import Console

    console = Console()
    console.print(report.subject, markup=False)
    for title, rows in (("way", report.ways), ("stage", report.stages)):
        if rows:
            console.print(_table(title, rows))
    if report.bottleneck:
        console.print(f"most of it: {report.bottleneck}", markup=False, soft_wrap=True)
        console.print(f"what would help: {report.advice}", markup=False, soft_wrap=True)


def _table(title: str, rows: "Sequence[Row]") -> Any:
    from rich.table import Table

    stages = title == "stage"
    table = Table(title, "ms", "spread", *(["share"] if stages else ["times faster", "peak MB"]), box=None)
    total = sum(row.ms for row in rows)
    for row in rows:
        last = [f"{row.ms / total:.0%}"]
        if not stages:
            last = [f"{row.ratio:.2f}", "-" if row.memory_mb is None else f"{row.memory_mb:.1f}"]
        table.add_row(row.name, f"{row.ms:.2f}", f"{row.low:.2f} to {row.high:.2f}", *last)
    return table
