"""What happens before the first step: imports, commands, building a network, the first training iteration.

Each contender runs in a process of its own, one thread, taking turns with its baseline; the figure is the CPU time of
the whole process, of building only, or from its start to the end of the first iteration. The baselines are an
empty process, `import torch`, building with random weights, and a training loop as it is usually written: the same
network and pictures, the documented transforms one after the other, cross entropy through one-hot targets.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import harness

PICTURES, CROP = 2, 256
NETWORKS = ("segformer_mitb0_ade20k", "fcn_resnet50os8_ade20k", "upernet_swintiny_ade20k")
CODE, SELF = (sys.executable, "-c"), (sys.executable, __file__, "--measure")
EMPTY, TORCH = (*CODE, "pass"), (*CODE, "import torch")
ROWS = {
    "import ssseg": ((*CODE, "import ssseg"), EMPTY),
    "import ssseg.modules, BuildSegmentor": ((*CODE, "from ssseg.modules import BuildSegmentor"), TORCH),
    "ssseg --help": ((sys.executable, "-m", "ssseg", "--help"), EMPTY),
    "ssseg config show": ((sys.executable, "-m", "ssseg", "config", "show", "demo_scenes"), EMPTY),
    **{
        f"build {network} for a checkpoint": ((*SELF, "load", network), (*SELF, "random", network))
        for network in NETWORKS
    },
    "first iteration, FCN on ResNet-18": ((*SELF, "ours", ""), (*SELF, "plain", "")),
    "first iteration, in imports of torch": ((*SELF, "ours", ""), TORCH),
}


def built(weights: str, network: str) -> float:
    """Build twice, as the first time imports modules; return what the second took."""
    from contextlib import nullcontext

    from ssseg.cli.quickimports import quick_imports

    with quick_imports():  # as commands do
        import torch

        from ssseg.engine.build import build_segmentor
        from ssseg.modules.models.uninitialized import Uninitialized
        from ssseg.modules.utils.configparser import load_config

    cfg = load_config(network, ["backbone.pretrained=False"])
    for _ in range(2):
        started = time.process_time()
        with Uninitialized() if weights == "load" else nullcontext():
            build_segmentor(cfg, "TEST", torch.device("cpu"))
    return time.process_time() - started


def pictures() -> Path:
    """Write a small data set like ADE20k, once."""
    from pictures import KINDS, write_tree

    root = Path(tempfile.gettempdir(), "ssseg-benchmark-pictures", "start")
    if not (root / "done").exists():
        write_tree(root, KINDS["ADE20k"], PICTURES)
        (root / "done").touch()
    return root


def train_with_ours() -> None:
    """`ssseg train` until the first iteration ends, with one data process."""
    from ssseg.cli.main import main
    from ssseg.cli.quickimports import quick_imports

    with quick_imports():  # as `main` would
        from ssseg.engine import step

    train_step = step.train_step

    def first(*args):
        train_step(*args)
        print(time.process_time(), flush=True)
        os._exit(0)

    step.train_step = first
    crop = f"{{'crop_size': ({CROP}, {CROP}), 'one_category_max_ratio': 0.75}}"
    resnet18 = (
        "{'type': 'ResNet', 'depth': 18, 'structure_type': 'resnet18', 'outstride': 8, 'selected_indices': (2, 3), "
        "'pretrained': False}"
    )
    with tempfile.TemporaryDirectory() as work_dir:
        main(
            [
                *("train", "fcn_resnet50os8_ade20k", "--device", "cpu", f"work_dir={work_dir}", f"backbone={resnet18}"),
                *("head.in_channels=512", "auxiliary.in_channels=256", f"dataset.rootdir={pictures()}"),
                *("dataset.test.set=train", "dataloader.expected_total_train_bs_for_assert=2"),
                *("dataloader.train.num_workers_per_gpu=0", f"dataset.train.data_pipelines.1.1={crop}"),
                f"dataset.train.data_pipelines.6.1={{'output_size': ({CROP}, {CROP}), 'data_type': 'tensor'}}",
            ]
        )


def train_plainly() -> None:
    """The same by hand."""
    import torch
    from plain_pipeline import PlainPipeline
    from train_step import Step, one_hot

    root = pictures() / "ADEChallengeData2016"
    pipeline = PlainPipeline({0: -100, **{label + 1: label for label in range(150)}}, (2048, 512), (CROP, CROP))
    images = sorted((root / "images/training").iterdir())
    samples = [pipeline(str(image), str(root / "annotations/training" / f"{image.stem}.png")) for image in images]
    batch, labels = (torch.stack(parts) for parts in zip(*samples, strict=True))
    Step("fcn-r18-os8", fused=False, foreach=False).by_hand(batch, labels.to(torch.int16), one_hot)


def cpu_seconds(command: tuple[str, ...]) -> float:
    """Return the CPU time of a process, or what it prints last where it measures itself."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, **harness.ONE_THREAD}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    if command[: len(SELF)] == SELF:
        return float(done.stdout.splitlines()[-1])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(row: str, rounds: int, seconds: Callable[[tuple[str, ...]], float] = cpu_seconds) -> dict[str, object]:
    """Return the medians of a row in milliseconds, and the median of their ratios with its spread."""
    times = [[seconds(command) for command in ROWS[row]] for _ in range(rounds + 1)][1:]  # the first fills caches
    ratios = sorted(own / base for own, base in times)
    own, base = (1e3 * statistics.median(column) for column in zip(*times, strict=True))
    spread = [ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]]
    return {"row": row, "ms": own, "baseline_ms": base, "ratio": statistics.median(ratios), "spread": spread}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--row", action="append", default=[], choices=list(ROWS), help="only these rows")
    parser.add_argument("--rounds", type=int, default=5, help="how often each contender has its turn")
    parser.add_argument("--json", action="store_true", help="print an object a line")
    parser.add_argument("--measure", nargs=2, metavar=("WHAT", "NETWORK"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        what, network = options.measure
        if what == "ours":
            train_with_ours()
        elif what == "plain":
            train_plainly()
        print(time.process_time() if what == "plain" else built(what, network))
        return
    for row in options.row or ROWS:
        found = measure(row, options.rounds)
        low, high = found["spread"]
        text = f"{row:48} {found['ms']:8.1f} ms, baseline {found['baseline_ms']:8.1f} ms: {found['ratio']:5.2f} of it"
        print(json.dumps(found) if options.json else f"{text} ({low:.2f} to {high:.2f})", flush=True)


if __name__ == "__main__":
    main()
