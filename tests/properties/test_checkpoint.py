"""Laws of checkpoints: what is saved comes back; a damaged file comes back the same or not at all."""

import functools
import io
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssseg.modules.utils import CheckpointError, saveckpts
from ssseg.modules.utils.safeload import load


def equal(a, b):
    """Equal in types, order, dtypes and bytes."""
    if type(a) is not type(b):
        return False
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and a.numpy().tobytes() == b.numpy().tobytes()
    if isinstance(a, dict):
        return list(a) == list(b) and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b or (a != a and b != b)


tensors = st.builds(
    lambda shape, dtype, seed: torch.from_numpy(np.random.RandomState(seed).randint(0, 9, shape)).to(dtype),
    st.lists(st.integers(0, 3), max_size=3).map(tuple),
    st.sampled_from([torch.float32, torch.float16, torch.int64, torch.uint8, torch.bool]),
    st.integers(0, 2**31),
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | tensors
keys = st.text() | st.integers()
trees = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(keys, inner) | st.lists(inner).map(tuple), max_leaves=8
)


@given(contents=st.dictionaries(keys, trees, max_size=4))
def test_what_is_saved_comes_back(tmp_path_factory, contents):
    path = tmp_path_factory.mktemp("saved") / "file.pth"
    saveckpts(contents, path, make_soft_link=False, verify=True)
    assert equal(load(path), contents)


@functools.cache
def original():
    """A small training state, as it is saved, and its bytes."""
    parameter = torch.arange(12.0).reshape(3, 4)
    contents = {
        "cur_epoch": 3,
        "cur_iter": 120,
        "model": {"backbone_net.weight": parameter, "tied": parameter[1:], "counter": torch.tensor(7)},
        "optimizer": {
            "state": {0: {"step": torch.tensor(3.0), "exp_avg": parameter.half()}},
            "param_groups": [{"lr": 0.1}],
        },
        "ssseg": {"format": 1, "versions": {"torch": "2.13"}, "done": True, "best": None},
    }
    stream = io.BytesIO()
    torch.save(contents, stream)
    return contents, stream.getvalue()


def flipped(data, random):
    data[random.randint(len(data))] ^= 1 << random.randint(8)


def overwritten(data, random):
    start = random.randint(len(data))
    length = min(random.randint(1, 9), len(data) - start)
    data[start : start + length] = random.bytes(length)


def zeroed(data, random):
    start = random.randint(len(data))
    data[start : start + random.randint(1, 65)] = bytes(len(data[start : start + random.randint(1, 65)]))


def truncated(data, random):
    del data[random.randint(len(data)) :]


def removed(data, random):
    start = random.randint(len(data))
    del data[start : start + random.randint(1, 65)]


def doubled(data, random):
    start = random.randint(len(data))
    data[start:start] = data[start : start + random.randint(1, 65)]


def swapped(data, random):
    a, b = random.randint(len(data), size=2)
    data[a : a + 8], data[b : b + 8] = data[b : b + 8], data[a : a + 8]


DAMAGES = [flipped, overwritten, zeroed, truncated, removed, doubled, swapped]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_reads_the_same_or_not_at_all(tmp_path, damage):
    """K02, K03."""
    contents, good = original()
    random, path, refused = np.random.RandomState(DAMAGES.index(damage)), tmp_path / "file.pth", 0
    for _ in range(150):
        data = bytearray(good)
        damage(data, random)
        path.write_bytes(data)
        try:
            got = load(path)
        except CheckpointError:  # any other error fails the test
            refused += 1
        else:
            assert equal(got, contents)
    assert refused > 50


def test_a_file_cut_anywhere_is_refused(tmp_path):
    """K02."""
    _, good = original()
    path = tmp_path / "file.pth"
    for length in range(0, len(good), 23):
        path.write_bytes(good[:length])
        with pytest.raises(CheckpointError):
            load(path)


def test_a_damaged_pickle_in_a_whole_archive_is_an_error_or_a_dict(tmp_path):
    """K04: here the checksums are right, as an attacker's would be."""
    _, good = original()
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        entries = {info.filename: archive.read(info) for info in archive.infolist()}
    random, path, refused = np.random.RandomState(0), tmp_path / "file.pth", 0
    for turn in range(300):
        data = bytearray(entries["archive/data.pkl"])
        DAMAGES[turn % len(DAMAGES)](data, random)
        with zipfile.ZipFile(path, "w") as archive:
            for name, value in {**entries, "archive/data.pkl": bytes(data)}.items():
                archive.writestr(name, value)
        try:
            assert isinstance(load(path), dict)
        except CheckpointError:
            refused += 1
    assert refused > 200
