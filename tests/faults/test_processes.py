"""Rows P01 to P11: several processes, one of which fails, dies, hangs, or is not like the others."""

import json
import os
import shutil
import signal
import socket
import sys
import time
from pathlib import Path

import pytest
import torch

from ssseg.engine import launch as launching
from ssseg.engine.agreement import disagreement
from ssseg.engine.launch import Place, launch
from ssseg.engine.processes import VARIABLES, process_group
from ssseg.engine.runlog import RunLog, read_log
from ssseg.engine.saving import Saver
from ssseg.engine.tester import evaluate_checkpoint
from ssseg.engine.trainer import train
from ssseg.engine.validation import Validation
from ssseg.engine.watch import GroupWatch, describe
from ssseg.modules import loadckpts
from ssseg.modules.datasets.folder import FolderDataset
from ssseg.modules.parallel.order import TrainOrder
from ssseg.modules.utils.configparser import load_config
from ssseg.modules.utils.errors import DistributedError
from tests.faults.children import Child, free_port, group, require_codes
from tests.tiny import write_config, write_data

CPU = torch.device("cpu")
LONG = [
    "scheduler.max_epochs=4000",
    "eval_interval_epochs=4000",
    "runtime.save_interval_iters=1",
    "runtime.keep_last=2",
]


@pytest.fixture(scope="module")
def warm(root, trained):
    """The data set, after a run in this process: what torch loads at first, the children then have."""
    return root


def trains(config, *overrides):
    return lambda: train(load_config(config, list(overrides)), device="cpu")


def at_step(number, act):
    """Let `act` happen in place of a process's step `number`."""
    from ssseg.engine import trainer

    real = trainer.train_step

    def step(state, *args):
        if state.iteration + 1 == number:
            act()
        return real(state, *args)

    trainer.train_step = step


def launched(tmp_path, code, **options):
    """Run `code` under the launcher; it sees `rank`."""
    script = tmp_path / "child.py"
    script.write_text(f"import os, signal, sys, time\nrank = int(os.environ['RANK'])\n{code}\n")
    return launch([sys.executable, str(script)], Place(2, port=free_port()), **options)


TELL = "from ssseg.engine.failure import tell\nfrom ssseg.modules.utils.errors import *\n"


# ---------------------------------------------------------------- P01, P02: one fails, one dies


def test_P01_the_first_error_is_told_last_with_its_rank(tmp_path, capfd):
    code = f"""{TELL}
if rank == 1:
    tell(DataError("b.jpg: truncated"), 3)
    sys.exit(3)
time.sleep(0.2)
tell(LostProcessError("lost the others"), 5)
sys.exit(5)"""
    assert launched(tmp_path, code) == 3
    assert capfd.readouterr().err.splitlines() == ["process 1 of 2: b.jpg: truncated"]


def test_P01_a_consequence_is_not_told_though_it_came_first(tmp_path, capfd):
    code = f"""{TELL}
time.sleep(0.3 * rank)
tell(LostProcessError("lost the others") if rank == 0 else ConfigError("wrong"), 5 - 3 * rank)
sys.exit(5 - 3 * rank)"""
    assert launched(tmp_path, code) == 2
    assert capfd.readouterr().err.splitlines() == ["process 1 of 2: wrong"]


def test_P01_a_process_that_does_not_end_is_killed(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(launching, "GRACE", 0.2)
    assert launched(tmp_path, "time.sleep(600 * (1 - rank))\nsys.exit(7 * rank)") == 7
    assert capfd.readouterr().err.splitlines() == ["process 1 of 2: ended with code 7"]


@pytest.mark.faults
def test_P01_all_processes_of_a_run_end_when_one_raises(warm, tmp_path):
    def fail():
        raise DistributedError("mine")

    def second():
        at_step(3, fail)
        trains(config)()

    config = write_config(tmp_path, warm)
    first, second = group([trains(config), second])
    require_codes([first, second], [5, 5])
    assert "process 0 of 2 lost the connection to another" in first.output
    assert second.output.splitlines()[-1] == "mine"
    assert "Traceback" not in first.output + second.output


@pytest.mark.faults
def test_P02_a_killed_process_ends_the_others_and_checkpoints_are_whole(warm, tmp_path):
    config = write_config(tmp_path, warm)
    processes = group([trains(config, *LONG), trains(config, *LONG)])
    wait_for_steps(tmp_path / "run", 5, processes[0])
    assert processes[1].kill() == -signal.SIGKILL
    assert processes[0].wait() == 5
    assert "lost the connection" in processes[0].output
    for path in (tmp_path / "run").glob("checkpoints-*.pth"):
        loadckpts(path)


def test_P02_a_killed_process_is_named(tmp_path, capfd):
    assert launched(tmp_path, "time.sleep(0.2)\nif rank: os.kill(os.getpid(), signal.SIGKILL)") == 5
    assert capfd.readouterr().err.splitlines() == ["process 1 of 2: was ended by SIGKILL (out of memory?)"]


def wait_for_steps(work_dir, number, child, seconds=120):
    deadline, log = time.monotonic() + seconds, work_dir / "metrics.jsonl"
    while not (log.exists() and sum(line["kind"] == "train" for line in read_log(log)) >= number):
        assert time.monotonic() < deadline, child.output
        time.sleep(0.02)


# ---------------------------------------------------------------- P03: one hangs


@pytest.mark.faults
@pytest.mark.parametrize("where", ["step", "reading"])
def test_P03_a_process_that_hangs_is_named_with_its_place(warm, tmp_path, where):
    def hanging():
        if where == "step":
            at_step(3, lambda: time.sleep(600))
        else:
            real = FolderDataset.__getitem__
            FolderDataset.__getitem__ = lambda self, index: time.sleep(600) if index == 7 else real(self, index)
        trains(config, "runtime.process_timeout=8", *shuffle)()

    config, shuffle = write_config(tmp_path, warm), ["dataloader.train.shuffle=False"]
    processes = group([trains(config, "runtime.process_timeout=8", *shuffle), hanging])
    require_codes(processes, [5, 5])
    output = processes[0].output + processes[1].output
    assert "no progress for 8 s; process 1 stalls:\n  process 0: step, iteration" in output
    place = r"step, iteration 3" if where == "step" else "reading data, iteration 2"
    assert f"  process 1: {place}, for " in output
    assert "<lambda> (test_processes.py:" in output
    assert "process_timeout'] is the limit" in output


def test_P03_the_one_that_stalls_is_told_from_those_that_wait():
    def position(iteration, waits):
        return {"iteration": iteration, "phase": "step", "for": 5.0, "waits": waits, "in": "f (a.py:1)"}

    assert "; process 2 stalls:" in describe(5, {0: position(4, True), 1: position(4, True), 2: position(3, True)}, 3)
    assert "; process 1 stalls:" in describe(5, {0: position(4, True), 1: position(4, False)}, 2)
    text = describe(5, {0: position(4, True)}, 2)
    assert "process 1 stalls:" in text or "process 1: does not answer" in text
    assert "stalls" not in describe(5, {0: position(4, True), 1: position(4, True)}, 2)


# ---------------------------------------------------------------- P04, P05, P06: at the start


@pytest.mark.faults
@pytest.mark.parametrize("change", ["config", "code", "data"])
def test_P04_processes_that_differ_are_refused_at_the_start(warm, tmp_path, change):
    def other():
        if change == "code":
            from ssseg.engine import agreement

            agreement._code_digest = lambda: "another"
        overrides = ["runtime.seed=1"] if change == "config" else []
        if change == "data":
            real = FolderDataset.__init__

            def fewer(self, *args, **kwargs):
                real(self, *args, **kwargs)
                self.imageids = list(self.imageids)[::-1]

            FolderDataset.__init__ = fewer
        trains(config, *overrides)()

    config = write_config(tmp_path, warm)
    processes = group([trains(config), other])
    require_codes(processes, [5, 5], 30)
    named = {"config": r"SEGMENTOR_CFG['runtime']['seed']: not there in process 0; 1 in process 1"}
    named |= {"code": "the code of ssseg: ", "data": "the ids of the training set: "}
    for process in processes:
        assert "the processes of this run differ; all must be started alike:\n  " + named[change] in process.output
    assert not list((tmp_path / "run").glob("*.pth"))


def test_P04_what_differs_is_listed_and_cut():
    same = {"torch": "2.4", "numpy": "2"}
    assert disagreement([same, dict(same), same]) == ""
    text = disagreement([same, {**same, "torch": "2.5"}, same])
    assert text.splitlines()[1] == "  torch: 2.4 in process 0, 2; 2.5 in process 1"
    many = disagreement([{str(n): "a" for n in range(9)}, {str(n): "b" for n in range(9)}])
    assert many.splitlines()[-1] == "  ... and 4 more"


LAUNCHED = {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29511"}
ENVIRONMENTS = {
    "MASTER_ADDR": ({"MASTER_ADDR": None}, "not MASTER_ADDR"),
    "two": ({"MASTER_PORT": None, "LOCAL_RANK": None}, "not LOCAL_RANK, MASTER_PORT"),
    "RANK": ({"RANK": "one"}, "RANK='one' must be a number"),
    "WORLD_SIZE": ({"WORLD_SIZE": "-2"}, "WORLD_SIZE='-2' must be a number"),
    "port": ({"MASTER_PORT": "http"}, "MASTER_PORT='http' must be a number"),
    "range": ({"RANK": "3"}, "RANK=3 must be below WORLD_SIZE=1"),
}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_P05_a_variable_that_is_missing_or_malformed_is_named(monkeypatch, name):
    changes, message = ENVIRONMENTS[name]
    for variable, value in {**LAUNCHED, **changes}.items():
        monkeypatch.delenv(variable, raising=False) if value is None else monkeypatch.setenv(variable, value)
    with pytest.raises(DistributedError, match=message), process_group(CPU, 5):
        pass


def test_P05_without_any_variable_there_is_one_process(monkeypatch):
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    with process_group(CPU, 5):
        assert not torch.distributed.is_initialized()


def test_P06_the_launcher_takes_another_port_where_it_can(tmp_path, capfd):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert launching._with_free_port(Place(2, port=port)).port != port
        with pytest.raises(DistributedError, match=rf"--master_port: {port} is in use on this machine"):
            launch(["true"], Place(2, nodes=2, port=port))


def test_P06_a_port_in_use_is_named_where_another_launcher_chose_it():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        def start():
            with process_group(CPU, 3):
                pass

        child = Child(start, **{**LAUNCHED, "MASTER_PORT": port})
        assert child.wait() == 5
    assert f"process 0 of 1 cannot join the others at 127.0.0.1:{port}" in child.output
    assert "Traceback" not in child.output


# ---------------------------------------------------------------- P07, P08, P09: the same numbers


@pytest.fixture(scope="module")
def seven(tmp_path_factory):
    """The config of a finished run with 7 test images."""
    folder = tmp_path_factory.mktemp("seven")
    config = write_config(folder, write_data(folder / "data", train=4, val=7))
    train(load_config(config, ["scheduler.max_epochs=1"]), device="cpu")
    return config


def evaluation(config):
    """The last one that the run logged."""
    return [line for line in read_log(config.parent / "run" / "metrics.jsonl") if line["kind"] == "eval"][-1]


def evaluates(config, *overrides):
    checkpoint = str(config.parent / "run" / "checkpoints-epoch-1.pth")
    return lambda: evaluate_checkpoint(load_config(config, list(overrides)), ckptspath=checkpoint, device="cpu")


@pytest.mark.faults
@pytest.mark.parametrize("processes", [2, 3, 4])
def test_P07_metrics_of_7_images_are_equal_for_any_number_of_processes(seven, tmp_path, processes):
    expected = evaluation(seven)
    children = group([evaluates(seven, f"work_dir={tmp_path}")] * processes)
    require_codes(children, [0] * processes, 60)
    result = json.loads((tmp_path / "test_results.json").read_text())
    assert (result["iou"], result["miou"]) == (expected["iou"], expected["miou"])


@pytest.mark.faults
def test_P08_processes_that_share_no_disk_evaluate(seven, tmp_path):
    def elsewhere(number):
        def run():
            os.chdir(tmp_path / str(number))
            overrides = ["work_dir=run", "logger_handle_cfg.logfilepath=run/x.log", "dataset.rootdir=data"]
            evaluate_checkpoint(load_config("tiny.py", overrides), ckptspath="weights.pth", device="cpu")

        return run

    for number in range(2):
        shutil.copytree(seven.parent / "data", tmp_path / str(number) / "data")
        shutil.copy(seven, tmp_path / str(number))
        shutil.copy(seven.parent / "run" / "checkpoints-epoch-1.pth", tmp_path / str(number) / "weights.pth")
    children = group([elsewhere(0), elsewhere(1)])
    require_codes(children, [0, 0], 60)
    expected = evaluation(seven)
    assert json.loads((tmp_path / "0" / "run" / "test_results.json").read_text())["iou"] == expected["iou"]
    assert not (tmp_path / "1" / "run" / "test_results.json").exists()


@pytest.mark.parametrize("accumulate", [1, 2])
def test_P09_every_image_is_read_once_and_in_one_order_for_1_2_and_4_processes(accumulate):
    def iterations(processes):
        plans = [
            TrainOrder(
                length=50, total_batch=8, max_epochs=3, seed=5, rank=rank, world_size=processes, accumulate=accumulate
            )
            for rank in range(processes)
        ]
        streams = [list(plan.batches()) for plan in plans]
        steps = range(0, len(streams[0]), accumulate)
        return [
            [key for part in range(accumulate) for stream in streams for key in stream[step + part]] for step in steps
        ]

    whole = iterations(1)
    for epoch in range(3):
        indices = [index for step in whole[6 * epoch : 6 * epoch + 6] for _, _, index in step]
        assert len(indices) == len(set(indices)) == 48
    for processes in (2, 4):
        assert iterations(processes) == whole


# ---------------------------------------------------------------- P10, P11: the first process alone; a request to stop


@pytest.mark.faults
@pytest.mark.parametrize("place", ["saving", "logging", "evaluating"])
def test_P10_all_stop_where_only_the_first_process_fails(warm, tmp_path, place):
    def first():
        def fail(*args, **kwargs):
            raise ZeroDivisionError("a bug")

        places = {"saving": (Saver, "_write"), "logging": (RunLog, "write"), "evaluating": (Validation, "_evaluate")}
        owner, name = places[place]
        setattr(owner, name, fail)
        trains(config)()

    config = write_config(tmp_path, warm)
    processes = group([first, trains(config)])
    require_codes(processes, [1, 5])
    assert "ZeroDivisionError: a bug" in processes[0].output
    assert "lost the connection" in processes[1].output


@pytest.mark.faults
def test_P11_a_terminated_launcher_ends_all_at_one_step_with_one_checkpoint(warm, tmp_path):
    config = write_config(tmp_path, warm)
    command = [
        sys.executable,
        "-m",
        "ssseg",
        "train",
        str(config),
        *LONG,
        "runtime.save_interval_iters=0",
        "save_interval_epochs=0",
    ]
    launcher = Child(lambda: launch(command, Place(2, port=free_port())))
    wait_for_steps(tmp_path / "run", 3, launcher)
    launcher.send(signal.SIGTERM)
    assert launcher.wait(60) == 75
    assert launcher.output.splitlines()[-1].startswith("SIGTERM: stopped after iteration")
    saved = [path for path in (tmp_path / "run").glob("checkpoints-*.pth") if not path.is_symlink()]
    assert len(saved) == 1
    position = loadckpts(Path(tmp_path, "run", "checkpoints-epoch-latest.pth"))["ssseg"]["position"]["iteration"]
    assert position == max(line["iter"] for line in read_log(tmp_path / "run" / "metrics.jsonl"))


def test_P11_processes_whose_launcher_is_gone_are_asked_to_stop(tmp_path):
    asked, ready = tmp_path / "asked", tmp_path / "ready"

    def process():
        signal.signal(signal.SIGTERM, lambda number, frame: asked.touch())
        GroupWatch(10.0, 0, 1, torch.distributed.HashStore())
        ready.touch()
        while not asked.exists():
            time.sleep(0.01)

    def launcher():
        Child(process, SSSEG_FAILURE_FILE=str(tmp_path / "failure"))
        time.sleep(600)

    child = Child(launcher)
    while not ready.exists():
        time.sleep(0.01)
    child.kill()
    deadline = time.monotonic() + 30
    while not asked.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert asked.exists()
