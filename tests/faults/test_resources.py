"""Rows R01 to R07 and R10 to R12: disk, memory, workers and clocks that fail in mid-run."""

import ast
import errno
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import torch

import ssseg
from ssseg.engine import trainer as trainer_module
from ssseg.engine.memory import memory_errors
from ssseg.engine.runlog import read_log
from ssseg.engine.trainer import train
from ssseg.modules import loadckpts, loadpretrainedweights, saveckpts
from ssseg.modules.datasets.folder import FolderDataset
from ssseg.modules.parallel.dataloader import train_loader
from ssseg.modules.parallel.order import TrainOrder
from ssseg.modules.utils.checkpoint import LATEST, keep_last
from ssseg.modules.utils.configparser import load_config
from ssseg.modules.utils.errors import ResourceError
from ssseg.modules.utils.logger import TrainTimer
from tests.faults.children import Child
from tests.faults.injection import fail_at
from tests.tiny import write_config
from tests.unit.parallel.test_dataloader import Samples

CPU = torch.device("cpu")
WRITING = "ssseg.modules.utils.files:_NotingFile.noting"  # around each call of the system that writes


@pytest.fixture
def own(own, trained):
    """A data set and an experiment, after a run in this process: what torch loads at first, the children then have."""
    return own


@contextmanager
def full(file):
    """A call of the system for which the disk has no room."""
    file.failure = OSError(errno.ENOSPC, "No space left on device")
    raise file.failure
    yield


def state(number):
    return {"cur_iter": number, "model": {f"layer{i}": torch.full((20_000,), float(number)) for i in range(5)}}


# ---------------------------------------------------------------- R01, R02, R03: the disk


def test_R01_a_full_disk_is_told_with_the_bytes_needed_and_free(tmp_path):
    with (
        fail_at(WRITING, 2, full),
        pytest.raises(ResourceError, match=r"the disk is full: [\d,]+ bytes are needed, [\d,]+ are free"),
    ):
        saveckpts(state(1), tmp_path / "checkpoints-epoch-1.pth")
    assert os.listdir(tmp_path) == []


def test_R01_a_disk_that_is_full_at_any_call_leaves_the_old_checkpoint(tmp_path):
    first, second = tmp_path / "checkpoints-epoch-1.pth", tmp_path / "checkpoints-epoch-2.pth"
    saveckpts(state(1), first)
    call = 0
    while True:
        call += 1
        with fail_at(WRITING, call, full) as injection, suppress(ResourceError):
            saveckpts(state(2), second)
        if not injection.reached:
            break
        assert sorted(os.listdir(tmp_path)) == ["checkpoints-epoch-1.pth", LATEST]
        assert loadckpts(tmp_path / LATEST)["cur_iter"] == 1
    assert call > 3
    assert loadckpts(tmp_path / LATEST)["cur_iter"] == 2


def test_R01_too_little_space_is_noticed_before_a_byte_is_written(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=400_000))
    with (
        fail_at(WRITING, 1, AssertionError("was written")),
        pytest.raises(ResourceError, match=r"the disk is full: [\d,]+ bytes are needed, 400,000 are free"),
    ):
        saveckpts(state(1), tmp_path / "checkpoints-epoch-1.pth")


@pytest.mark.parametrize("limit", [1000, 40_000, 300_000])
def test_R01_the_limit_of_a_file_is_told_as_a_full_disk(tmp_path, limit):
    saveckpts(state(1), tmp_path / "checkpoints-epoch-1.pth")

    def save():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        saveckpts(state(2), tmp_path / "checkpoints-epoch-2.pth")

    assert Child(save).wait() == 5
    assert sorted(os.listdir(tmp_path)) == ["checkpoints-epoch-1.pth", LATEST]
    assert loadckpts(tmp_path / LATEST)["cur_iter"] == 1


def test_R01_a_run_goes_on_without_a_checkpoint_where_it_may(own):
    _, config = own
    run = config.parent / "run"
    options = ["runtime.on_save_error=warn", "runtime.save_interval_iters=1", "eval_interval_epochs=2"]
    with fail_at("ssseg.engine.saving.saveckpts", 1, ResourceError("the disk is full")):
        train(load_config(config, options), device="cpu")
    messages = [line["message"] for line in read_log(run / "metrics.jsonl") if line["kind"] == "event"]
    assert messages[:2] == ["not saved", "saved"]
    assert "the disk is full. The run goes on without this checkpoint." in (run / "tiny.log").read_text()
    assert (run / "checkpoints-epoch-2.pth").exists()


@pytest.mark.parametrize(("options", "failing"), [([], 1), (["runtime.on_save_error=warn"], 3)])
def test_R01_a_run_stops_by_default_and_at_the_last_checkpoint(own, options, failing):
    _, config = own
    options = [*options, "eval_interval_epochs=0", "save_interval_epochs=1"]
    with (
        fail_at("ssseg.engine.saving.saveckpts", failing, ResourceError("the disk is full"), lasting=True),
        pytest.raises(ResourceError, match="the disk is full"),
    ):
        train(load_config(config, [*options, "scheduler.max_epochs=3"]), device="cpu")


