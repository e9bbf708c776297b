"""A run that starts anew where an earlier one was."""

import pytest

from ssseg.engine.runlog import RunLog, read_log
from ssseg.engine.trainer import train
from ssseg.modules.utils.configparser import load_config
from ssseg.modules.utils.errors import DataError, ResourceError
from tests.integration.test_one_process import outcome, same
from tests.tiny import write_config, write_data


@pytest.fixture
def config(tmp_path):
    return write_config(tmp_path, write_data(tmp_path / "data"))


def test_nothing_of_the_earlier_run_is_overwritten(config):
    work_dir = config.parent / "run"
    train(load_config(config), device="cpu")
    first = outcome(work_dir)
    train(load_config(config, ["runtime.seed=7"]), device="cpu")
    earlier = work_dir / "earlier-1"
    assert same(outcome(earlier), first)
    assert not same(outcome(work_dir), first)
    assert [line["iter"] for line in read_log(work_dir / "metrics.jsonl") if line["kind"] == "train"] == [*range(1, 7)]
    latest = earlier / "checkpoints-epoch-latest.pth"
    assert latest.resolve() == (earlier / "checkpoints-epoch-2.pth").resolve()
    assert f"--ckptspath {latest}" in (work_dir / "tiny.log").read_text()
    train(load_config(config), device="cpu", ckptspath=str(latest))  # goes on: nothing is moved
    assert not (work_dir / "earlier-2").exists()


def test_a_run_that_came_to_no_checkpoint_leaves_no_lines(config):
    work_dir = config.parent / "run"
    work_dir.mkdir()
    RunLog(work_dir).write("train", 0, 1, loss=2.0)
    train(load_config(config), device="cpu")
    assert [line["iter"] for line in read_log(work_dir / "metrics.jsonl") if line["kind"] == "train"] == [*range(1, 7)]
    assert not (work_dir / "earlier-1").exists()


def test_a_start_that_fails_moves_nothing(config):
    work_dir = config.parent / "run"
    train(load_config(config), device="cpu")
    with pytest.raises(DataError):
        train(load_config(config, ["dataloader.expected_total_train_bs_for_assert=64"]), device="cpu")
    assert (work_dir / "checkpoints-epoch-2.pth").exists()


def test_what_cannot_be_moved_is_an_error(config, monkeypatch):
    work_dir = config.parent / "run"
    train(load_config(config), device="cpu")

    def refuse(*_args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.rename", refuse)
    with pytest.raises(ResourceError, match=r"earlier-1: Permission denied\. Choose another work_dir"):
        train(load_config(config), device="cpu")
    assert (work_dir / "checkpoints-epoch-2.pth").exists()
