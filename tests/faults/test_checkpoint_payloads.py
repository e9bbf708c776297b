"""Rows K04 and K08: pickles that run something, or cost much, are refused without running and at little cost."""

import resource
from argparse import Namespace
from collections import Counter, OrderedDict, defaultdict

import numpy as np
import pytest
import torch
from torch import nn

from ssseg.modules.utils import CheckpointError
from ssseg.modules.utils.safeload import load
from tests.unit.utils.crafting import Call, Storage, archive, pickled, tensor

PAYLOADS = {
    "os.system": "import os; Call(os.system, command)",
    "os.popen": "import os; Call(os.popen, command)",
    "posix.execv": "import os; Call(os.execv, '/bin/sh', ['sh', '-c', command])",
    "subprocess.Popen": "import subprocess; Call(subprocess.Popen, ['sh', '-c', command])",
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
def test_K04_no_payload_runs_wherever_it_hides(tmp_path, name):
    attack = payload(name, tmp_path)
    for data in [*map(pickled, hiding_places(attack)), pickled(attack, protocol=4)]:
        path = archive(tmp_path, data, [("archive/data/0", bytes(16))])
        with pytest.raises(CheckpointError, match=r"crafted\.pth: (names|uses|refers)"):
            load(path)
        bare = tmp_path / "bare.pth"
        bare.write_bytes(data)
        with pytest.raises(CheckpointError, match="is no zip archive"):
            load(bare)
        bare.rename(tmp_path / "bare.safetensors")
        with pytest.raises(CheckpointError):
            load(tmp_path / "bare.safetensors")
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("value", [Namespace(a=1), Counter("a"), defaultdict(list), {1, 2}, nn.Linear(1, 1), print, 1j])
def test_K04_objects_are_refused_by_name(tmp_path, value):
    kind = print if value is print else type(value)
    names = f"{kind.__module__}.{kind.__qualname__}".replace("builtins", "(builtins|__builtin__)")
    with pytest.raises(CheckpointError, match=rf"names '{names}'; a checkpoint may hold tensors, numbers, strings"):
        load(archive(tmp_path, pickled({"a": value})))


@pytest.mark.parametrize(
    "value",
    [
        np.array([print, None], dtype=object),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        np.array(["a"]),
        np.datetime64("2020-01-01"),
    ],
)
def test_K04_numpy_objects_and_records_are_refused(tmp_path, value):
    with pytest.raises(CheckpointError):
        load(archive(tmp_path, pickled({"a": value})))


@pytest.mark.parametrize("value", [torch.FloatStorage, OrderedDict, np.dtype("f8"), torch._utils._rebuild_tensor_v2])
def test_K04_names_that_are_known_are_no_values(tmp_path, value):
    with pytest.raises(CheckpointError, match=r"holds a .* where a value should be"):
        load(archive(tmp_path, pickled({"a": value})))


@pytest.mark.parametrize("contents", [[1], "text", None, OrderedDict])
def test_K04_what_is_no_dict_is_refused(tmp_path, contents):
    with pytest.raises(CheckpointError, match=r"holds a .*(not a dict|where a value should be)"):
        load(archive(tmp_path, pickled(contents)))


ENTRY = b"}X\x01\x00\x00\x00a"  # a dict, and the key of its entry
HUNDRED_CALLS = b"h\x00h\x01h\x02\x86R" * 100
BOMBS = {
    "deep lists": (b"\x80\x02" + ENTRY + b"]" * 50_000 + b"a" * 49_999 + b"s.", "nested more than 100 deep"),
    "deep tuples": (b"\x80\x02" + ENTRY + b")" + b"\x85" * 50_000 + b"s.", "nested more than 100 deep"),
    "list that holds itself": (b"\x80\x02" + ENTRY + b"]q\x00h\x00as.", "nested more than 100 deep"),
    "deep tuple as a key": (b"\x80\x02})" + b"\x85" * 50_000 + b"Ns.", "has a tuple as the key of a dict"),
    "many keys": (
        b"\x80\x02}(" + b"".join(b"J" + i.to_bytes(4, "little") + b"N" for i in range(600_000)) + b"u.",
        "has more than 1,000,000 pickle operations",
    ),
    "long string": (b"\x80\x04}\x8d" + (2**40).to_bytes(8, "little") + b"a.", "is damaged"),
    "long text": (b"\x80\x04}X" + b"\xff\xff\xff\x7fa.", "is damaged"),
    "long integer": (b"\x80\x02}\x8b\xff\xff\xff\x7f.", "is damaged"),
    "encoding again and again": (
        b"\x80\x02" + ENTRY + b"](c_codecs\nencode\nq\x00X" + (10**6).to_bytes(4, "little") + b"a" * 10**6 + b"q\x01"
        b"X\x06\x00\x00\x00latin1q\x02" + HUNDRED_CALLS + b"es.",
        "has more than 67,108,864 bytes of byte strings",
    ),
    "laughs": (  # each list holds the one before ten times: whoever prints it prints 10 ** 40 leaves
        b"\x80\x02"
        + ENTRY
        + b"](]q\x00"
        + b"".join(b"](" + b"h%c" % i * 10 + b"eq%c" % (i + 1) for i in range(40))
        + b"es.",
        "unfolds to more than 10,000,000 values",
    ),
    "one text again and again": (
        b"\x80\x02"
        + ENTRY
        + b"](X"
        + (10**6).to_bytes(4, "little")
        + b"a" * 10**6
        + b"q\x00"
        + b"h\x00" * 1000
        + b"es.",
        "unfolds to more than 10,000,000 values",
    ),
    "nothing": (b".", "does not end where it should"),
    "two ends": (b"\x80\x02}..", "does not end where it should"),
    "open mark": (b"\x80\x02}(.", "does not end where it should"),
    "too many pops": (b"\x80\x02\x85.", "takes more from its stack than there is"),
    "memo without an entry": (b"\x80\x02}h\x05.", "is damaged"),
    "extension": (b"\x80\x02\x82\x01.", "uses the pickle operation EXT1"),
    "instance": (b"(ios\nsystem\n.", "uses the pickle operation INST"),
    "object": (b"\x80\x02(cos\nsystem\no.", "names 'os.system'"),
    "new object": (b"\x80\x02ccollections\nOrderedDict\n)\x81.", "uses the pickle operation NEWOBJ"),
    "appending to a dict": (b"\x80\x02}K\x01a.", "appends to a dict"),
    "setting an item of a list": (b"\x80\x02]K\x01K\x02s.", "sets items of a list"),
    "setting an item of a function": (b"\x80\x02ccollections\nOrderedDict\nK\x01K\x02s.", "sets items of a Named"),
    "calling a dict": (b"\x80\x02})R.", "calls a dict"),
    "calling without a tuple": (b"\x80\x02ccollections\nOrderedDict\n]R.", "calls a Named"),
    "state of a dict": (b"\x80\x02}}b.", "sets the state of a dict"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_K08_bombs_are_defused_in_little_time_and_memory(tmp_path, name):
    data, reason = BOMBS[name]
    path = archive(tmp_path, data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CheckpointError, match=rf"crafted\.pth: .*{reason}"):
        load(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_K08_a_memo_that_names_a_far_place_costs_little(tmp_path):
    data = ENTRY + b"Nr\xff\xff\xff\x7fs."  # the C unpickler would make a memo of two thousand million places
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert list(load(archive(tmp_path, b"\x80\x02" + data))) == ["a"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB
