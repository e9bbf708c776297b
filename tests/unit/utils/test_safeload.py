"""Checkpoints are read as data: right ones as they were saved, damaged and hostile ones not at all."""

import hashlib
import io
import os
import pickle
import resource
import zipfile
from argparse import Namespace
from collections import Counter, OrderedDict, defaultdict

import numpy as np
import pytest
import torch
from torch import nn

from ssseg.modules.utils import CheckpointError
from ssseg.modules.utils.pickle_records import TensorRecord
from ssseg.modules.utils.safeload import load, scan, verify


def saved(tmp_path, contents, **options):
    torch.save(contents, tmp_path / "file.pth", **options)
    return tmp_path / "file.pth"


def archive(tmp_path, pickled, entries=(), root="archive", **options):
    """Write a zip archive with this pickle and these (name, bytes) entries."""
    path = tmp_path / "crafted.pth"
    with zipfile.ZipFile(path, "w", **options) as stream:
        stream.writestr(f"{root}/data.pkl", pickled)
        for name, data in entries:
            stream.writestr(name, data)
    return path


class Call:
    """Pickles as a call of `function`."""

    def __init__(self, function, *arguments, state=None):
        self.result = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.result


class Storage:
    """Pickles as a reference to a storage."""

    def __init__(self, what="storage", kind=torch.FloatStorage, key="0", location="cpu", numel=4):
        self.identity = (what, kind, key, location, numel)


class Pickler(pickle._Pickler):
    def persistent_id(self, item):
        return item.identity if isinstance(item, Storage) else None


def pickled(contents, protocol=2):
    stream = io.BytesIO()
    Pickler(stream, protocol).dump(contents)
    return stream.getvalue()


def tensor(storage=None, offset=0, size=(4,), stride=(1,), *more):
    return Call(
        torch._utils._rebuild_tensor_v2, storage or Storage(), offset, size, stride, False, OrderedDict(), *more
    )


def crafted(tmp_path, contents, nbytes=16):
    return archive(tmp_path, pickled(contents), [("archive/data/0", bytes(nbytes))])


# ---------------------------------------------------------------- what is read


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
        with pytest.raises(CheckpointError, match="saved from cuda:3.*map_to_cpu=True reads it"):
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


# ---------------------------------------------------------------- what is refused: code

PAYLOADS = {
    "os.system": "import os; Call(os.system, command)",
    "os.popen": "import os; Call(os.popen, command)",
    "posix.execv": "import os; Call(os.execv, '/bin/sh', ['sh', '-c', command])",
    "subprocess.Popen": "import subprocess; Call(subprocess.Popen, command, -1, None, None, None, None, None, True, True)",
    "subprocess.getoutput": "import subprocess; Call(subprocess.getoutput, command)",
    "pty.spawn": "import pty; Call(pty.spawn, ['sh', '-c', command])",
    "eval": "Call(eval, code)",
    "exec": "Call(exec, code)",
    "compile": "Call(compile, code, 'x', 'exec')",
    "import": "Call(__import__, 'antigravity')",
    "import_module": "import importlib; Call(importlib.import_module, 'antigravity')",
    "getattr": "Call(getattr, 'x', 'upper')",
    "open": "Call(open, marker, 'w')",
    "io.open": "import io; Call(io.open, marker, 'w')",
    "codecs.open": "import codecs; Call(codecs.open, marker, 'w')",
    "shutil.rmtree": "import shutil; Call(shutil.rmtree, folder)",
    "pathlib": "import pathlib; Call(pathlib.Path.touch, pathlib.PurePosixPath(marker))",
    "runpy": "import runpy; Call(runpy._run_code, code, {})",
    "timeit": "import timeit; Call(timeit.timeit, code)",
    "cProfile": "import cProfile; Call(cProfile.run, code)",
    "pdb": "import pdb; Call(pdb.run, code)",
    "code": "import code as c; Call(c.InteractiveInterpreter)",
    "marshal": "import marshal; Call(marshal.loads, b'')",
    "pickle": "import pickle as p; Call(p.loads, p.dumps(0))",
    "types": "import types; Call(types.SimpleNamespace)",
    "functools": "import functools; Call(functools.partial, print)",
    "operator": "import operator; Call(operator.attrgetter, 'system')",
    "ctypes": "import ctypes; Call(ctypes.CDLL, None)",
    "webbrowser": "import webbrowser; Call(webbrowser.open, 'http://127.0.0.1')",
    "urllib": "import urllib.request; Call(urllib.request.urlopen, 'file:///etc/passwd')",
    "socket": "import socket; Call(socket.create_connection, ('127.0.0.1', 9))",
    "asyncio": "import asyncio; Call(asyncio.create_subprocess_shell, command)",
    "multiprocessing": "import multiprocessing.util as u; Call(u.spawnv_passfds, b'/bin/sh', ['sh'], ())",
    "torch.load": "Call(torch.load, marker)",
    "torch.hub": "import torch.hub; Call(torch.hub.load, folder, 'x')",
    "torch.jit": "import torch.jit; Call(torch.jit.load, marker)",
    "load_from_bytes": "Call(torch.storage._load_from_bytes, b'')",
    "numpy.load": "import numpy as np; Call(np.load, marker)",
    "linecache": "import linecache; Call(linecache.getlines, '/etc/passwd')",
    "logging": "import logging.config; Call(logging.config.listen, 0)",
}


