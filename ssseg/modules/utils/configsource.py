"""A config as plain values, and as the Python source that the tutorial writes."""

import keyword
import math
import os
from collections.abc import Iterator, Mapping
from typing import Any

from ...configs._base_.config import Config
from .errors import ConfigError

_WIDTH = 120


def plain(value: Any, where: str = "SEGMENTOR_CFG") -> Any:
    """Return a copy of `value` that holds nothing but None, bool, int, float, str, list, tuple, dict and configs.

    A dtype or device of torch and a path become strings, arrays and numbers of NumPy become lists and numbers.

    Raises:
        ConfigError: something else is in there; the message says where.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    kind = type(value)
    if isinstance(value, Mapping):
        entries = {_plain_key(key, where): plain(entry, f"{where}[{key!r}]") for key, entry in value.items()}
        return _same_class(value, entries) if isinstance(value, Config) else entries
    if isinstance(value, list | tuple):
        items = [plain(item, f"{where}[{i}]") for i, item in enumerate(value)]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if kind.__module__ == "torch" and kind.__name__ in ("dtype", "device"):
        return str(value).removeprefix("torch.")
    if kind.__module__ == "numpy" and hasattr(value, "tolist"):
        return plain(value.tolist(), where)
    raise ConfigError(
        f"{where}: {value!r} is of type {kind.__name__}, which a config cannot be saved with. "
        "It takes None, booleans, numbers, strings, lists, tuples and dictionaries."
    )


def resolved_source(cfg: Mapping[str, Any]) -> str:
    """Return `cfg` as Python source that defines an equal `SEGMENTOR_CFG` and needs no other config file.

    Raises:
        ConfigError: `cfg` holds a value that has no literal.
    """
    cfg = plain(cfg)
    names = sorted({type(config).__name__ for config in _configs(cfg)})
    imports = f"from ssseg.configs._base_ import {', '.join(names)}\n\n\n" if names else ""
    body = _written(cfg, 0, len("SEGMENTOR_CFG = "))
    return f'"""A resolved config: every value is written out."""\n\n{imports}SEGMENTOR_CFG = {body}\n'


def on_one_line(value: Any) -> str:
    """Return the source of a plain value on one line."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')"
    parts = _parts(value)
    if parts is None:
        return repr(value)
    opening, entries, closing = parts
    inside = ", ".join(label + on_one_line(entry) for label, entry in entries)
    return f"{opening}{inside}{',' if isinstance(value, tuple) and len(value) == 1 else ''}{closing}"


def _written(value: Any, indent: int, column: int) -> str:
    """Return the source of `value`, which starts at `column` of a line indented by `indent` spaces."""
    flat, parts = on_one_line(value), _parts(value)
    if parts is None or not parts[1] or column + len(flat) < _WIDTH:
        return flat
    opening, entries, closing = parts
    inner = indent + 4
    lines = [f"{' ' * inner}{label}{_written(entry, inner, inner + len(label))},\n" for label, entry in entries]
    return f"{opening}\n{''.join(lines)}{' ' * indent}{closing}"


def _parts(value: Any) -> tuple[str, list[tuple[str, Any]], str] | None:
    """Return the opening, the labelled entries and the closing of a container, None for anything else."""
    if _is_call(value):
        return f"{type(value).__name__}(", [(f"{key}=", entry) for key, entry in value.items()], ")"
    if isinstance(value, Mapping):
        return "{", [(f"{key!r}: ", entry) for key, entry in value.items()], "}"
    if isinstance(value, list):
        return "[", [("", entry) for entry in value], "]"
    if isinstance(value, tuple):
        return "(", [("", entry) for entry in value], ")"
    return None


def _is_call(value: Any) -> bool:
    """Whether `value` is a config that its class can be called for; one that lost a needed field is not."""
    if not isinstance(value, Config) or not all(name in value for name in value.NEEDED):
        return False
    return all(name.isidentifier() and not keyword.iskeyword(name) and name != "self" for name in value)


def _configs(value: Any) -> Iterator[Config]:
    if _is_call(value):
        yield value
    parts = _parts(value)
    for _, entry in parts[1] if parts else ():
        yield from _configs(entry)


def _same_class(value: Config, entries: dict[str, Any]) -> Config:
    fresh = value.copy()
    fresh.clear()
    fresh.update(entries)
    return fresh


def _plain_key(key: Any, where: str) -> Any:
    if key is None or type(key) in (bool, int, float, str):
        return key
    raise ConfigError(f"{where}: the key {key!r} is of type {type(key).__name__}; a config takes strings and numbers")
