"""`ssseg demo`: write the embedded data set, train on it, test, segment pictures not seen before, draw the results.

Every step is a command that can be typed as well; it is shown before it runs.
"""

import argparse
import json
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..modules.utils.charts import Panel

CONFIG = "demo_scenes"


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("demo", help="train and test on the embedded data set", description=__doc__)
    parser.add_argument("--out", default="runs/demo", help="folder of the data, the run and the pictures")
    parser.add_argument("--device", default="auto", help="auto (a GPU where there is one), cpu, cuda or cuda:N")
    parser.add_argument("overrides", nargs="*", default=[], metavar="a.b.c=value", help="of the experiment's config")


def run(options: argparse.Namespace) -> int:
    """Run the steps; the exit code is that of the first one that fails."""
    out = Path(options.out)
    data, work_dir, predictions = out / "data", out / "run", out / "predictions"
    checkpoint = str(work_dir / "checkpoints-epoch-latest.pth")
    cfg = [CONFIG, f"dataset.rootdir={data}", f"work_dir={work_dir}", *options.overrides]
    with_checkpoint = ["--ckptspath", checkpoint, "--device", options.device]
    pictures = ["--imagedir", str(data / "images" / "test"), "--outputdir", str(predictions)]
    if (work_dir / "metrics.jsonl").exists():  # of a demo before this one; its log would go on
        shutil.rmtree(work_dir)
    for arguments in (
        ["data", "synthetic", str(data)],
        ["train", *cfg, "--device", options.device],
        ["test", *cfg, *with_checkpoint],
        ["infer", *cfg, *with_checkpoint, *pictures],
    ):
        if code := step(arguments):
            return code
    sheet, curves = draw(data, work_dir, predictions, out)
    results = json.loads((work_dir / "test_results.json").read_text(encoding="utf-8"))
    print("\nIoU on the validation set")
    for name, value in results["iou"].items():
        print(f"  {name:<10}{value:.3f}  {'#' * round(40 * value)}")
    print(f"\nimage, truth and prediction   {sheet}\nloss and IoU over the epochs  {curves}")
    print(f"overlays and label maps       {predictions}\ncheckpoints and logs          {work_dir}\n")
    print(f"mIoU {results['miou']:.3f}")
    return 0


def step(arguments: list[str]) -> int:
    """Run `ssseg` with these arguments in a process of its own, its output on ours; return its exit code."""
    print(f"\n$ ssseg {shlex.join(arguments)}", flush=True)
    started = time.monotonic()
    code = subprocess.run([sys.executable, "-m", "ssseg", *arguments], check=False).returncode  # noqa: S603
    print(f"{f'exit code {code}' if code else 'done'} after {time.monotonic() - started:.0f} s", flush=True)
    return code


def draw(data: Path, work_dir: Path, predictions: Path, out: Path) -> tuple[Path, Path]:
    """Draw the sheet of held-out scenes and the curves of the run; return the paths of both."""
    from ..engine.runlog import read_log
    from ..modules.utils.charts import curves
    from ..modules.utils.drawing import contact_sheet, overlay
    from ..modules.utils.images import read_image, read_label, write_png
    from ..synthetic import CLASSES, VOID

    palette = list(CLASSES.values())
    pictures, captions = [], []
    for path in sorted((data / "images" / "test").iterdir()):
        image, truth = read_image(path)[..., ::-1], read_label(data / "labels" / "test" / path.name)
        prediction = read_label(predictions / "labels" / path.name)
        right = (truth == prediction)[truth != VOID].mean()
        pictures += [image, overlay(image, truth, palette, 0.6), overlay(image, prediction, palette, 0.6)]
        captions += [path.stem, "", f"{right:.1%} of the pixels right"]
    titles = ("image", "truth", "prediction") * 2  # two scenes a row
    sheet, diagram = out / "contact_sheet.png", out / "curves.png"
    write_png(sheet, contact_sheet(_rows(pictures, 6), titles, CLASSES, _rows(captions, 6), width=300))
    write_png(diagram, curves(panels(read_log(work_dir / "metrics.jsonl"))))
    return sheet, diagram


def _rows(items: list[Any], length: int) -> list[list[Any]]:
    return [items[first : first + length] for first in range(0, len(items), length)]


def panels(log: Sequence[dict[str, Any]]) -> "list[Panel]":
    """The loss and the IoU of each class over the epochs, from the lines of a `metrics.jsonl`."""
    from ..modules.utils.charts import Panel
    from ..modules.utils.drawing import INK
    from ..synthetic import CLASSES

    train = [line for line in log if line["kind"] == "train"]
    tests = [line for line in log if line["kind"] == "eval"]
    per_epoch = max((line["iter"] / line["epoch"] for line in train[-1:]), default=1.0)
    names = [name for name in (train[-1] if train else {}) if name.startswith("loss_") and name != "loss_total"]
    losses = {name: ([line["iter"] / per_epoch for line in train], [line[name] for line in train]) for name in names}
    epochs = [line["epoch"] for line in tests]
    ious = {name: (epochs, [line["iou"][name] for line in tests]) for name in CLASSES}
    ious["mean"] = (epochs, [line["miou"] for line in tests])
    return [
        Panel("Training loss", losses, "epoch", log=True, smooth=9),
        Panel(
            "IoU on the validation set", ious, "epoch", colours=CLASSES | {"mean": INK}, bold=("mean",), limits=(0, 1)
        ),
    ]
