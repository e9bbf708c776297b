"""Checkpoints are read as they were saved; other files than expected, and damaged ones, are refused."""

import hashlib
import os
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from ssseg.modules.utils import CheckpointError
from ssseg.modules.utils.pickle_records import TensorRecord
from ssseg.modules.utils.safeload import load, scan, verify

from .crafting import Call, Storage, crafted, tensor


def saved(tmp_path, contents, **options):
    torch.save(contents, tmp_path / "file.pth", **options)
    return tmp_path / "file.pth"


def assert_same(got, want):
    assert type(got) is type(want)
    if isinstance(want, dict):
        assert list(got) == list(want)
        for key in want:
            assert_same(got[key], want[key])
    elif isinstance(want, (list, tuple)):
        assert len(got) == len(want)
        for a, b in zip(got, want, strict=True):
            assert_same(a, b)
    elif isinstance(want, torch.Tensor):
        assert got.dtype == want.dtype
        assert got.shape == want.shape
        assert got.stride() == want.stride()
        assert torch.equal(got.contiguous().view(-1).view(torch.uint8), want.contiguous().view(-1).view(torch.uint8))
    else:
        assert got == want


def test_a_training_state_comes_back_as_it_was(tmp_path):
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.randn(2, 3, 8, 8)).sum().backward()
    optimizer.step()
    contents = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "cur_iter": 1}
    got = load(saved(tmp_path, contents))
    assert_same(got, contents)
    assert got["model"]._metadata == contents["model"]._metadata


DTYPES = "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool complex64 complex128 uint16 float8_e4m3fn"


@pytest.mark.parametrize("dtype", [getattr(torch, name) for name in DTYPES.split()], ids=str)
def test_every_dtype_is_read(tmp_path, dtype):
    contents = {"a": torch.randint(0, 2, (3, 4)).to(dtype), "empty": torch.empty(0, 3, dtype=dtype)}
    assert_same(load(saved(tmp_path, contents)), contents)


@pytest.mark.parametrize("protocol", [2, 4])
def test_plain_values_are_read(tmp_path, protocol):
    contents = {
        "none": None,
        "numbers": [True, -3, 2**70, 1.5, float("inf")],
        "words": ("x", "ü", b"\xff\x00"),
        "torch": (torch.Size((1, 2)), torch.float16, torch.device("cuda", 1), torch.device("cpu")),
        "empty": ({}, [], (), OrderedDict()),
        "strided": torch.arange(12.0).reshape(3, 4).T,
        "scalar": torch.tensor(3.0),
        5: {"int key": 1, 2.5: 2, None: 3},
    }
    assert_same(load(saved(tmp_path, contents, pickle_protocol=protocol)), contents)


def test_numpy_numbers_and_arrays_of_published_files_are_read(tmp_path):
    contents = {
        "f": np.float64(1.5),
        "i": np.int32(-2),
        "b": np.bool_(True),
        "a": np.arange(6, dtype=">i2").reshape(2, 3),
    }
    contents["fortran"] = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    got = load(saved(tmp_path, contents))
    assert (got["f"], got["i"], got["b"]) == (1.5, -2, True)
    assert all(type(got[name]) in (float, int, bool) for name in "fib")
    for name in ("a", "fortran"):
        np.testing.assert_array_equal(got[name], contents[name])
        assert got[name].dtype == contents[name].dtype


def test_shared_memory_stays_shared_and_parameters_become_tensors(tmp_path):
    base, parameter = torch.arange(10.0), nn.Parameter(torch.ones(2))
    got = load(saved(tmp_path, {"base": base, "view": base[2:5], "same": base, "parameter": parameter}))
    assert got["same"] is got["base"]
    got["base"].zero_()
    assert got["view"].tolist() == [0, 0, 0]
    assert type(got["parameter"]) is torch.Tensor
    assert got["parameter"].tolist() == [1, 1]