def payload(name, tmp_path):
    marker = str(tmp_path / "marker")
    scope = {"Call": Call, "torch": torch, "marker": marker, "folder": str(tmp_path), "command": f"touch {marker}"}
    scope["code"] = f"import pathlib; pathlib.Path({marker!r}).touch()"
    *imports, expression = PAYLOADS[name].split("; ")
    for line in imports:
        exec(line, scope)
    return eval(expression, scope)


def hiding_places(attack):
    """The places in a pickle where a call may stand."""
    yield attack
    yield {"a": [({"b": attack},)]}
    yield {"a": Call(OrderedDict, attack)}
    yield {"a": Call(OrderedDict, state={"_metadata": attack})}
    yield {"a": tensor(attack)}
    yield {"a": tensor(Storage(), attack)}
    yield {"a": tensor(Storage(what=attack))}
    yield {"a": Call(torch._utils._rebuild_parameter, attack, False, OrderedDict())}


@pytest.mark.parametrize("name", PAYLOADS)
def test_no_payload_runs_wherever_it_hides(tmp_path, name):
    attack = payload(name, tmp_path)
    files = [pickled(contents, protocol) for contents in hiding_places(attack) for protocol in (2, 4)]
    for data in files:
        path = archive(tmp_path, data, [("archive/data/0", bytes(16))])
        for read in (load, scan, verify):
            with pytest.raises(CheckpointError, match=r"crafted\.pth: (names|uses|refers)"):
                read(path)
        bare = tmp_path / "bare.pth"
        bare.write_bytes(data)
        with pytest.raises(CheckpointError, match="is no zip archive"):
            load(bare)
        bare.rename(tmp_path / "bare.safetensors")
        with pytest.raises(CheckpointError):
            load(tmp_path / "bare.safetensors")
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("value", [Namespace(a=1), Counter("a"), defaultdict(list), {1, 2}, nn.Linear(1, 1), print, 1j])
def test_objects_are_refused_by_name(tmp_path, value):
    kind = print if value is print else type(value)
    names = f"{kind.__module__}.{kind.__qualname__}".replace("builtins", "(builtins|__builtin__)")
    with pytest.raises(CheckpointError, match=rf"names '{names}'; a checkpoint may hold tensors, numbers, strings"):
        load(saved(tmp_path, {"a": value}))


@pytest.mark.parametrize(
    "value",
    [
        np.array([print, None], dtype=object),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        np.array(["a"]),
        np.datetime64("2020-01-01"),
    ],
)
def test_numpy_objects_and_records_are_refused(tmp_path, value):
    with pytest.raises(CheckpointError):
        load(saved(tmp_path, {"a": value}))


