"""Rows K10, R08 and R09: a run is killed or asked to stop at random moments; it goes on to the same bits."""

import itertools
import os
import random
import signal
import time

import pytest
import torch

from ssseg.engine import trainer
from ssseg.engine.runlog import read_log
from ssseg.engine.trainer import train
from ssseg.modules import loadckpts, saveckpts
from ssseg.modules.utils.checkpoint import LATEST
from ssseg.modules.utils.configparser import load_config
from tests.faults.children import Child
from tests.integration.test_one_process import outcome, same
from tests.tiny import write_config

OPTIONS = [
    "ema_cfg={'momentum': 0.1, 'device': 'cpu'}",
    "fp16_cfg={'type': 'pytorch', 'autocast': {'dtype': 'bfloat16'}}",
    "scheduler.clipgrad_cfg={'max_norm': 1.0, 'norm_type': 2}",
    "runtime.accumulate=2",
]
EVERY = "runtime.save_interval_iters=1"


@pytest.fixture(scope="module")
def whole(tmp_path_factory, data):
    """What a run that nobody stopped computed; it ran in this process: what torch loads at first, the children have."""
    config = write_config(tmp_path_factory.mktemp("whole"), data)
    train(load_config(config, OPTIONS), device="cpu")
    return outcome(config.parent / "run")


def start(config, *options):
    """Begin the run of a config, or go on with it."""
    run = config.parent / "run"
    checkpoint = run / LATEST if os.path.lexists(run / LATEST) else ""
    return Child(lambda: train(load_config(config, [*OPTIONS, *options]), device="cpu", ckptspath=str(checkpoint)))


def ended(child, seconds=0.0):
    """Return the exit code of a child that ends within some seconds, None while it runs."""
    deadline = time.monotonic() + seconds
    while True:
        pid, status = os.waitpid(child.pid, os.WNOHANG)
        if pid or time.monotonic() > deadline:
            return os.waitstatus_to_exitcode(status) if pid else None
        time.sleep(0.002)


def ended_before(run, child, moments):
    """Wait for a random moment of a run; return the exit code of a child that ended before, else None.

    It is so many log lines and then up to a tenth of a second away. A moment in seconds alone would be too late on a
    machine that is faster than when it was timed, and too early on a slower one, again and again.
    """
    log, deadline = run / "metrics.jsonl", time.monotonic() + 60
    lines = lambda: log.read_bytes().count(b"\n") if log.exists() else 0  # noqa: E731
    wanted = lines() + moments.randrange(7)
    while lines() < wanted:
        if (code := ended(child)) is not None:
            return code
        assert time.monotonic() < deadline, child.output
        time.sleep(0.002)
    return ended(child, moments.uniform(0, 0.1))


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.faults)])
def test_K10_kill_while_saving(tmp_path, kills):
    path, delays = tmp_path / "checkpoints-epoch-1.pth", random.Random(0)

    def state(number):
        return {"cur_iter": number, "model": {"a": torch.full((50_000,), number)}}

    def save_on_and_on():
        for number in itertools.count(1):
            saveckpts(state(number), path)

    saveckpts(state(0), path)
    for _ in range(kills):
        child = Child(save_on_and_on)
        time.sleep(delays.uniform(0.001, 0.03))
        child.kill()
        got = loadckpts(tmp_path / LATEST)
        assert torch.equal(got["model"]["a"], torch.full((50_000,), got["cur_iter"]))
        left = set(os.listdir(tmp_path)) - {path.name, LATEST}
        assert all(name.startswith(".ssseg-partial-") for name in left)


def kill_until_through(start, run, most, seed):
    """Start a run, kill it and go on with it, at most so many times, until it is through; return how often it was."""
    moments, done = random.Random(seed), 0
    while True:
        child = start()
        code = ended_before(run, child, moments) if done < most else child.wait()
        if code is not None:
            assert code == 0, child.output
            return done
        child.kill()
        done += 1
        for path in run.glob("checkpoints-*.pth"):
            if path.exists():  # all files under valid names are whole
                loadckpts(path)


@pytest.mark.parametrize("kills", [5, pytest.param(200, marks=pytest.mark.faults)])
def test_K10_kill_while_training(whole, data, tmp_path, kills):
    """Killed, gone on with and killed again, until it is through; then the next run, until there were enough kills."""
    done, runs = 0, 0
    while done < kills:
        folder = tmp_path / str(runs)
        folder.mkdir()
        config = write_config(folder, data)
        options = (EVERY, f"runtime.async_save={runs % 2 == 1}")
        done += kill_until_through(lambda: start(config, *options), folder / "run", kills - done, seed=runs)  # noqa: B023
        assert same(outcome(folder / "run"), whole)
        runs += 1
    print(f"{done} kills in {runs} runs; all went on and ended in the same bits")


