"""Rows X01 to X06: archives that want to do harm. Nothing outside of the folder is written, and nothing is left."""

import os
import resource
import stat
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from ssseg.modules.utils import archive as module
from ssseg.modules.utils.archive import unpack
from tests.faults.children import Child
from tests.unit.utils.test_archive import make_tar, make_zip, refused

OUTSIDE = ["../x", "a/../../x", "/x", "C:\\x", "C:/x", "..\\x", "a\\..\\x", "..", "a/\nb"]


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize("name", OUTSIDE)
def test_X01_members_outside(tmp_path, make, name):
    inner = tmp_path / "deep"
    inner.mkdir()
    refused(make(tmp_path / "a", {"ok.txt": b"1", name: b"2"}), "a member would be written outside", inner / "out")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "deep"]


def test_X01_a_nul_in_a_name(tmp_path):
    path = make_zip(tmp_path / "a.zip", {"okXbad": b"1"})
    path.write_bytes(path.read_bytes().replace(b"okXbad", b"ok\0bad"))
    refused(path, "outside its folder")


LINKS = {
    "to a file elsewhere": (tarfile.SYMTYPE, "/etc/passwd"),
    "to a folder elsewhere": (tarfile.SYMTYPE, "../.."),
    "to a file inside": (tarfile.SYMTYPE, "ok.txt"),
    "hard, to a file elsewhere": (tarfile.LNKTYPE, "../secret"),
    "hard, to a file inside": (tarfile.LNKTYPE, "ok.txt"),
}
DEVICES = {"character": tarfile.CHRTYPE, "block": tarfile.BLKTYPE, "fifo": tarfile.FIFOTYPE, "sparse": b"S"}


def entry(kind, link="", name="entry"):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.mark.parametrize("name", LINKS)
def test_X02_links_are_refused_before_anything_is_written_through_them(tmp_path, name):
    """CVE-2007-4559, CVE-2024-12718, CVE-2025-4138, CVE-2025-4517."""
    inner = tmp_path / "deep"
    inner.mkdir()
    path = tmp_path / "a.tar.gz"
    through = tarfile.TarInfo("entry/written.txt")
    make_tar(path, {"ok.txt": b"1"}, extra=[entry(*LINKS[name]), through])
    refused(path, "'entry' is a link or a device", inner / "out")
    assert sorted(entry.name for entry in tmp_path.rglob("*")) == ["a.tar.gz", "deep"]


@pytest.mark.parametrize("name", DEVICES)
def test_X03_devices_are_refused(tmp_path, name):
    refused(make_tar(tmp_path / "a.tar.gz", extra=[entry(DEVICES[name])]), "'entry' is a link or a device")


def test_X03_bits_and_owners_are_not_taken_over(tmp_path):
    info = tarfile.TarInfo("tool")
    info.mode, info.uid, info.gid, info.uname, info.mtime = 0o6777, 12345, 12345, "root", 10**9
    unpack(make_tar(tmp_path / "a.tar.gz", {}, extra=[info]), tmp_path / "out")
    status = (tmp_path / "out" / "tool").stat()
    assert not status.st_mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IXUSR)
    assert (status.st_uid, status.st_gid) == (os.getuid(), os.getgid())


def test_X02_links_in_zip(tmp_path):
    info = zipfile.ZipInfo("entry")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    refused(make_zip(tmp_path / "a.zip", [(info, "/etc/passwd")]), "'entry' is a link or a device")


def test_X04_bombs(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_ALLOWANCE", 1 << 10)
    zeros = {"zeros": bytes(1 << 22)}
    refused(make_zip(tmp_path / "a.zip", zeros), "unpacks to more than 100 times its size")
    refused(make_tar(tmp_path / "a.tar.gz", zeros), "unpacks to more than 100 times its size")
    monkeypatch.setattr(module, "MAX_MEMBERS", 2)
    refused(make_zip(tmp_path / "b.zip"), "holds more than 2 members")
    refused(make_tar(tmp_path / "b.tar.gz"), "holds more than 2 members")


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a/x", "A/x"], "'a' and 'A' differ in case only"),
        (["é", "e\u0301"], "differ in case only"),
        (["a", "a"], "'a' is there twice"),
        (["a", "a/b"], "'a/b' is there twice, or is a file and a folder"),
        (["a/b", "a"], "'a' is there twice, or is a file and a folder"),
    ],
)
def test_X05_members_that_clash(tmp_path, make, names, message):
    refused(make(tmp_path / "a", [(name, b"1") for name in names]), message)


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_X06_archives_that_are_cut_short(tmp_path, make):
    data = make(tmp_path / "whole").read_bytes()
    for length in [*range(0, len(data), 50), len(data) - 1]:
        (tmp_path / "cut").write_bytes(data[:length])
        refused(tmp_path / "cut", "the archive is damaged, or of no known kind")


def test_X06_a_plain_tar_that_is_cut_between_members(tmp_path):
    data = make_tar(tmp_path / "whole", mode="w").read_bytes()
    for length in range(512, len(data.rstrip(b"\0")), 512):
        (tmp_path / "cut").write_bytes(data[:length])
        refused(tmp_path / "cut", "the archive is damaged")


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_X06_a_flipped_byte(tmp_path, make):
    data = bytearray(make(tmp_path / "a").read_bytes())
    data[len(data) // 3] ^= 0xFF
    (tmp_path / "a").write_bytes(data)
    refused(tmp_path / "a", "the archive is damaged")


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_X04_an_archive_in_an_archive_stays_one(tmp_path, make):
    inner = make_zip(tmp_path / "inner.zip", {"zeros": bytes(1 << 20)}).read_bytes()
    unpack(make(tmp_path / "a", {"inner.zip": inner}), tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").rglob("*")) == ["inner.zip"]


def test_X04_entries_that_share_their_bytes_are_refused(tmp_path):
    """The directory names one member a hundred times."""
    path = make_zip(tmp_path / "a.zip", {f"file{number:03d}": bytes(1 << 16) for number in range(100)})
    data = bytearray(path.read_bytes())
    places = [at for at in range(len(data)) if data[at : at + 4] == b"PK\1\2"]
    first = struct.unpack_from("<I", data, places[0] + 42)
    for place in places:
        struct.pack_into("<I", data, place + 42, *first)
    path.write_bytes(data)
    refused(path, "the archive is damaged, or of no known kind")


@pytest.mark.faults
@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_X04_a_bomb_costs_little_memory_and_a_bounded_part_of_the_disk(tmp_path, make):
    zeros = make(tmp_path / "a", {"zeros": bytes(400 << 20)})

    def run():
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + (64 << 20)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        unpack(zeros, tmp_path / "out")

    child = Child(run)
    assert child.wait() == 4, child.output
    assert "unpacks to more than 100 times its size" in child.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]
