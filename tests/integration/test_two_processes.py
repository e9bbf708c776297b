"""Two processes on gloo compute what one does."""

import json
import os
import sys

import pytest
import torch

from ssseg.engine.runlog import read_log
from ssseg.engine.trainer import train
from ssseg.modules import loadckpts
from ssseg.modules.utils.configparser import load_config
from tests.tiny import run, write_config, write_data


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The same experiment trained by one process and by two: their work directories."""
    folder = tmp_path_factory.mktemp("two")
    root = write_data(folder / "data")
    configs = {}
    for name in ("one", "two"):
        (folder / name).mkdir()
        configs[name] = write_config(folder / name, root)
    options = ["head.dropout=0.0", "auxiliary.dropout=0.0"]  # each process draws its own dropout
    train(load_config(configs["one"], options), device="cpu")
    os.environ["PORT"] = "29731"
    os.environ["PYTHON"] = sys.executable
    run(["bash", "scripts/dist_train.sh", "2", str(configs["two"]), *options])
    return configs


def test_training_agrees_within_round_off(runs):
    one, two = (loadckpts(runs[name].parent / "run" / "checkpoints-epoch-2.pth")["model"] for name in ("one", "two"))
    for name, tensor in one.items():
        torch.testing.assert_close(
            two[name], tensor, rtol=1e-4, atol=1e-6, msg=lambda text, name=name: f"{name}: {text}"
        )


def test_logged_losses_are_means_over_processes(runs):
    one, two = (read_log(runs[name].parent / "run" / "metrics.jsonl") for name in ("one", "two"))
    assert len(one) == len(two)
    for first, second in zip(one, two, strict=True):
        if first["kind"] == "train":
            assert second["loss_total"] == pytest.approx(first["loss_total"], rel=1e-4)


@pytest.mark.parametrize("processes", [2, 3])
def test_metrics_are_equal_for_any_number_of_processes(runs, processes):
    config = runs["one"]
    work_dir = config.parent / "run"
    expected = [line for line in read_log(work_dir / "metrics.jsonl") if line["kind"] == "eval"][-1]
    os.environ["PORT"] = str(29740 + processes)
    run(["bash", "scripts/dist_test.sh", str(processes), str(config), str(work_dir / "checkpoints-epoch-2.pth")])
    result = json.loads((work_dir / "test_results.json").read_text())
    assert result["miou"] == expected["miou"]
    assert result["iou"] == expected["iou"]