@pytest.mark.parametrize("value", [torch.FloatStorage, OrderedDict, np.dtype("f8"), torch._utils._rebuild_tensor_v2])
def test_names_that_are_known_are_no_values(tmp_path, value):
    with pytest.raises(CheckpointError, match="holds a .* where a value should be"):
        load(archive(tmp_path, pickled({"a": value})))


@pytest.mark.parametrize("contents", [[1], torch.zeros(2), "text", OrderedDict])
def test_what_is_no_dict_is_refused(tmp_path, contents):
    with pytest.raises(CheckpointError, match=r"holds a .*(not a dict|where a value should be)"):
        load(saved(tmp_path, contents))


# ---------------------------------------------------------------- what is refused: tensors that lie

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
def test_tensors_that_do_not_lie_in_their_storage_are_refused(tmp_path, name):
    path = crafted(tmp_path, {"a": LIES[name]})
    for read in (load, scan, verify):
        with pytest.raises(CheckpointError, match=r"crafted\.pth: "):
            read(path)


# ---------------------------------------------------------------- what is refused: bombs


def chain(links, opening, closing, innermost):
    return b"\x80\x02" + opening * links + innermost + closing * links + b"."


BOMBS = {
    "memo index": b"\x80\x02}r\xff\xff\xff\x7f.",  # fine: the memo is a dict
    "deep lists": b"\x80\x02}X\x01\x00\x00\x00a" + b"]" * 200_000 + b"a" * 199_999 + b"s.",
    "deep tuples": b"\x80\x02}X\x01\x00\x00\x00a)" + b"\x85" * 200_000 + b"s.",
    "deep tuple as a key": b"\x80\x02})" + b"\x85" * 200_000 + b"Ns.",
    "a million keys": b"\x80\x02}(" + b"".join(b"J" + i.to_bytes(4, "little") + b"N" for i in range(600_000)) + b"u.",
    "long string": b"\x80\x04}\x8d" + (2**40).to_bytes(8, "little") + b"a.",
    "long integer": b"\x80\x02}\x8b\xff\xff\xff\x7f.",
    "list that holds itself": b"\x80\x02}X\x01\x00\x00\x00a]q\x00h\x00as.",
    "one operation": b".",
    "two ends": b"\x80\x02}..",
    "too many pops": b"\x80\x02\x85.",
    "open mark": b"\x80\x02}(.",
    "memo without an entry": b"\x80\x02}h\x05.",
    "extension": b"\x80\x02\x82\x01.",
    "inst": b"(ios\nsystem\n.",
    "obj": b"\x80\x02(cos\nsystem\no.",
    "append to a dict": b"\x80\x02}K\x01a.",
    "set an item of a list": b"\x80\x02]K\x01K\x02s.",
    "set an item of a tensor": b"\x80\x02ccollections\nOrderedDict\nK\x01K\x02s.",
    "call a dict": b"\x80\x02})R.",
    "call without a tuple": b"\x80\x02ccollections\nOrderedDict\n]R.",
    "state of a dict": b"\x80\x02}}b.",
}
# each level holds the one before ten times: as a tree it would have 10**40 leaves
BOMBS["laughs"] = (
    b"\x80\x02}X\x01\x00\x00\x00a]q\x00"
    + b"".join(b"](" + b"h%c" % i * 10 + b"eq%c" % (i + 1) for i in range(40))
    + b"s."
)
BOMBS["encode again and again"] = (
    b"\x80\x02}X\x01\x00\x00\x00a(c_codecs\nencode\nq\x00X" + (10**6).to_bytes(4, "little") + b"a" * 10**6 + b"q\x01"
    b"X\x06\x00\x00\x00latin1q\x020" + b"h\x00h\x01h\x02\x86R" * 500 + b"ls."
)


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_defused_in_little_time_and_memory(tmp_path, name):
    path = archive(tmp_path, BOMBS[name])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if name in ("memo index", "laughs"):
        contents = load(path)
        assert contents == {} or len(contents["a"]) == 10
    else:
        with pytest.raises(CheckpointError, match=r"crafted\.pth: "):
            load(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


# ---------------------------------------------------------------- what is refused: archives

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
