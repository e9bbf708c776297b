"""Archives that are fine, and archives that want to do harm (rows X01 to X06 of the reliability list)."""

import io
import stat
import tarfile
import warnings
import zipfile

import pytest

from ssseg.modules.utils import archive as module
from ssseg.modules.utils.archive import unpack
from ssseg.modules.utils.errors import ArchiveError, ResourceError
from ssseg.modules.utils.volumes import Volumes

FILES = {"set/a.txt": b"one", "set/sub/b.bin": bytes(range(256)) * 40, "set/empty": b""}


def make_zip(path, files=FILES, compression=zipfile.ZIP_DEFLATED):
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", compression) as archive:
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, content in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, content)
    return path


def make_tar(path, files=FILES, mode="w:gz", extra=()):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items() if isinstance(files, dict) else files:
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o6777
            archive.addfile(info, io.BytesIO(content))
        for info in extra:
            archive.addfile(info)
    return path


def tree(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(path, message, folder=None):
    target = folder or path.parent / "out"
    with pytest.raises(ArchiveError, match=message):
        unpack(path, target)
    assert not target.exists()
    assert not list(target.parent.glob(".ssseg-partial-*"))


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar_archives(tmp_path, mode):
    unpack(make_tar(tmp_path / "a.tar", mode=mode), tmp_path / "out")
    assert tree(tmp_path / "out") == FILES
    assert not (tmp_path / "out" / "set" / "a.txt").stat().st_mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IXUSR)


def test_zip_archives_in_volumes(tmp_path):
    data = make_zip(tmp_path / "a.zip").read_bytes()
    third = len(data) // 3
    volumes = [tmp_path / f"a.zip.00{number}" for number in (1, 2, 3)]
    for path, part in zip(volumes, (data[:third], data[third : 2 * third], data[2 * third :]), strict=True):
        path.write_bytes(part)
    unpack(volumes, tmp_path / "out")
    assert tree(tmp_path / "out") == FILES


def test_volumes_are_read_as_one(tmp_path):
    for name, content in (("1", b"abc"), ("2", b""), ("3", b"defg")):
        (tmp_path / name).write_bytes(content)
    with Volumes([tmp_path / name for name in "123"]) as volumes:
        assert io.BufferedReader(volumes).read() == b"abcdefg"
    with Volumes([tmp_path / name for name in "123"]) as volumes:
        assert (volumes.seek(-5, 2), volumes.read(2), volumes.seek(1, 1), volumes.read(9)) == (2, b"c", 4, b"efg")
        with pytest.raises(ValueError, match="before the beginning"):
            volumes.seek(-1)


def test_a_format_that_needs_a_tool(tmp_path):
    (tmp_path / "a").write_bytes(b"Rar!\x1a\x07\x00" + bytes(50))
    refused(tmp_path / "a", "only the program unrar can unpack this format: `unrar x ")


def test_the_folder_must_be_new_and_the_disk_large_enough(tmp_path, monkeypatch):
    path = make_zip(tmp_path / "a.zip")
    (tmp_path / "out").mkdir()
    with pytest.raises(ResourceError, match="out: exists already; nothing is unpacked over it"):
        unpack(path, tmp_path / "out")
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 100}))
    with pytest.raises(ResourceError, match="does not fit on the disk"):
        unpack(path, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_locked_member_says_so(tmp_path):
    path = make_zip(tmp_path / "a.zip", {"a": b"1"})
    data = bytearray(path.read_bytes())
    data[6] |= 1  # encrypted, in the local header and in the directory
    data[data.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)
    refused(path, "password")
