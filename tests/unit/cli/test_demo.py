import json
import shutil
from pathlib import Path

import pytest

from ssseg.cli import demo
from ssseg.cli.main import main
from ssseg.modules.utils.charts import curves
from ssseg.modules.utils.images import read_image
from ssseg.synthetic import CLASSES, write_dataset

SMALL = {"num_train": 0, "num_val": 0, "num_test": 2, "size": (48, 64)}
IOU = {name: 0.8 + 0.01 * k for k, name in enumerate(CLASSES)}
LOG = [
    {"kind": "train", "epoch": 1, "iter": 10, "lr": 0.1, "loss_cls": 2.0, "loss_total": 2.0},
    {"kind": "train", "epoch": 1, "iter": 20, "lr": 0.1, "loss_cls": 1.0, "loss_total": 1.0},
    {"kind": "event", "epoch": 1, "iter": 20, "message": "saved"},
    {"kind": "eval", "epoch": 1, "iter": 20, "miou": 0.5, "iou": IOU},
    {"kind": "train", "epoch": 2, "iter": 40, "lr": 0.1, "loss_cls": 0.5, "loss_total": 0.5},
    {"kind": "eval", "epoch": 2, "iter": 40, "miou": 0.84, "iou": IOU},
]


def fake_step(arguments):
    """Does what the commands of the demo would leave behind; every pixel of its predictions is right."""
    if arguments[:2] == ["data", "synthetic"]:
        write_dataset(arguments[2], **SMALL)
        return 0
    work_dir = Path(next(word for word in arguments if word.startswith("work_dir=")).partition("=")[2])
    if arguments[0] == "train":
        work_dir.mkdir(parents=True)
        (work_dir / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in LOG))
    if arguments[0] == "test":
        (work_dir / "test_results.json").write_text(json.dumps({"miou": 0.8412, "iou": IOU}))
    if arguments[0] == "infer":
        target = Path(arguments[arguments.index("--outputdir") + 1])
        shutil.copytree(work_dir.parent / "data/labels/test", target / "labels")
    return 0


def test_the_demo_draws_pictures_and_ends_with_its_result(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, "step", fake_step)
    assert main(["demo", "--out", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "mIoU 0.841"
    assert any(line.split()[:2] == ["balloon", "0.880"] for line in lines)
    for name in ("contact_sheet.png", "curves.png"):
        assert any(line.endswith(str(tmp_path / name)) for line in lines)
        assert read_image(tmp_path / name).shape[0] > 300


def test_a_second_demo_begins_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "step", fake_step)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.jsonl").write_text("{}\n")
    (tmp_path / "run" / "old.pth").write_text("")
    shutil.rmtree(tmp_path / "predictions", ignore_errors=True)
    assert main(["demo", "--out", str(tmp_path)]) == 0
    assert not (tmp_path / "run" / "old.pth").exists()


def test_a_folder_that_is_no_run_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "step", lambda arguments: 3)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("")
    assert main(["demo", "--out", str(tmp_path)]) == 3
    assert (tmp_path / "run" / "notes.txt").exists()


def test_a_failing_step_ends_the_demo_with_its_exit_code(tmp_path, monkeypatch):
    called = []

    def step(arguments):
        called.append(arguments)
        return 6 if arguments[0] == "train" else 0

    monkeypatch.setattr(demo, "step", step)
    assert main(["demo", "--out", str(tmp_path), "--device", "cpu", "scheduler.max_epochs=1"]) == 6
    assert [arguments[0] for arguments in called] == ["data", "train"]
    assert called[1][-3:] == ["scheduler.max_epochs=1", "--device", "cpu"]


@pytest.mark.parametrize(("arguments", "code"), [(["--version"], 0), (["trian"], 2)])
def test_a_step_runs_the_command_line_and_tells_its_exit_code(arguments, code, capfd):
    assert demo.step(arguments) == code
    said = capfd.readouterr()
    assert f"$ ssseg {arguments[0]}" in said.out
    assert ("done" in said.out) == (code == 0)
    assert ("Did you mean train" in said.err) == (code == 2)


def test_curves_show_the_losses_and_every_class():
    loss, iou = demo.panels(LOG)
    assert list(loss.series) == ["loss_cls"]
    assert [list(values) for values in loss.series["loss_cls"]] == [[0.5, 1.0, 2.0], [2.0, 1.0, 0.5]]
    assert list(iou.series) == [*CLASSES, "mean"]
    assert [list(values) for values in iou.series["mean"]] == [[1, 2], [0.5, 0.84]]
    assert curves([loss, iou]).shape[1] == 2 * 640


def test_curves_of_a_run_that_logged_nothing():
    assert curves(demo.panels([])).shape[1] == 2 * 640


def test_the_synthetic_command_writes_what_is_asked_for(tmp_path, capsys):
    arguments = ["--train", "2", "--val", "1", "--test", "0", "--size", "48", "64", "--seed", "3"]
    assert main(["data", "synthetic", str(tmp_path / "data"), *arguments]) == 0
    assert "3 scenes of 48 x 64 pixels" in capsys.readouterr().out
    assert len(list(tmp_path.rglob("images/train/*.png"))) == 2
    assert read_image(tmp_path / "data/images/val/scene_0000.png").shape == (48, 64, 3)


def test_the_synthetic_command_touches_no_foreign_folder(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("")
    assert main(["data", "synthetic", str(tmp_path)]) == 3
    assert "nothing is overwritten" in capsys.readouterr().err
