import re

import pytest
import torch

from ssseg.modules import BuildLoggerHandle, TrainingLoggingManager, TrainTimer
from ssseg.modules.utils.errors import ResourceError, UnknownNameError


def test_lines_have_time_level_and_message(tmp_path, capsys):
    handle = BuildLoggerHandle({"type": "LocalLoggerHandle", "logfilepath": str(tmp_path / "new" / "run.log")})
    handle.info("hello")
    handle.warning("careful")
    handle.close()
    lines = (tmp_path / "new" / "run.log").read_text().splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO  hello", lines[0])
    assert lines[1].endswith("WARNING  careful")
    assert capsys.readouterr().err.splitlines() == lines


def test_no_file_is_needed():
    BuildLoggerHandle({"type": "LocalLoggerHandle", "logfilepath": ""}).info("hello")


def test_a_log_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match=r"logfilepath.*cannot write"):
        BuildLoggerHandle({"type": "LocalLoggerHandle", "logfilepath": str(tmp_path / "file" / "run.log")})


def test_unknown_handle():
    with pytest.raises(UnknownNameError, match=r"Did you mean 'LocalLoggerHandle'"):
        BuildLoggerHandle({"type": "LocalLogerHandle"})


def facts(iteration):
    return {"cur_iter": iteration, "cur_epoch": 1, "cur_iter_in_cur_epoch": iteration, "max_iters_in_cur_epoch": 4}


def test_means_over_the_interval(tmp_path, capsys):
    path = tmp_path / "run.log"
    manager = TrainingLoggingManager(
        log_interval_iters=2, logger_handle_cfg={"type": "LocalLoggerHandle", "logfilepath": str(path)}
    )
    shown = []
    for iteration, loss in enumerate([1.0, 3.0, 5.0, 7.0], start=1):
        manager.update(facts(iteration), {"loss_cls": torch.tensor(loss)})
        shown.append(manager.autolog())
    assert [line and line["loss_cls"] for line in shown] == [None, 2.0, None, 6.0]
    assert "'loss_cls': 2.0" in path.read_text()
    assert capsys.readouterr().err == ""  # the progress bar shows these numbers
    manager.logger_handle.close()


def test_interval_in_epochs_ends_with_the_epoch():
    manager = TrainingLoggingManager(log_interval_epochs=1)
    due = []
    for iteration in range(1, 5):
        manager.update(facts(iteration), {"loss": 1.0})
        due.append(manager.is_due())
    assert due == [False, False, False, True]


def test_timer_counts():
    timer = TrainTimer()
    assert timer.tick() >= 0
    timer.skip()
    timer.tick()
    assert timer.count == 2
    assert timer.elapsed >= timer.average >= 0
