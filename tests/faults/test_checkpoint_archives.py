"""Rows K06 and K07: archives that `torch.save` would not write, and tensors that do not lie in their storage."""

import resource
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch

from ssseg.modules.utils import CheckpointError
from ssseg.modules.utils.safeload import load, scan, verify
from tests.faults.children import Child
from tests.unit.utils.crafting import Call, Storage, archive, crafted, pickled, tensor

GOOD = pickled({"a": tensor()})


def test_K06_entries_of_the_same_name_are_refused(tmp_path):
    path = archive(tmp_path, GOOD, [("archive/data/0", bytes(16)), ("archive/data/1", bytes(16))])
    path.write_bytes(path.read_bytes().replace(b"archive/data/1", b"archive/data/0"))
    with pytest.raises(CheckpointError, match=r"holds 'data/0' twice"):
        load(path)


@pytest.mark.parametrize(
    "name", ["other/data/1", "archive/../data/1", "/etc/x", "x", "archive/", "archive//x", "archive/a\\b"]
)
def test_K06_entries_outside_of_the_one_folder_are_refused(tmp_path, name):
    with pytest.raises(CheckpointError, match="outside of its folder 'archive'"):
        load(archive(tmp_path, GOOD, [("archive/data/0", bytes(16)), (name, b"")]))


def test_K06_compressed_entries_are_refused(tmp_path):
    path = archive(tmp_path, GOOD, [("archive/data/0", bytes(16))], compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match=r"holds 'archive/data\.pkl' compressed or encrypted"):
        load(path)


@pytest.mark.parametrize("missing", ["data.pkl", "data/0"])
def test_K06_missing_entries_are_named(tmp_path, missing):
    path = archive(tmp_path, GOOD, [("archive/data/0", bytes(16))])
    path.write_bytes(path.read_bytes().replace(f"archive/{missing}".encode(), f"archive/{'x' * len(missing)}".encode()))
    with pytest.raises(CheckpointError, match=f"lacks its entry '{missing}'"):
        load(path)


def test_K06_a_directory_that_points_into_another_entry_is_refused(tmp_path):
    """Two names for the bytes of one storage: the second one's directory entry points at the first one's header."""
    path = archive(tmp_path, GOOD, [("archive/data/0", bytes(16)), ("archive/data/1", bytes(16))])
    data = bytearray(path.read_bytes())
    entries = [i for i in range(len(data)) if data[i : i + 4] == b"PK\1\2"]
    data[entries[2] + 42 : entries[2] + 46] = data[entries[1] + 42 : entries[1] + 46]
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"crafted\.pth: (does not have|holds) 'archive/data/"):
        load(path)


def test_K06_an_entry_that_is_longer_than_its_place_is_refused(tmp_path):
    path = archive(tmp_path, GOOD, [("archive/data/0", bytes(16)), ("archive/data/1", bytes(16))])
    data = bytearray(path.read_bytes())
    entry = [i for i in range(len(data)) if data[i : i + 4] == b"PK\1\2"][1]
    data[entry + 20 : entry + 28] = (2**20).to_bytes(4, "little") * 2
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"crafted\.pth: (is damaged|holds 'archive/data/0' over another entry)"):
        load(path)


def test_K06_big_endian_files_are_refused(tmp_path):
    path = archive(tmp_path, GOOD, [("archive/data/0", bytes(16)), ("archive/byteorder", b"big")])
    with pytest.raises(CheckpointError, match="was written on a big-endian machine"):
        load(path)


@pytest.mark.parametrize("field", [20, 24])  # the compressed size and the size, in an entry of the directory
@pytest.mark.parametrize("extra", [b"", b"\1\0\x10\0" + (2**60).to_bytes(8, "little") * 2, b"\1\0\xff\xff"])
def test_K06_sizes_that_zip64_makes_up_are_refused(tmp_path, field, extra):
    path = archive(tmp_path, GOOD, [("archive/data/0", bytes(16))])
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"PK\1\2")
    data[entry + field : entry + field + 4] = b"\xff" * 4
    data[entry + 30 : entry + 32] = len(extra).to_bytes(2, "little")
    data[entry + 46 + 14 : entry + 46 + 14] = extra
    end = data.rindex(b"PK\5\6")
    data[end + 12 : end + 16] = (int.from_bytes(data[end + 12 : end + 16], "little") + len(extra)).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"crafted\.pth: "):
        load(path)


LIES = {
    "offset past the end": tensor(Storage(), 1),
    "size past the end": tensor(Storage(), 0, (5,)),
    "stride past the end": tensor(Storage(), 0, (2,), (4,)),
    "two dimensions past the end": tensor(Storage(), 0, (2, 2), (2, 2**62)),
    "negative offset": tensor(Storage(), -1),
    "negative size": tensor(Storage(), 0, (-1,)),
    "negative stride": tensor(Storage(), 3, (4,), (-1,)),
    "terabytes by stride 0": tensor(Storage(), 0, (2**40,), (0,)),
    "size and stride of other lengths": tensor(Storage(), 0, (2, 2), (1,)),
    "hundred dimensions": tensor(Storage(), 0, (1,) * 100, (1,) * 100),
    "numbers without end": tensor(Storage(), 0, (2**2000,) * 60, (2**2000,) * 60),
    "true as a size": tensor(Storage(), 0, (True,)),
    "text as a size": tensor(Storage(), 0, ("4",)),
    "list as a size": tensor(Storage(), 0, [4]),
    "no storage": tensor("storage"),
    "metadata": tensor(Storage(), 0, (4,), (1,), {"conj": True}),
    "longer storage": tensor(Storage(numel=5)),
    "shorter storage": tensor(Storage(numel=3), 0, (3,)),
    "terabytes of storage": tensor(Storage(numel=2**40)),
    "negative storage": tensor(Storage(numel=-4)),
    "storage of another type": tensor(Storage(kind=torch.DoubleStorage)),
    "storage that is no type": tensor(Storage(kind=torch.float32)),
    "storage that is missing": tensor(Storage(key="1")),
    "storage without a name": tensor(Storage(key=0)),
    "storage in another folder": tensor(Storage(key="../data.pkl")),
    "storage somewhere else": tensor(Storage(what="module")),
    "parameter of nothing": Call(torch._utils._rebuild_parameter, 5, False, OrderedDict()),
    "device of a strange kind": Call(torch.device, "cuda:0; rm"),
}


@pytest.mark.parametrize("name", LIES)
def test_K07_tensors_that_do_not_lie_in_their_storage_are_refused(tmp_path, name):
    path = crafted(tmp_path, {"a": LIES[name]})
    for read in (load, scan, verify):
        with pytest.raises(CheckpointError, match=r"crafted\.pth: "):
            read(path)


def test_K07_nothing_is_allocated_for_them(tmp_path):
    def read_all():
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + (128 << 20)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        for lie in LIES.values():
            with pytest.raises(CheckpointError):
                load(crafted(tmp_path, {"a": lie}))

    child = Child(read_all)
    assert child.wait() == 0, child.output