@pytest.mark.parametrize("stops", [3, pytest.param(20, marks=pytest.mark.faults)])
def test_R08_a_run_that_is_asked_to_stop_saves_and_goes_on(whole, data, tmp_path, stops):
    moments, signals = random.Random(1), itertools.cycle([signal.SIGTERM, signal.SIGUSR1, signal.SIGINT])
    saved, slowest, runs = 0, 0.0, 0
    while saved < stops:
        folder = tmp_path / str(runs)
        folder.mkdir()
        config, code = write_config(folder, data), None
        while code != 0:
            child, number = start(config), next(signals)
            code = ended_before(folder / "run", child, moments) if saved < stops else child.wait()
            if code is not None:
                assert code == 0, child.output
                break
            asked = time.monotonic()
            child.send(number)
            code = child.wait(60)
            # before the first step there is nothing to save, and it ends as any process does
            assert code in (0, 75, -number, 130), child.output
            if code == 75:
                saved, slowest = saved + 1, max(slowest, time.monotonic() - asked)
                assert f"{signal.Signals(number).name}: stopped after iteration" in child.output
        assert same(outcome(folder / "run"), whole)
        runs += 1
    print(f"{saved} stops in {runs} runs; the slowest took {slowest:.2f} s to be saved and gone")


def endless_step(number, folder):
    """Let step `number` not end; files tell that it began, and that a signal was noticed in it."""
    real = trainer.train_step

    def step(state, *args):
        if state.iteration + 1 == number:
            (folder / "began").touch()
            while True:
                time.sleep(0.01)
                if signal.getsignal(signal.SIGINT).__self__.received:
                    (folder / "noticed").touch()
        return real(state, *args)

    trainer.train_step = step


def wait_for_file(path, child):
    while not path.exists():
        assert ended(child) is None, child.output
        time.sleep(0.01)


def wait_for_line(run, iteration, child):
    log = run / "metrics.jsonl"
    while not (log.exists() and any(line["iter"] == iteration for line in read_log(log))):
        assert ended(child) is None, child.output
        time.sleep(0.01)


def test_R09_a_second_ctrl_c_leaves_at_once(data, tmp_path):
    config = write_config(tmp_path, data)

    def run():
        endless_step(3, tmp_path)
        train(load_config(config, [EVERY]), device="cpu")

    child = Child(run)
    wait_for_file(tmp_path / "began", child)
    child.send(signal.SIGINT)
    wait_for_file(tmp_path / "noticed", child)  # it goes on with the step
    child.send(signal.SIGINT)
    assert child.wait() == 130
    assert loadckpts(tmp_path / "run" / LATEST)["ssseg"]["position"]["iteration"] == 2


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGUSR1"])
def test_R08_a_signal_that_reaches_data_workers_too_does_no_harm(data, tmp_path, name):
    config = write_config(tmp_path, data)
    options = ["dataloader.train.num_workers_per_gpu=1", "scheduler.max_epochs=400", "eval_interval_epochs=400"]
    child = Child(lambda: train(load_config(config, [*options, "save_interval_epochs=400"]), device="cpu"))
    wait_for_line(tmp_path / "run", 4, child)
    os.killpg(child.pid, signal.Signals[name])  # as a terminal does, and Slurm
    assert child.wait(60) == 75, child.output
    assert loadckpts(tmp_path / "run" / LATEST)["ssseg"]["position"]["iteration"] >= 4


def test_R08_an_evaluation_is_cut_short_and_done_again(whole, data, tmp_path):
    config = write_config(tmp_path, data)

    def run():
        from ssseg.engine import evaluator

        real = evaluator.label_images

        def slow(*args, **kwargs):
            (tmp_path / "evaluating").touch()
            time.sleep(3)
            return real(*args, **kwargs)

        evaluator.label_images = slow
        train(load_config(config, OPTIONS), device="cpu")

    child = Child(run)
    wait_for_file(tmp_path / "evaluating", child)
    child.send(signal.SIGTERM)
    assert child.wait(60) == 75, child.output
    kinds = [line["kind"] for line in read_log(tmp_path / "run" / "metrics.jsonl")]
    assert "eval" not in kinds  # it was not finished
    assert start(config).wait() == 0
    assert same(outcome(tmp_path / "run"), whole)
