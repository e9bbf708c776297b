import json

import numpy as np
import pytest

from ssseg.engine.runlog import RunLog, plain_values, read_log


def test_one_object_a_line(tmp_path):
    log = RunLog(tmp_path)
    log.write("train", 1, 10, loss_cls=0.5, lr=0.01)
    log.write("eval", 1, 10, miou=np.float64(0.25), iou={"a": float("nan")})
    assert read_log(log.path) == [
        {"kind": "train", "epoch": 1, "iter": 10, "loss_cls": 0.5, "lr": 0.01},
        {"kind": "eval", "epoch": 1, "iter": 10, "miou": 0.25, "iou": {"a": None}},
    ]


def test_rewinding_drops_what_is_written_again(tmp_path):
    log = RunLog(tmp_path)
    for iteration in (5, 10, 15):
        log.write("train", 1, iteration)
        log.write("eval", 1, iteration)
    with log.path.open("a") as file:
        file.write('{"kind": "train", "it')  # cut off by a crash
    log.rewind(10)
    assert [(line["kind"], line["iter"]) for line in read_log(log.path)] == [("train", 5), ("eval", 5), ("train", 10)]


def test_lines_that_a_power_cut_damaged_are_dropped(tmp_path):
    log = RunLog(tmp_path)
    log.write("train", 1, 5)
    with log.path.open("ab") as file:
        file.write(
            b'\xff\xfe\0\0\n{"kind": "train", "iter": "x"}\n{"kind": 5, "iter": 1e999}\n' + b"[" * 100_000 + b"\n"
        )
    log.write("train", 1, 6)
    log.rewind(6)
    assert [line["iter"] for line in read_log(log.path)] == [5, 6]


def test_other_processes_write_nothing(tmp_path):
    RunLog(tmp_path, enabled=False).write("train", 1, 1)
    assert list(tmp_path.iterdir()) == []


def test_plain_values_are_json():
    values = {"a": np.arange(2), 3: (1.0, float("inf")), "b": np.float32(0.5), "c": None}
    assert json.loads(json.dumps(plain_values(values), allow_nan=False)) == {
        "a": [0, 1],
        "3": [1.0, None],
        "b": 0.5,
        "c": None,
    }


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_tensorboard_events(tmp_path):
    pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")
    log = RunLog(tmp_path, tensorboard=True)
    log.write("train", 1, 1, loss=0.5)
    log.close()
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [event.value for event in events.Scalars("train/loss")] == [0.5]
