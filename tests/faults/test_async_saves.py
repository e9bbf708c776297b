"""Checkpoints that a thread writes are as good as those that the run waits for."""

import threading
import time

import pytest
import torch

from ssseg.engine import saving
from ssseg.engine.hostcopy import on_host
from ssseg.engine.runlog import read_log
from ssseg.engine.trainer import train
from ssseg.modules.utils.checkpoint import LATEST
from ssseg.modules.utils.configparser import load_config
from ssseg.modules.utils.errors import ResourceError
from tests.faults.children import Child
from tests.faults.test_kills import kill_until_through
from tests.integration.test_one_process import outcome, same
from tests.tiny import write_config

ASYNC = ["runtime.async_save=True", "runtime.save_interval_iters=1"]
ADAMW = "scheduler.optimizer={'type': 'AdamW', 'lr': 0.01, 'params_rules': {'decoder': {'lr_multiplier': 10.0}}}"


@pytest.fixture(scope="module")
def whole(tmp_path_factory, data):
    """What a run computed that waited for each checkpoint."""
    config = write_config(tmp_path_factory.mktemp("whole"), data)
    train(load_config(config, ["runtime.save_interval_iters=1", ADAMW]), device="cpu")
    return config.parent / "run"


def run(folder, data, *options, ckptspath=""):
    return train(load_config(write_config(folder, data), [*ASYNC, ADAMW, *options]), device="cpu", ckptspath=ckptspath)


def test_the_files_are_those_of_a_run_that_waits(whole, data, tmp_path):
    run(tmp_path, data)
    names = sorted(path.name for path in whole.glob("*.pth"))
    assert sorted(path.name for path in (tmp_path / "run").glob("*.pth")) == names
    for name in names:
        assert same(outcome(tmp_path / "run", name)[0], outcome(whole, name)[0])
    assert same(outcome(tmp_path / "run"), outcome(whole))


def test_training_goes_on_while_a_file_is_written_and_does_not_change_it(whole, data, tmp_path, monkeypatch):
    real, stepped, seen = saving.saveckpts, threading.Event(), []

    def slow(entries, path, **options):
        if path.name == "checkpoints-iter-1.pth":
            seen.append((stepped.wait(60), threading.current_thread() is threading.main_thread()))
        real(entries, path, **options)

    step = train.__globals__["train_step"]

    def step_then_tell(state, *args):
        losses = step(state, *args)
        if state.iteration == 2:
            stepped.set()
        return losses

    monkeypatch.setattr(saving, "saveckpts", slow)
    monkeypatch.setitem(train.__globals__, "train_step", step_then_tell)
    run(tmp_path, data)
    assert seen == [(True, False)]
    first = "checkpoints-iter-1.pth"
    assert same(outcome(tmp_path / "run", first)[0], outcome(whole, first)[0])


@pytest.mark.parametrize("iteration", [1, 4])
def test_the_next_save_tells_of_a_failed_one(data, tmp_path, monkeypatch, iteration):
    real = saving.saveckpts

    def failing(entries, path, **options):
        if path.name == f"checkpoints-iter-{iteration}.pth":
            raise ResourceError(f"{path}: cannot be written: the disk is full")
        real(entries, path, **options)

    monkeypatch.setattr(saving, "saveckpts", failing)
    with pytest.raises(ResourceError, match=rf"iter-{iteration}\.pth: cannot be written"):
        run(tmp_path, data)
    assert not (tmp_path / "run" / f"checkpoints-iter-{iteration + 2}.pth").exists()
    run(tmp_path, data, "runtime.on_save_error=warn")
    lost = [line["checkpoint"] for line in read_log(tmp_path / "run" / "metrics.jsonl") if "not saved" in line.values()]
    assert lost == [f"checkpoints-iter-{iteration}.pth"]


def test_another_error_waits_for_the_file_and_tells_of_its_failure(data, tmp_path, monkeypatch):
    step = train.__globals__["train_step"]

    def failing_step(state, *args):
        if state.iteration == 1:
            raise ValueError("a bug")
        return step(state, *args)

    def failing_save(*_args, **_options):
        time.sleep(0.05)
        raise ResourceError("no space for it")

    monkeypatch.setitem(train.__globals__, "train_step", failing_step)
    monkeypatch.setattr(saving, "saveckpts", failing_save)
    with pytest.raises(ValueError, match="a bug"):
        run(tmp_path, data)
    assert "no space for it" in (tmp_path / "run" / "tiny.log").read_text()


def test_the_last_checkpoint_must_be_written(data, tmp_path, monkeypatch):
    real = saving.saveckpts

    def failing(entries, path, **options):
        if path.name == "checkpoints-epoch-2.pth":
            raise ResourceError("no space for the last")
        real(entries, path, **options)

    monkeypatch.setattr(saving, "saveckpts", failing)
    with pytest.raises(ResourceError, match="no space for the last"):
        run(tmp_path, data, "runtime.on_save_error=warn")


@pytest.mark.parametrize("kills", [3, pytest.param(30, marks=pytest.mark.faults)])
def test_killed_at_any_moment_the_files_are_whole_and_the_run_goes_on(whole, data, tmp_path, kills):
    done, runs = 0, 0
    while done < kills:
        folder = tmp_path / str(runs)
        folder.mkdir()

        def start():
            latest = folder / "run" / LATEST  # noqa: B023
            return Child(lambda: run(folder, data, ckptspath=str(latest) if latest.exists() else ""))  # noqa: B023

        done += kill_until_through(start, folder / "run", kills - done, seed=runs)
        assert same(outcome(folder / "run"), outcome(whole))
        runs += 1


def test_a_copy_on_the_host_keeps_what_is_shared_and_nothing_of_the_original():
    weight = torch.arange(6.0).view(2, 3)
    module = torch.nn.Linear(3, 2)
    entries = {"a": weight, "b": [weight, (weight.t(), 1, "x")], "model": module.state_dict()}
    copied = on_host(entries)
    assert same(copied, entries)
    assert copied["model"]._metadata == entries["model"]._metadata
    assert copied["a"] is copied["b"][0]
    weight += 1
    assert copied["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert copied["b"][1][0].tolist() == [[0, 3], [1, 4], [2, 5]]
