"""Whole runs through the command line and the engine, in one process."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ssseg.cli.main import main
from ssseg.engine.predictor import Predictor
from ssseg.engine.runlog import read_log
from ssseg.engine.trainer import train
from ssseg.modules import loadckpts
from ssseg.modules.utils.configparser import load_config
from ssseg.modules.utils.errors import ConfigError, DataError
from tests.tiny import ssseg, write_config, write_data


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory, root):
    """A finished run of the command line: its config and its work directory."""
    config = write_config(tmp_path_factory.mktemp("run"), root)
    ssseg("train", config, "ema_cfg={'momentum': 0.1, 'device': 'cpu'}", "--device", "cpu")
    return config, config.parent / "run"


def same(first, second):
    """Whether two nested values are equal to the bit."""
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    return torch.equal(first, second) if torch.is_tensor(first) else first == second


def outcome(work_dir: Path, name="checkpoints-epoch-2.pth"):
    """What a run computed: its checkpoint without times and versions, and its logged numbers."""
    checkpoint = loadckpts(work_dir / name)
    del checkpoint["ssseg"]
    lines = [line for line in read_log(work_dir / "metrics.jsonl") if line["kind"] != "event"]
    return checkpoint, [{key: value for key, value in line.items() if key != "iter_time_s"} for line in lines]


def test_a_run_leaves_what_the_documents_say(trained):
    _, work_dir = trained
    names = {path.name for path in work_dir.iterdir()}
    assert {"checkpoints-epoch-1.pth", "checkpoints-epoch-2.pth", "checkpoints-best.pth", "tiny.log"} <= names
    latest = work_dir / "checkpoints-epoch-latest.pth"
    assert latest.is_symlink()
    assert not latest.readlink().is_absolute()
    checkpoint = loadckpts(latest)
    assert {"cur_epoch", "cur_iter", "model", "optimizer", "model_ema", "ssseg"} <= checkpoint.keys()
    assert (checkpoint["cur_epoch"], checkpoint["cur_iter"]) == (2, 6)
    assert checkpoint["ssseg"]["label_map"]["classnames"] == ["ground", "bright", "dark"]


def test_logs(trained):
    _, work_dir = trained
    lines = read_log(work_dir / "metrics.jsonl")
    trained_lines = [line for line in lines if line["kind"] == "train"]
    assert [line["iter"] for line in trained_lines] == [1, 2, 3, 4, 5, 6]
    assert {"loss_cls", "loss_aux", "loss_total", "lr"} <= trained_lines[0].keys()
    evaluated = [(line["epoch"], line["weights"]) for line in lines if line["kind"] == "eval"]
    assert evaluated == [(1, "model"), (1, "ema"), (2, "model"), (2, "ema")]
    text = (work_dir / "tiny.log").read_text()
    assert re.search(
        r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO  \{'cur_epoch': 1, 'max_epochs': 2, 'cur_iter': 1,", text, re.M
    )
    assert re.search(r"bright +\d+\.\d\d", text)


def test_the_resolved_config_describes_the_run(trained):
    config, work_dir = trained
    (copy,) = (work_dir / "configs").iterdir()
    expected = load_config(config, ["ema_cfg={'momentum': 0.1, 'device': 'cpu'}"])
    assert load_config(copy) == expected


def test_test_repeats_the_evaluation_of_the_run(trained):
    config, work_dir = trained
    ssseg("test", config, "--ckptspath", work_dir / "checkpoints-epoch-2.pth", "--device", "cpu")
    result = json.loads((work_dir / "test_results.json").read_text())
    logged = [
        line for line in read_log(work_dir / "metrics.jsonl") if line["kind"] == "eval" and line["weights"] == "model"
    ]
    assert result["miou"] == logged[-1]["miou"]
    assert result["iou"] == logged[-1]["iou"]
    ssseg("test", "--cfgfilepath", config, "--ckptspath", work_dir / "checkpoints-epoch-2.pth", "--ema")
    assert json.loads((work_dir / "test_results.json").read_text())["ema"] is True


def test_without_labels_nothing_is_evaluated(root, tmp_path):
    cfg = load_config(write_config(tmp_path, root), ["scheduler.max_epochs=1", "dataset.test.eval_env=server"])
    assert train(cfg, device="cpu") == {}
    assert [line["kind"] for line in read_log(tmp_path / "run/metrics.jsonl") if line["kind"] == "eval"] == []
    assert "['eval_env'] is 'server'" in (tmp_path / "run/tiny.log").read_text()
    assert (tmp_path / "run/checkpoints-epoch-1.pth").exists()


@pytest.mark.parametrize(
    ("kind", "function", "section"),
    [
        ("Segmentor FCN", "predict(self, features)", "SEGMENTOR_CFG"),
        ("Dataset FolderDataset", "read(self, *paths)", "SEGMENTOR_CFG['dataset']"),
    ],
)
def test_a_bug_in_the_users_code_is_the_last_that_is_told(kind, function, section, root, tmp_path):
    part, base = kind.split()
    config = write_config(tmp_path, root)
    with config.open("a") as file:
        file.write(f"""