def test_R02_a_work_dir_that_cannot_be_written_is_told_before_anything_else(root):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "run").mkdir(mode=0o555)
        cfg = load_config(write_config(folder, root))

        def run():
            if os.geteuid() == 0:
                os.setuid(65534)  # root may write anywhere
            train(cfg, device="cpu")

        child = Child(run)
        assert child.wait() == 5, child.output
        assert re.search(r"run: cannot be written to: Permission denied\n$", child.output)


def test_R02_a_file_in_place_of_the_work_dir_is_told(own):
    _, config = own
    (config.parent / "run").write_text("a file")
    with pytest.raises(ResourceError, match="run: cannot be made a folder: a file has that name"):
        train(load_config(config), device="cpu")


def test_R03_a_log_that_cannot_be_written_any_more_is_told_once(own, monkeypatch, capsys):
    _, config = own
    run, real = config.parent / "run", trainer_module.train_step

    def step(state, *args):
        if state.iteration == 1:
            for name in ("tiny.log", "metrics.jsonl"):
                (run / name).unlink()
                (run / name).mkdir()
        return real(state, *args)

    monkeypatch.setattr(trainer_module, "train_step", step)
    train(load_config(config), device="cpu")
    assert (run / "checkpoints-epoch-2.pth").exists()
    errors = capsys.readouterr().err
    for name in ("tiny.log", "metrics.jsonl"):
        assert errors.count(f"{name}: cannot be written, the run goes on without: ") == 1
    assert "Traceback" not in errors


# ---------------------------------------------------------------- R04: memory


def raise_out_of_memory(*args):
    raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 8")


def test_R04_out_of_gpu_memory_is_explained(own, monkeypatch):
    _, config = own
    monkeypatch.setattr(trainer_module, "train_step", raise_out_of_memory)
    with pytest.raises(ResourceError) as caught:
        train(load_config(config), device="cpu")
    first, *tries = str(caught.value).splitlines()
    shown = (
        "training on 4 crops of 32x32 at a time (batch 4 = 4 x 1 process): FCN on resnet18, which asked for 2.50 GiB"
    )
    assert shown in first
    assert [line.split()[1] for line in tries] == ["runtime.accumulate=2", "a", "fp16_cfg=\"{'type':"]


def test_R04_what_torch_set_aside_is_freed(monkeypatch):
    freed = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: freed.append(1))
    cfg = {"type": "FCN", "backbone": {"type": "ResNet"}, "runtime": {"accumulate": 4}}
    with pytest.raises(ResourceError, match=r"accumulate=8"), memory_errors(cfg, torch.device("cuda"), "testing"):
        raise_out_of_memory()
    assert freed == [1]


def test_R04_out_of_memory_on_the_cpu_is_explained_and_other_errors_are_not():
    cfg = {"type": "FCN", "backbone": {"type": "ResNet", "structure_type": "resnet18"}}
    told = r"out of memory on cpu while testing: .*for 4,611,686,018,427,387,904 bytes"
    with pytest.raises(ResourceError, match=told), memory_errors(cfg, CPU, "testing"):
        torch.empty(1 << 60)
    with pytest.raises(RuntimeError, match="other"), memory_errors(cfg, CPU, "testing"):
        raise RuntimeError("other")


# ---------------------------------------------------------------- R05, R06, R07: data workers


def reads(config, act, *options):
    """A run whose data workers do `act` when they read the image `005`."""

    def run():
        real = FolderDataset.__getitem__

        def read(self, index):
            if self.imageids[index % len(self.imageids)] == "005":
                act()
            return real(self, index)

        FolderDataset.__getitem__ = read
        workers = ["dataloader.train.num_workers_per_gpu=1", "dataloader.train.shuffle=False"]
        train(load_config(config, [*workers, *options]), device="cpu")

    return Child(run)


