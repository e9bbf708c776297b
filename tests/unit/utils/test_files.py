"""Atomic writing: the old file or the whole new one, and nothing beside it."""

import errno
import os
import resource
import signal
import subprocess
import sys

import pytest
import torch

from ssseg.modules.utils import ResourceError, judgefileexist, symlink, touchdir, touchdirs
from ssseg.modules.utils.files import sweep_stale, write_atomically


def fail_at(monkeypatch, function, call, error):
    """Let the `call`-th call (from 0) of `os.<function>` raise `error`; return the list of calls."""
    real, calls = getattr(os, function), []

    def failing(*args, **kwargs):
        calls.append(args)
        if len(calls) == call + 1:
            raise error
        return real(*args, **kwargs)

    monkeypatch.setattr(os, function, failing)
    return calls


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    return path


def test_replaces_the_file_and_leaves_nothing_beside_it(target):
    write_atomically(target, lambda stream: stream.write(b"new"))
    assert target.read_bytes() == b"new"
    assert os.listdir(target.parent) == ["file"]


def test_file_and_folder_are_synced_before_and_after_the_rename(target, monkeypatch):
    events = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *args, name=name, real=real: (events.append(name), real(*args))[1])
    write_atomically(target, lambda stream: stream.write(b"new"))
    assert events == ["fsync", "replace", "fsync"]


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_permissions_come_from_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "file", lambda stream: stream.write(b"x"))
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize("error", [ValueError("mine"), TimeoutError("network"), KeyboardInterrupt()])
def test_what_the_caller_raises_passes_through_and_the_old_file_stays(target, error):
    def write(stream):
        stream.write(b"half")
        raise error

    with pytest.raises(type(error)) as caught:
        write_atomically(target, write)
    assert caught.value is error
    assert target.read_bytes() == b"old"
    assert os.listdir(target.parent) == ["file"]


@pytest.mark.parametrize("function", ["open", "fsync", "replace"])
@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES])
def test_a_system_error_names_the_path_and_leaves_the_old_file(target, monkeypatch, function, number):
    fail_at(monkeypatch, function, 0, OSError(number, os.strerror(number)))
    with pytest.raises(ResourceError, match=rf"file: cannot be written: {os.strerror(number)}"):
        write_atomically(target, lambda stream: stream.write(b"new"))
    assert target.read_bytes() == b"old"
    assert os.listdir(target.parent) == ["file"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_reported_with_the_bytes_needed_and_free(target, monkeypatch, number):
    fail_at(monkeypatch, "fsync", 0, OSError(number, "full"))
    with pytest.raises(ResourceError, match=r"file: .*full: 1,234 bytes are needed, [\d,]+ are free"):
        write_atomically(target, lambda stream: stream.write(b"new"), expected_bytes=1234)
    assert target.read_bytes() == b"old"


def test_too_little_space_is_noticed_before_a_byte_is_written(target):
    def write(stream):
        raise AssertionError("was called")

    with pytest.raises(ResourceError, match=r"1,000,000,000,000,000,000 bytes are needed, [\d,]+ are free"):
        write_atomically(target, write, expected_bytes=10**18)
    assert os.listdir(target.parent) == ["file"]


@pytest.mark.parametrize("limit", [0, 1000, 40_000, 400_000])
def test_torch_save_against_a_size_limit_is_a_resource_error(target, limit):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(ResourceError, match="file: cannot be written: the disk is full"):
            write_atomically(target, lambda f: torch.save({"a": torch.zeros(50_000), "b": torch.ones(60_000)}, f))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert target.read_bytes() == b"old"
    assert os.listdir(target.parent) == ["file"]


def test_a_folder_in_the_way_and_a_missing_folder_are_errors(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(ResourceError, match="folder: cannot be written: it is a folder"):
        write_atomically(tmp_path / "folder", lambda stream: None)
    with pytest.raises(ResourceError, match=r"missing/file: cannot be written: No such file or directory"):
        write_atomically(tmp_path / "missing" / "file", lambda stream: None, expected_bytes=1)


def test_sweep_removes_only_what_was_left_by_interrupted_writes(target):
    code = (
        "import os, sys\n"
        "from ssseg.modules.utils.files import write_atomically\n"
        "write_atomically(sys.argv[1], lambda stream: (stream.write(b'x' * 100_000), os.kill(os.getpid(), 9)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(target)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert target.read_bytes() == b"old"
    assert len(os.listdir(target.parent)) == 2
    assert len(sweep_stale(target.parent)) == 1
    assert os.listdir(target.parent) == ["file"]
    assert sweep_stale(target.parent) == []


def test_link_is_relative_replaces_what_is_there_and_survives_moving(tmp_path, monkeypatch):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "a").write_text("a")
    (folder / "b").write_text("b")
    monkeypatch.chdir(tmp_path)
    symlink("run/a", "run/latest")
    symlink(folder / "b", folder / "latest")
    assert os.readlink(folder / "latest") == "b"
    folder.rename(tmp_path / "moved")
    assert (tmp_path / "moved" / "latest").read_text() == "b"
    (tmp_path / "plain").write_text("a file")
    symlink("moved/a", "plain")
    assert os.readlink(tmp_path / "plain") == "moved/a"


def test_link_over_a_folder_or_where_links_fail_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    with pytest.raises(ResourceError, match="folder: cannot be made a link: it is a folder"):
        symlink(tmp_path / "a", tmp_path / "folder")
    fail_at(monkeypatch, "symlink", 0, PermissionError(errno.EPERM, "Operation not permitted"))
    with pytest.raises(ResourceError, match="latest: cannot be written: Operation not permitted"):
        symlink(tmp_path / "a", tmp_path / "latest")
    assert os.listdir(tmp_path) == ["folder"]


def test_folders_are_made_and_a_file_in_the_way_is_an_error(tmp_path):
    touchdirs(tmp_path / "a" / "b")
    touchdirs(tmp_path / "a" / "b")
    touchdir(tmp_path / "c")
    assert (tmp_path / "a" / "b").is_dir()
    assert (tmp_path / "c").is_dir()
    (tmp_path / "file").touch()
    for make in (touchdir, touchdirs):
        with pytest.raises(ResourceError, match="file: cannot be made a folder: a file has that name"):
            make(tmp_path / "file")
    with pytest.raises(ResourceError, match="y: cannot be made a folder: No such file or directory"):
        touchdir(tmp_path / "x" / "y")
    with pytest.raises(ResourceError, match="inside: cannot be made a folder: Not a directory"):
        touchdirs(tmp_path / "file" / "inside")


def test_judgefileexist_follows_links_and_refuses_folders(tmp_path):
    (tmp_path / "file").touch()
    symlink(tmp_path / "file", tmp_path / "link")
    symlink(tmp_path / "gone", tmp_path / "dangling")
    assert judgefileexist(tmp_path / "file")
    assert judgefileexist(str(tmp_path / "link"))
    assert not judgefileexist(tmp_path / "dangling")
    assert not judgefileexist(tmp_path)
