"""7z archives, in which Cityscapes comes."""

import contextlib
import importlib.util
import io

import py7zr
import pytest

from ssseg.modules.utils import archive as module
from ssseg.modules.utils.archive import unpack
from ssseg.modules.utils.errors import ArchiveError
from tests.unit.utils.test_archive import FILES, refused, tree


def make(path, files=FILES, **options):
    with py7zr.SevenZipFile(path, "w", **options) as archive:
        for name, content in files.items():
            archive.writef(io.BytesIO(content), name)
    return path


def test_a_whole_archive(tmp_path):
    unpack(make(tmp_path / "a.7z"), tmp_path / "out")
    assert tree(tmp_path / "out") == FILES


def test_folders_stay_and_a_folder_of_files_is_taken(tmp_path):
    (tmp_path / "set" / "deep" / "empty").mkdir(parents=True)
    (tmp_path / "set" / "deep" / "a.txt").write_text("a")
    with py7zr.SevenZipFile(tmp_path / "a.7z", "w") as archive:
        archive.writeall(tmp_path / "set", "set")
    unpack(tmp_path / "a.7z", tmp_path / "out")
    assert tree(tmp_path / "out") == {"set/deep/a.txt": b"a"}
    assert (tmp_path / "out" / "set" / "deep" / "empty").is_dir()


def test_volumes(tmp_path):
    data = make(tmp_path / "a.7z").read_bytes()
    volumes = [tmp_path / f"a.7z.00{number}" for number in (1, 2)]
    for path, part in zip(volumes, (data[:60], data[60:]), strict=True):
        path.write_bytes(part)
    unpack(volumes, tmp_path / "out")
    assert tree(tmp_path / "out") == FILES


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/x", "C:x", "a\nb"])
def test_members_outside_the_folder(tmp_path, name):
    path = tmp_path / "a.7z"
    with py7zr.SevenZipFile(path, "w") as archive:
        archive.writef(io.BytesIO(b"x"), "placeholder")
        archive.files[0]._file_info["filename"] = name
    refused(path, "a member would be written outside its folder: ")
    assert not (tmp_path / "x").exists()


def test_members_that_clash(tmp_path):
    refused(make(tmp_path / "a.7z", {"a/B": b"1", "a/b": b"2"}), "differ in case only")


def test_links_are_refused(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "link").symlink_to("/etc/passwd")
    with py7zr.SevenZipFile(tmp_path / "a.7z", "w") as archive:
        archive.writeall(tmp_path / "set", "set")
    refused(tmp_path / "a.7z", "is a link or a device")


def test_a_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_ALLOWANCE", 1 << 16)
    refused(make(tmp_path / "a.7z", {"zeros": bytes(1 << 22)}), "unpacks to more than 100 times its size")


def test_damage(tmp_path):
    data = make(tmp_path / "whole", {"a": bytes(range(256)) * 50}).read_bytes()
    for place in range(0, len(data), 7):
        mutant = bytearray(data)
        mutant[place] ^= 0x55
        (tmp_path / "cut").write_bytes(mutant)
        out = tmp_path / f"out{place}"
        with contextlib.suppress(ArchiveError):
            unpack(tmp_path / "cut", out)
        assert not out.exists() or list(tree(out).values()) == [bytes(range(256)) * 50]
        (tmp_path / "cut").write_bytes(data[:place])
        refused(tmp_path / "cut", "the archive is damaged")


def test_an_archive_with_a_password(tmp_path):
    refused(make(tmp_path / "a.7z", password="secret"), "the archive is damaged, or of no known kind")


def test_without_the_package_the_message_names_it(tmp_path, monkeypatch):
    path = make(tmp_path / "a.7z")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    refused(path, r"takes the package py7zr: pip install 'ssseg\[archives\]'\. Or unpack it yourself: `7z x ")
