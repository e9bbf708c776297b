"""Archives that `torch.save` would not write are refused before anything in them is believed."""

import zipfile

import pytest

from ssseg.modules.utils import CheckpointError
from ssseg.modules.utils.safeload import load

from .crafting import archive, pickled, tensor

GOOD = pickled({"a": tensor()})


def test_entries_of_the_same_name_are_refused(tmp_path):
    path = archive(tmp_path, GOOD, [("archive/data/0", bytes(16)), ("archive/data/1", bytes(16))])
    path.write_bytes(path.read_bytes().replace(b"archive/data/1", b"archive/data/0"))
    with pytest.raises(CheckpointError, match=r"holds 'data/0' twice"):
        load(path)


@pytest.mark.parametrize(
    "name", ["other/data/1", "archive/../data/1", "/etc/x", "x", "archive/", "archive//x", "archive/a\\b"]
)
def test_entries_outside_of_the_one_folder_are_refused(tmp_path, name):
    with pytest.raises(CheckpointError, match="outside of its folder 'archive'"):
        load(archive(tmp_path, GOOD, [("archive/data/0", bytes(16)), (name, b"")]))


def test_compressed_entries_are_refused(tmp_path):
    path = archive(tmp_path, GOOD, [("archive/data/0", bytes(16))], compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match=r"holds 'archive/data\.pkl' compressed or encrypted"):
        load(path)


@pytest.mark.parametrize("missing", ["data.pkl", "data/0"])
def test_missing_entries_are_named(tmp_path, missing):
    path = archive(tmp_path, GOOD, [("archive/data/0", bytes(16))])
    path.write_bytes(path.read_bytes().replace(f"archive/{missing}".encode(), f"archive/{'x' * len(missing)}".encode()))
    with pytest.raises(CheckpointError, match=f"lacks its entry '{missing}'"):
        load(path)


def test_a_directory_that_points_into_another_entry_is_refused(tmp_path):
    """Two names for the bytes of one storage: the second one's directory entry points at the first one's header."""
    path = archive(tmp_path, GOOD, [("archive/data/0", bytes(16)), ("archive/data/1", bytes(16))])
    data = bytearray(path.read_bytes())
    entries = [i for i in range(len(data)) if data[i : i + 4] == b"PK\1\2"]
    data[entries[2] + 42 : entries[2] + 46] = data[entries[1] + 42 : entries[1] + 46]
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"crafted\.pth: (does not have|holds) 'archive/data/"):
        load(path)


def test_an_entry_that_is_longer_than_its_place_is_refused(tmp_path):
    path = archive(tmp_path, GOOD, [("archive/data/0", bytes(16)), ("archive/data/1", bytes(16))])
    data = bytearray(path.read_bytes())
    entry = [i for i in range(len(data)) if data[i : i + 4] == b"PK\1\2"][1]
    data[entry + 20 : entry + 28] = (2**20).to_bytes(4, "little") * 2
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"crafted\.pth: (is damaged|holds 'archive/data/0' over another entry)"):
        load(path)


def test_big_endian_files_are_refused(tmp_path):
    path = archive(tmp_path, GOOD, [("archive/data/0", bytes(16)), ("archive/byteorder", b"big")])
    with pytest.raises(CheckpointError, match="was written on a big-endian machine"):
        load(path)