from ssseg.modules import {part}Builder

class Broken({part}Builder().get('{base}')):
    num_classes = 3

    def {function}:
        return 1 / 0

{part}Builder().register('Broken', Broken)
{section}['type'] = 'Broken'
SEGMENTOR_CFG['dataloader']['train']['num_workers_per_gpu'] = 1
""")
    done = ssseg("train", config, "--device", "cpu", check=False)
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("ZeroDivisionError: division by zero")  # nothing of the workers' end
    assert f"in {function.partition('(')[0]}" in done.stderr


def test_infer_writes_overlay_and_labels_and_goes_on_past_a_bad_file(trained, root, tmp_path):
    config, work_dir = trained
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    picture = cv2.imread(str(root / "images" / "val" / "000.png"))
    for name in ("a.jpg", "a.png", "b.c.png", "D.JPG"):
        cv2.imwrite(str(pictures / name), picture)
    (pictures / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a picture")
    (pictures / "notes.txt").write_text("not a picture either")
    done = ssseg(
        "infer", config, "--ckptspath", work_dir / "checkpoints-best.pth", "--imagedir", pictures,
        "--outputdir", tmp_path / "out", check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert "broken.jpg" in done.stderr
    assert "Traceback" not in done.stderr
    names = {"a.jpg.png", "a.png.png", "b.c.png", "D.png"}
    assert {path.name for path in (tmp_path / "out").glob("*.png")} == names
    assert {path.name for path in (tmp_path / "out" / "labels").iterdir()} == names
    labels = cv2.imread(str(tmp_path / "out" / "labels" / "a.png.png"), cv2.IMREAD_UNCHANGED)
    assert labels.shape[:2] == (32, 32)


def test_inference_needs_no_data_set(trained, root, tmp_path):
    config, work_dir = trained
    ssseg(
        "infer", config, "dataset.rootdir=/nowhere", "--ckptspath", work_dir / "checkpoints-best.pth",
        "--imagepath", root / "images" / "val" / "000.png", "--outputdir", tmp_path / "out",
    )  # fmt: skip
    overlay = cv2.cvtColor(cv2.imread(str(tmp_path / "out" / "000.png")), cv2.COLOR_BGR2RGB)
    expected = Predictor(config, work_dir / "checkpoints-best.pth", device="cpu")(root / "images" / "val" / "000.png")
    np.testing.assert_array_equal(overlay, expected.overlay())


def test_predictor_takes_its_config_from_the_checkpoint(trained, root):
    config, work_dir = trained
    path = root / "images" / "val" / "000.png"
    prediction = Predictor(None, work_dir / "checkpoints-best.pth", device="cpu")(path)
    again = Predictor(config, work_dir / "checkpoints-best.pth", device="cpu")
    array = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    np.testing.assert_array_equal(prediction.labels, again(array).labels)
    assert prediction.label_map.classnames == ("ground", "bright", "dark")
    assert prediction.overlay().shape == (32, 32, 3)
    assert abs(sum(prediction.shares().values()) - 1) < 1e-9


OPTIONS = [
    "ema_cfg={'momentum': 0.1, 'device': 'cpu'}",
    "scheduler.clipgrad_cfg={'max_norm': 1.0, 'norm_type': 2}",
    "runtime.accumulate=2",
    "norm_cfg={'type': 'BatchNorm2d'}",
    "runtime.save_interval_iters=1",
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory, root):
    """A run that nobody stopped, with a checkpoint after each iteration."""
    folder = tmp_path_factory.mktemp("whole")
    train(load_config(write_config(folder, root), OPTIONS), device="cpu")
    return folder / "run"


@pytest.mark.parametrize("position", ["iter-1", "iter-2", "epoch-1", "iter-4", "iter-5"])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_resumed_run_ends_as_if_never_stopped(whole, root, tmp_path, position, workers):
    cfg = load_config(write_config(tmp_path, root), [*OPTIONS, f"dataloader.train.num_workers_per_gpu={workers}"])
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.jsonl").write_text((whole / "metrics.jsonl").read_text())
    train(cfg, device="cpu", ckptspath=str(whole / f"checkpoints-{position}.pth"))
    assert same(outcome(tmp_path / "run"), outcome(whole))


def test_mixed_precision_resumes_too(root, tmp_path):
    options = ["fp16_cfg={'type': 'pytorch', 'autocast': {'dtype': 'bfloat16'}, 'grad_scaler': {}}", OPTIONS[-1]]
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    train(load_config(write_config(tmp_path / "a", root), options), device="cpu")
    start = str(tmp_path / "a" / "run" / "checkpoints-iter-2.pth")
    (tmp_path / "b" / "run").mkdir()
    (tmp_path / "b" / "run" / "metrics.jsonl").write_text((tmp_path / "a" / "run" / "metrics.jsonl").read_text())
    train(load_config(write_config(tmp_path / "b", root), options), device="cpu", ckptspath=start)
    assert same(outcome(tmp_path / "b" / "run"), outcome(tmp_path / "a" / "run"))


def test_a_terminated_run_saves_exits_75_and_goes_on(root, tmp_path):
    config = write_config(tmp_path, root)
    overrides = ["scheduler.max_epochs=400", "eval_interval_epochs=400", "save_interval_epochs=400"]
    command = [sys.executable, "-m", "ssseg", "train", str(config), *overrides]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    metrics = tmp_path / "run" / "metrics.jsonl"
    deadline = time.monotonic() + 120
    while not (metrics.exists() and len(read_log(metrics)) > 2) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 75, errors
    assert "Go on with --ckptspath" in errors
    saved = loadckpts(tmp_path / "run" / "checkpoints-epoch-latest.pth")["ssseg"]["position"]["iteration"]
    assert saved == max(line["iter"] for line in read_log(metrics))
    epochs = saved // 3 + 1
    ssseg(
        "train",
        config,
        f"scheduler.max_epochs={epochs}",
        "--ckptspath",
        tmp_path / "run" / "checkpoints-epoch-latest.pth",
    )
    assert (tmp_path / "run" / f"checkpoints-epoch-{epochs}.pth").exists()


def test_errors_end_with_their_code_and_no_traceback(trained, root, tmp_path, capsys):
    config, work_dir = trained
    cases = [
        (["train", tmp_path / "no.py"], 2, "no.py"),
        (["train", config, "num_classes=4"], 2, "num_classes"),
        (["train", config, "dataset.rootdir=/nowhere"], 3, "/nowhere"),
        (["train", config, "--ckptspath", work_dir / "checkpoint-epoch-2.pth"], 4, "checkpoints-epoch-2.pth"),
        (["train", config, "--device", "warp"], 2, "warp"),
        (["trian", config], 2, "Did you mean train?"),
        (["train", config, "--ckptpath", "x"], 2, "--ckptspath"),
        (["test", config, "--ckptspath", root / "classes.txt"], 4, "classes.txt"),
        (["infer", config, "--ckptspath", work_dir / "checkpoints-best.pth", "--imagedir", tmp_path], 3, "no picture"),
    ]
    for arguments, code, words in cases:
        try:
            ended = main([str(argument) for argument in arguments])
        except SystemExit as left:  # argparse leaves by itself
            ended = left.code
        errors = capsys.readouterr().err
        assert ended == code, (arguments, errors)
        assert words in errors, (arguments, errors)
        assert "Traceback" not in errors


def test_too_few_images_for_a_batch(root, tmp_path):
    cfg = load_config(write_config(tmp_path, root), ["dataloader.expected_total_train_bs_for_assert=16"])
    with pytest.raises(DataError, match="12 samples, fewer than the total batch of 16"):
        train(cfg, device="cpu")


def test_a_base_config_alone_says_what_is_not_set(tmp_path):
    cfg = load_config("fcn_resnet50os16_voc", [f"work_dir={tmp_path}", "dataset=None"])
    with pytest.raises(ConfigError, match=r"SEGMENTOR_CFG\['dataset'\]: is None: not set yet"):
        train(cfg, device="cpu")


@pytest.mark.parametrize(
    "switch", ["runtime.channels_last=True", "runtime.loss_grid=logits", "is_freeze_norm=averages"]
)
def test_switches_train(root, tmp_path, switch):
    train(load_config(write_config(tmp_path, root), [switch, "scheduler.max_epochs=1"]), device="cpu")
    assert (tmp_path / "run" / "checkpoints-epoch-1.pth").exists()


def test_keep_last(root, tmp_path):
    options = ["runtime.keep_last=1", "scheduler.max_epochs=3"]
    train(load_config(write_config(tmp_path, root), options), device="cpu")
    kept = {path.name for path in (tmp_path / "run").glob("*.pth") if not path.is_symlink()}
    assert kept == {"checkpoints-epoch-3.pth", "checkpoints-best.pth"}


def test_a_warm_up_longer_than_the_run_is_told(tmp_path, root):
    """As it happens to a published config on a small data set."""
    config = write_config(tmp_path, root)
    warmup = "scheduler.warmup_cfg={'type': 'linear', 'ratio': 1e-6, 'iters': 1500}"
    train(load_config(config, [warmup, "scheduler.max_epochs=1"]), device="cpu")
    assert "1500 iterations, but the run has 3" in (tmp_path / "run" / "tiny.log").read_text()