def test_scan_tells_shapes_without_reading_storages(tmp_path):
    path = saved(tmp_path, {"a": torch.zeros(1000, 3), "n": 5})
    with zipfile.ZipFile(path) as stream:
        start = stream.getinfo("file/data/0").header_offset
    data = bytearray(path.read_bytes())
    data[start + 500] ^= 1  # damages the storage
    path.write_bytes(data)
    contents = scan(path)
    assert isinstance(contents["a"], TensorRecord)
    assert (contents["a"].shape, contents["a"].dtype, contents["n"]) == ((1000, 3), torch.float32, 5)
    for read in (load, verify):
        with pytest.raises(CheckpointError, match=r"file\.pth: has a wrong checksum in its entry 'data/0'"):
            read(path)


def test_verify_accepts_what_load_reads(tmp_path):
    verify(saved(tmp_path, {"a": torch.randn(400_000), "b": [torch.zeros(3)]}))


def test_a_gpu_checkpoint_is_read_on_the_cpu(tmp_path):
    path = crafted(tmp_path, {"a": tensor(Storage(location="cuda:3"))})
    assert load(path)["a"].device.type == "cpu"
    if not torch.cuda.is_available():
        with pytest.raises(CheckpointError, match=r"saved from cuda:3.*map_to_cpu=True reads it"):
            load(path, map_to_cpu=False)


def test_safetensors_are_read_and_damaged_ones_refused(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "file.safetensors"
    save_file({"a": torch.arange(3.0)}, path)
    assert load(path)["a"].tolist() == [0, 1, 2]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match=r"file\.safetensors: is damaged, or not of the safetensors format"):
        load(path)


# ---------------------------------------------------------------- hashes and the old format


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_an_old_file_is_read_only_with_its_hash(tmp_path):
    contents = {"a": torch.arange(3.0)}
    path = saved(tmp_path, contents, _use_new_zipfile_serialization=False)
    with pytest.raises(CheckpointError, match=r"file\.pth: is no zip archive; .* only when their hash is known"):
        load(path)
    assert_same(load(path, expected_sha256_prefix=digest(path)[:8]), contents)


def test_another_file_than_expected_is_refused(tmp_path):
    path = saved(tmp_path, {"a": 1})
    assert load(path, expected_sha256_prefix=digest(path)[:12].upper()) == {"a": 1}
    with pytest.raises(
        CheckpointError, match=rf"file\.pth: is another file than expected: its SHA-256 is {digest(path)}"
    ):
        load(path, expected_sha256_prefix="0" * 8)
    with pytest.raises(CheckpointError, match="shorter than 8 digits"):
        load(path, expected_sha256_prefix=digest(path)[:7])


def test_an_old_file_with_a_payload_does_not_run_even_with_its_hash(tmp_path):
    marker = tmp_path / "marker"
    path = saved(tmp_path, {"a": Call(os.system, f"touch {marker}")}, _use_new_zipfile_serialization=False)
    with pytest.raises(CheckpointError, match="is of a format that cannot be read safely"):
        load(path, expected_sha256_prefix=digest(path))
    assert not marker.exists()


@pytest.mark.parametrize(
    "data", [b"", b"PK", b"PK\3\4", b"<html>404</html>", b"\0" * 100, zipfile.stringEndArchive * 10]
)
def test_what_is_no_archive_is_refused(tmp_path, data):
    (tmp_path / "file.pth").write_bytes(data)
    with pytest.raises(CheckpointError, match=r"file\.pth: is (no zip archive|damaged)"):
        load(tmp_path / "file.pth")


def test_missing_files_folders_and_empty_archives_are_errors(tmp_path):
    with pytest.raises(CheckpointError, match=r"gone\.pth: cannot be read: No such file"):
        load(tmp_path / "gone.pth")
    with pytest.raises(CheckpointError, match="cannot be read: Is a directory"):
        load(tmp_path)
    with zipfile.ZipFile(tmp_path / "empty.pth", "w"):
        pass
    with pytest.raises(CheckpointError, match="is no zip archive"):
        load(tmp_path / "empty.pth")
