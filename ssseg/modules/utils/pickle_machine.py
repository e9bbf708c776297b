"""Reads the pickle of a checkpoint as data: nothing in it is run, imported or looked up by its name.

A pickle is a program for a stack machine. `torch.save` uses some thirty of its seventy operations and names some
thirty things. This is a machine for those alone: what they would call makes records, numbers and containers here,
and everything else is refused. Operations: https://docs.python.org/3/library/pickletools.html
"""

import pickletools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from .errors import CheckpointError
from .pickle_records import KNOWN, ArrayRecord, Named, NumpyType, StorageRecord, array_of, count_of

MAX_OPERATIONS = 1_000_000  # a second or two; a thousand layers and their optimizer's state take a tenth of it
MAX_BYTES = 1 << 26  # of strings that calls make: one that is memoized can be encoded over and over


def read_pickle(data: bytes) -> Any:
    """Return what the pickle `data` describes, with records in place of tensors and arrays.

    Raises:
        CheckpointError: the pickle does what no checkpoint needs; the message fits after the file's name.
        ValueError, TypeError, LookupError, AttributeError: the pickle is damaged.
    """
    machine = _Machine()
    for count, (operation, argument, position) in enumerate(pickletools.genops(data)):
        if count >= MAX_OPERATIONS:
            raise CheckpointError(f"has more than {MAX_OPERATIONS:,} pickle operations")
        if operation.name in _CONSTANTS:
            machine.push(argument)
        elif operation.name in _OPERATIONS:
            _OPERATIONS[operation.name](machine, argument)
        elif operation.name != "STOP":
            raise CheckpointError(f"uses the pickle operation {operation.name}, which torch.save does not")
        elif position != len(data) - 1 or len(machine.stack) != 1 or machine.outer:
            raise CheckpointError("has a pickle that does not end where it should")
    return machine.stack[0]


class _Machine:
    """The stack, the stacks below the marks that are open, and the memo. Handlers take an operation's argument."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.outer: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.bytes_made = 0

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise CheckpointError("has a pickle that takes more from its stack than there is")
        items = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return items

    def mark(self, _: Any) -> None:
        self.outer.append(self.stack)
        self.stack = []

    def since_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.outer.pop()
        return items

    def memoize(self, index: Any) -> None:
        self.memo[len(self.memo) if index is None else index] = self.stack[-1]

    def extend(self, items: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise CheckpointError(f"appends to a {type(self.stack[-1]).__name__}")
        self.stack[-1].extend(items)

    def update(self, items: list[Any]) -> None:
        if type(self.stack[-1]) not in (dict, OrderedDict):
            raise CheckpointError(f"sets items of a {type(self.stack[-1]).__name__}")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, (str, int, float, bytes, type(None))):  # hashing a deep tuple would not return
                raise CheckpointError(f"has a {type(key).__name__} as the key of a dict")
            self.stack[-1][key] = value

    def named(self, path: str) -> None:
        if path not in KNOWN:
            raise CheckpointError(f"names {path!r}; a checkpoint may hold tensors, numbers, strings, lists and dicts")
        self.push(KNOWN[path])

    def reduce(self, _: Any) -> None:
        function, arguments = self.pop(2)
        if not isinstance(function, Named) or function.call is None or type(arguments) is not tuple:
            raise CheckpointError(f"calls a {type(function).__name__}")
        value = function.call(*arguments)
        self.bytes_made += len(value) if isinstance(value, bytes) else 0
        if self.bytes_made > MAX_BYTES:
            raise CheckpointError(f"has more than {MAX_BYTES:,} bytes of byte strings")
        self.push(value)

    def build(self, _: Any) -> None:
        (state,) = self.pop(1)
        target = self.stack[-1]
        if type(target) is OrderedDict and type(state) is dict and list(state) == ["_metadata"]:
            target._metadata = state["_metadata"]  # type: ignore[attr-defined]  # the versions of a module's parts
        elif isinstance(target, NumpyType) and type(state) is tuple:
            target.order = state[1] if state[1] in ("<", ">") else "|"
        elif isinstance(target, ArrayRecord) and type(state) is tuple:
            target.array = array_of(*state)
        else:
            raise CheckpointError(f"sets the state of a {type(target).__name__}")

    def stack_global(self, _: Any) -> None:
        module, name = self.pop(2)
        if type(module) is not str or type(name) is not str:
            raise CheckpointError("names something that is no name")
        self.named(f"{module}.{name}")

    def persistent(self, _: Any) -> None:
        ((what, kind, key, location, numel),) = self.pop(1)
        if what != "storage" or not isinstance(kind, Named) or kind.dtype is None:
            raise CheckpointError("refers to something that is no storage")
        if type(key) is not str or type(location) is not str:
            raise CheckpointError("has a storage without a name")
        self.push((StorageRecord(key, count_of(numel) * kind.dtype.itemsize, location), kind.dtype))


_CONSTANTS = set("BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE SHORT_BINUNICODE BINBYTES SHORT_BINBYTES".split())
_OPERATIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "PROTO": lambda machine, _: None,
    "FRAME": lambda machine, _: None,
    "NONE": lambda machine, _: machine.push(None),
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "TUPLE1": lambda machine, _: machine.push(tuple(machine.pop(1))),
    "TUPLE2": lambda machine, _: machine.push(tuple(machine.pop(2))),
    "TUPLE3": lambda machine, _: machine.push(tuple(machine.pop(3))),
    "MARK": _Machine.mark,
    "TUPLE": lambda machine, _: machine.push(tuple(machine.since_mark())),
    "APPEND": lambda machine, _: machine.extend(machine.pop(1)),
    "APPENDS": lambda machine, _: machine.extend(machine.since_mark()),
    "SETITEM": lambda machine, _: machine.update(machine.pop(2)),
    "SETITEMS": lambda machine, _: machine.update(machine.since_mark()),
    "MEMOIZE": _Machine.memoize,
    "BINPUT": _Machine.memoize,
    "LONG_BINPUT": _Machine.memoize,
    "BINGET": lambda machine, index: machine.push(machine.memo[index]),
    "LONG_BINGET": lambda machine, index: machine.push(machine.memo[index]),
    "GLOBAL": lambda machine, name: machine.named(name.replace(" ", ".")),
    "STACK_GLOBAL": _Machine.stack_global,
    "REDUCE": _Machine.reduce,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.persistent,
}