def test_R05_a_killed_worker_is_told_with_the_samples_in_flight(own):
    child = reads(own[1], lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert child.wait() == 5, child.output
    assert re.search(r"a data worker died: DataLoader worker .*pid.* \d+", child.output)
    assert "It was one of those reading " in child.output
    assert "004, 005, 006, 007" in child.output


def test_R05_a_worker_killed_during_a_step_is_told_too(own):
    def run():
        import multiprocessing

        real = trainer_module.train_step

        def step(state, *args):
            if state.iteration == 2:
                multiprocessing.active_children()[0].kill()
                time.sleep(30)  # a signal arrives here
            return real(state, *args)

        trainer_module.train_step = step
        options = ["dataloader.train.num_workers_per_gpu=1", "scheduler.max_epochs=50"]
        train(load_config(own[1], options), device="cpu")

    child = Child(run)
    assert child.wait() == 5, child.output
    assert "a data worker died" in child.output


def test_R06_a_hanging_worker_is_told_with_what_it_reads(own):
    child = reads(own[1], lambda: time.sleep(600), "runtime.loader_timeout=6")
    assert child.wait() == 5, child.output
    said = "no batch for 6 s: a data worker hangs (a dead network disk?) while it reads 004, 005, 006, 007."
    assert said in child.output
    assert "SEGMENTOR_CFG['runtime']['loader_timeout'] is the limit in seconds." in child.output


@pytest.mark.parametrize(
    "text",
    [
        "unable to open shared memory object </torch_12> in read-write mode: No space left on device (28)",
        "DataLoader worker (pid 7) is killed by signal: Bus error. It is possible that dataloader's workers are out of "
        "shared memory. Please try to raise your shared memory limit.",
    ],
)
def test_R07_too_little_shared_memory_is_explained(text):
    def fail(index):
        raise RuntimeError(text)

    order = TrainOrder(length=8, total_batch=4, max_epochs=1, shuffle=False)
    with pytest.raises(ResourceError, match=r"shared memory \(/dev/shm\).*--shm-size=8g.*num_workers_per_gpu'\] = 0"):
        list(train_loader(Samples(fail), {"num_workers_per_gpu": 0}, order))


# ---------------------------------------------------------------- R10, R11, R12: growth, clocks, surroundings


@pytest.mark.faults
def test_R10_neither_memory_nor_open_files_grow(own, tmp_path):
    sizes = tmp_path / "sizes"

    def run():
        real = trainer_module.Trainer._end_epoch

        def end_epoch(self):
            real(self)
            resident = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
            with sizes.open("a") as stream:
                stream.write(f"{resident} {len(os.listdir('/proc/self/fd'))}\n")

        trainer_module.Trainer._end_epoch = end_epoch
        small = ["dataloader.expected_total_train_bs_for_assert=1", "dataset.repeat_times=13"]  # 104 steps an epoch
        options = [*small, "scheduler.max_epochs=20", "save_interval_epochs=5"]
        train(load_config(own[1], options), device="cpu")

    child = Child(run)
    assert child.wait(900) == 0, child.output[-2000:]
    memory, opened = zip(*(map(int, line.split()) for line in sizes.read_text().splitlines()), strict=True)
    assert len(memory) == 20  # evaluations, and 2,000 steps
    assert max(memory[3:]) - memory[2] < 20 << 20
    assert len(set(opened[1:])) == 1
    print(f"{(memory[-1] - memory[2]) / 2**20:.1f} MiB more after 1,768 further steps and 17 evaluations")


WALL_CLOCKS = (
    "time.time",
    "time.time_ns",
    "datetime.now",
    "datetime.datetime.now",
    "datetime.utcnow",
    "time.localtime",
)


def test_R11_no_duration_is_taken_from_the_clock_on_the_wall():
    wrong = []
    for path in Path(ssseg.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in WALL_CLOCKS:
                wrong.append(f"{path}:{node.lineno}")
    assert wrong == []


def test_R11_a_clock_that_jumps_changes_no_measurement(monkeypatch):
    real, timer = time.time, TrainTimer()
    timer.tick()
    monkeypatch.setattr(time, "time", lambda: real() + 10**6)
    assert 0 <= timer.tick() < 10**5
    assert timer.elapsed < 10**5


def test_R11_a_clock_that_was_set_back_does_not_make_the_newest_checkpoint_the_oldest(tmp_path):
    for epoch in (1, 2, 3):
        path = tmp_path / f"checkpoints-epoch-{epoch}.pth"
        saveckpts(state(epoch), path)
        os.utime(path, ns=(0, (10 - epoch) * 10**9))
    assert [path.name for path in keep_last(tmp_path, 1)] == ["checkpoints-epoch-1.pth", "checkpoints-epoch-2.pth"]
    assert loadckpts(tmp_path / LATEST)["cur_iter"] == 3


def test_R12_a_run_writes_nowhere_but_where_it_was_told(own):
    """So a read-only installation and a missing home do no harm."""
    _, config = own
    allowed = [str(config.parent), "/dev/", "/proc/", tempfile.gettempdir()]

    def run():
        for name in ("HOME", "XDG_CACHE_HOME", "TORCH_HOME", "XDG_CONFIG_HOME"):
            os.environ.pop(name, None)
        os.environ["HOME"] = "/nonexistent"

        def watch(event, args):
            writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if (writes or event == "os.mkdir") and isinstance(args[0], str):
                place = os.path.abspath(args[0])
                if not any(place.startswith(folder) for folder in allowed):
                    sys.stderr.write(f"WRITES {place}\n")

        sys.addaudithook(watch)
        train(load_config(config, ["scheduler.max_epochs=1"]), device="cpu")

    child = Child(run)
    assert child.wait() == 0, child.output
    assert [line for line in child.output.splitlines() if line.startswith("WRITES") and "__pycache__" not in line] == []


def test_R12_a_cache_that_cannot_be_written_is_named_with_what_moves_it(monkeypatch):
    monkeypatch.setenv("TORCH_HOME", "/proc/nowhere")
    urls = {"net": "https://example.org/net.pth"}
    with pytest.raises(
        ResourceError, match=r"/proc/nowhere/hub/checkpoints: cannot be made.* TORCH_HOME names another"
    ):
        loadpretrainedweights("net", default_model_urls=urls)
