"""Checkpoint files: whole or not there, found again, and only as many as wanted."""

import os
import warnings
from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from ssseg.modules.utils import CheckpointError, ConfigError, ResourceError, loadckpts, saveckpts
from ssseg.modules.utils.checkpoint import keep_last

LATEST = "checkpoints-epoch-latest.pth"


def state(cur_iter, size=2000):
    return {"cur_epoch": cur_iter // 10, "cur_iter": cur_iter, "model": OrderedDict(a=torch.full((size,), cur_iter))}


def save(folder, name, cur_iter):
    path = folder / f"checkpoints-{name}.pth"
    saveckpts(state(cur_iter), path)
    os.utime(path, ns=(0, 10**9))  # as if all were written in one moment


def written_last(folder, *names):
    for second, name in enumerate(names, start=2):
        os.utime(folder / f"checkpoints-{name}.pth", ns=(0, second * 10**9))


def damage(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)


def with_attribute():
    result = torch.zeros(2)
    result.note = "pickled with the tensor"
    return result


# ---------------------------------------------------------------- saving


def test_a_checkpoint_is_saved_with_a_relative_link(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    save(tmp_path / "run", "epoch-1", 10)
    saveckpts(state(20), "run/checkpoints-epoch-2.pth", verify=True)
    assert os.readlink(f"run/{LATEST}") == "checkpoints-epoch-2.pth"
    assert sorted(os.listdir("run")) == ["checkpoints-epoch-1.pth", "checkpoints-epoch-2.pth", LATEST]
    (tmp_path / "run").rename(tmp_path / "moved")
    assert loadckpts(f"moved/{LATEST}")["cur_iter"] == 20


def test_the_link_can_stand_elsewhere_or_be_left_out(tmp_path):
    saveckpts(state(1), tmp_path / "a.pth", make_soft_link=False)
    assert os.listdir(tmp_path) == ["a.pth"]
    saveckpts(state(1), tmp_path / "a.pth", soft_link_dst=tmp_path / "newest.pth")
    assert os.readlink(tmp_path / "newest.pth") == "a.pth"


def test_where_links_are_not_possible_the_checkpoint_is_there_all_the_same(tmp_path, monkeypatch):
    def refuse(*args):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "symlink", refuse)
    with pytest.warns(UserWarning, match=r"Operation not permitted; name checkpoints-epoch-1\.pth itself"):
        save(tmp_path, "epoch-1", 10)
    with pytest.warns(UserWarning, match=r"checkpoints-epoch-1\.pth, the newest checkpoint that can be read, is taken"):
        assert loadckpts(tmp_path / LATEST)["cur_iter"] == 10


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (np.float64(1.0), r"ckpts\['a'\]\['b'\]\[1\] is a numpy\.float64; a checkpoint holds tensors"),
        (np.zeros(2), r"ckpts\['a'\]\['b'\]\[1\] is a numpy\.ndarray"),
        ({1, 2}, r"ckpts\['a'\]\['b'\]\[1\] is a set"),
        (print, r"ckpts\['a'\]\['b'\]\[1\] is a builtin_function_or_method"),
        (nn.Linear(1, 1), r"is a torch\.nn\.modules\.linear\.Linear"),
        (nn.Parameter(torch.zeros(1)), r"is a torch\.nn\.parameter\.Parameter"),
        (torch.zeros(1).expand(5), r"ckpts\['a'\]\['b'\]\[1\] is an expanded tensor; save its \.contiguous\(\)"),
        (torch.zeros(2, 2).to_sparse(), r"is a tensor of a kind that is not saved: torch\.sparse_coo"),
        (torch.zeros(2, device="meta"), r"is a tensor of a kind that is not saved"),
        (with_attribute(), r"is a tensor of a kind that is not saved"),
        (torch.zeros(2, dtype=torch.complex64).conj(), r"is a tensor of a kind that is not saved"),
        ({(1, 2): 3}, r"ckpts\['a'\]\['b'\]\[1\] has the key \(1, 2\)"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(tmp_path, value, reason):
    with pytest.raises(CheckpointError, match=reason):
        saveckpts({"a": {"b": [0, value]}}, tmp_path / "a.pth")
    assert os.listdir(tmp_path) == []


def test_a_dict_that_holds_itself_is_an_error(tmp_path):
    contents = {}
    contents["a"] = contents
    with pytest.raises(CheckpointError, match=r"a\.pth: cannot be written: ckpts is nested too deep, or holds itself"):
        saveckpts(contents, tmp_path / "a.pth")


def test_a_disk_that_is_too_small_is_noticed_before_writing(tmp_path, monkeypatch):
    from ssseg.modules.utils import files

    save(tmp_path, "epoch-1", 10)
    usage = files.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(files.shutil, "disk_usage", lambda folder: usage._replace(free=1_000_000))
    saveckpts({"a": torch.zeros(200_000)}, tmp_path / "fits.pth", make_soft_link=False)
    with pytest.raises(ResourceError, match=r"epoch-2\.pth: .*full: [\d,]+ bytes are needed, 1,000,000 are free"):
        saveckpts({"a": torch.zeros(250_000)}, tmp_path / "checkpoints-epoch-2.pth")
    assert sorted(os.listdir(tmp_path)) == ["checkpoints-epoch-1.pth", LATEST, "fits.pth"]
    assert loadckpts(tmp_path / LATEST)["cur_iter"] == 10


def test_shared_storages_count_once(tmp_path, monkeypatch):
    from ssseg.modules.utils import files

    usage, shared = files.shutil.disk_usage(tmp_path), torch.zeros(200_000)
    monkeypatch.setattr(files.shutil, "disk_usage", lambda folder: usage._replace(free=1_000_000))
    saveckpts({"a": shared, "b": shared[5:], "c": shared}, tmp_path / "a.pth")
    assert (tmp_path / "a.pth").stat().st_size < 900_000


# ---------------------------------------------------------------- loading


def test_a_missing_checkpoint_is_an_error_with_the_nearest_name(tmp_path):
    """K01."""
    save(tmp_path, "epoch-44", 440)
    with pytest.raises(CheckpointError, match=r"there is no such.*Did you mean 'checkpoints-epoch-44\.pth'"):
        loadckpts(tmp_path / "checkpoints-epoch-45.pth")
    with pytest.raises(CheckpointError, match=r"no such checkpoint, and no folder .*wrong"):
        loadckpts(tmp_path / "wrong" / "checkpoints-epoch-44.pth")
    with pytest.raises(CheckpointError, match=r"is a folder; .* There are: checkpoints-epoch-44\.pth"):
        loadckpts(tmp_path)


def test_latest_falls_back_to_the_newest_that_can_be_read(tmp_path):
    """K02: by the time of writing, then by position in training; not by name."""
    for name, cur_iter in (("epoch-10", 100), ("iter-125", 125), ("epoch-9", 90), ("epoch-14", 140), ("epoch-13", 130)):
        save(tmp_path, name, cur_iter)
    save(tmp_path, "epoch-15", 150)
    damage(tmp_path / "checkpoints-epoch-15.pth")
    damage(tmp_path / "checkpoints-epoch-14.pth")
    (tmp_path / "checkpoints-epoch-13.pth").write_bytes(b"")
    with pytest.warns(UserWarning, match=r"latest\.pth: has a wrong checksum.*; checkpoints-iter-125\.pth, the newest"):
        assert loadckpts(tmp_path / LATEST)["cur_iter"] == 125
    written_last(tmp_path, "epoch-9", "epoch-14")
    with pytest.warns(UserWarning, match=r"checkpoints-epoch-9\.pth, the newest"):
        assert loadckpts(tmp_path / LATEST)["cur_iter"] == 90
    with pytest.raises(CheckpointError, match=r"checkpoints-epoch-15\.pth: has a wrong checksum"):
        loadckpts(tmp_path / "checkpoints-epoch-15.pth")  # a file that was named is read, or nothing


def test_a_dangling_latest_falls_back_and_an_empty_folder_does_not(tmp_path):
    save(tmp_path, "epoch-1", 10)
    save(tmp_path, "epoch-2", 20)
    (tmp_path / "checkpoints-epoch-2.pth").unlink()
    with pytest.warns(UserWarning, match=r"cannot be read: No such file.*checkpoints-epoch-1\.pth, the newest"):
        assert loadckpts(tmp_path / LATEST)["cur_iter"] == 10
    (tmp_path / "checkpoints-epoch-1.pth").unlink()
    with pytest.raises(CheckpointError, match=r"No such file or directory; no other checkpoint beside it can be read"):
        loadckpts(tmp_path / LATEST)


# ---------------------------------------------------------------- keeping


def test_keep_last_deletes_the_oldest_by_position(tmp_path):
    for name, cur_iter in (("epoch-2", 20), ("iter-25", 25), ("epoch-10", 100), ("best", 20), ("epoch-9", 90)):
        save(tmp_path, name, cur_iter)
    save(tmp_path, "epoch-11", 110)
    assert [path.name for path in keep_last(tmp_path, 3)] == ["checkpoints-iter-25.pth", "checkpoints-epoch-2.pth"]
    kept = ["checkpoints-best.pth", "checkpoints-epoch-10.pth", "checkpoints-epoch-11.pth", "checkpoints-epoch-9.pth"]
    assert sorted(os.listdir(tmp_path)) == [*kept, LATEST]
    assert keep_last(tmp_path, 3) == []


def test_keep_last_keeps_what_was_written_last_though_it_is_of_a_run_that_went_back(tmp_path):
    for name, cur_iter in (("epoch-8", 80), ("epoch-9", 90), ("epoch-5", 50), ("epoch-6", 60)):
        save(tmp_path, name, cur_iter)
    written_last(tmp_path, "epoch-5", "epoch-6")
    assert [path.name for path in keep_last(tmp_path, 2)] == ["checkpoints-epoch-9.pth", "checkpoints-epoch-8.pth"]


def test_keep_last_deletes_nothing_while_the_newest_is_damaged(tmp_path):
    for epoch in (1, 2, 3):
        save(tmp_path, f"epoch-{epoch}", epoch)
    damage(tmp_path / "checkpoints-epoch-3.pth")
    with pytest.raises(CheckpointError, match=r"checkpoints-epoch-3\.pth: has a wrong checksum"):
        keep_last(tmp_path, 1)
    assert len(os.listdir(tmp_path)) == 4


@pytest.mark.parametrize("k", [0, -1])
def test_keep_last_keeps_one_or_more(tmp_path, k):
    with pytest.raises(ConfigError, match=rf"keep_last={k} must be 1 or more"):
        keep_last(tmp_path, k)


def test_no_warning_where_nothing_is_wrong(tmp_path):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        save(tmp_path, "epoch-1", 10)
        loadckpts(tmp_path / LATEST)
    assert caught == []
