"""Changes to a config from the command line: `a.b.c=value`, `~a.b`, `+a.b=value`.

A path names keys and, in lists and tuples, positions from 0 or, from the end, -1. A key may hold dots itself
(`params_rules.backbone_net.norm.lr_multiplier`): the longest key that is there is taken.

    head.dropout=0.2                                        replaces a value
    dataset.train.data_pipelines.0.1.output_size=(512,512)  in lists and tuples too
    ~auxiliary                                              deletes an entry; a field of SegmentorConfig becomes None
    runtime.seed=1                                          may start a field that is off by default, such as runtime
    head.num_convs=3                                        adds an entry, unless it looks like a misspelt one
    +head.dropouts=3                                        adds it whatever it looks like

Values are Python or JSON literals, None or null, True or true, False or false; anything else is a string.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import Any

from ...configs._base_.segmentors import SegmentorConfig
from .errors import ConfigError, listed, nearest
from .jsontext import parse_json
from .misspelling import misspelt

ROOT = "SEGMENTOR_CFG"
_WORDS = {"None": None, "null": None, "True": True, "true": True, "False": False, "false": False}
_DELETED = object()


@dataclass(frozen=True)
class Override:
    """One change: `value` at `path`, or the entry removed; `forced` adds a key that looks like another."""

    text: str
    path: str
    value: Any = None
    deletes: bool = False
    forced: bool = False


def parse_override(text: str) -> Override:
    """Read `a.b=value`, `+a.b=value` or `~a.b`; ConfigError for anything else."""
    if text.startswith("~"):
        return Override(text, text[1:], deletes=True)
    path, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"override {text!r}: an override is written a.b.c=value, or ~a.b.c to delete an entry")
    return Override(text, path.removeprefix("+"), parse_value(value, text), forced=path.startswith("+"))


def parse_value(text: str, override: str = "") -> Any:
    """Read a literal; text that is none is a string. ConfigError for brackets that cannot be read."""
    text = text.strip()
    if text in _WORDS:
        return _WORDS[text]
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        pass
    else:
        return text if isinstance(value, bytes | complex | EllipsisType) else value
    if text[:1] not in ("[", "(", "{"):
        return text
    try:
        return parse_json(text)
    except ValueError as error:
        raise ConfigError(
            f"override {override or text!r}: {text} is neither a Python nor a JSON literal. "
            "Strings inside brackets need quotes, and the whole needs quotes in the shell."
        ) from error


def apply_overrides(cfg: SegmentorConfig, overrides: Iterable[str]) -> SegmentorConfig:
    """Return a copy of `cfg` with the overrides applied from left to right.

    Raises:
        ConfigError: an override cannot be read, or its path leads nowhere.
    """
    changed = cfg.copy()
    for text in overrides:
        override = parse_override(text)
        _edit(changed, _split(override.path, text), ROOT, override)
    return changed


def find_entry(cfg: Mapping[str, Any], path: str) -> tuple[str, list[Any], Any]:
    """Return where `path` leads: written `SEGMENTOR_CFG['a'][0]`, as keys, and the value; ConfigError for nowhere."""
    node: Any = cfg
    place = ROOT
    keys: list[Any] = []
    segments = _split(path, path)
    while segments:
        found = _match(node, segments, place)
        if found is None:
            raise _unknown(node, segments[0], place)
        key, used = found
        node, place, segments = node[key], f"{place}[{key!r}]", segments[used:]
        keys.append(key)
    return place, keys, node


def _split(path: str, text: str) -> list[str]:
    segments = path.split(".")
    if not all(segments):
        raise ConfigError(f"{text!r}: {path!r} is no path; a path is written head.dropout")
    return segments


def _match(node: Any, segments: Sequence[str], place: str) -> tuple[Any, int] | None:
    """Return the key of `node` that the first segments name and how many they are, None where there is none."""
    if isinstance(node, Mapping):
        keys = {str(key): key for key in node}
        joined = ((".".join(segments[:used]), used) for used in range(len(segments), 0, -1))
        return next(((keys[name], used) for name, used in joined if name in keys), None)
    if isinstance(node, list | tuple):
        try:
            position = int(segments[0])
        except ValueError:
            raise ConfigError(f"{place}: holds {len(node)} entries by position, not {segments[0]!r}") from None
        if not -len(node) <= position < len(node):
            raise ConfigError(f"{place}: holds {len(node)} entries; there is no position {position}")
        return position % len(node), 1
    raise ConfigError(f"{place}: is {node!r} and has no entry {segments[0]!r}; set it as a whole")


def _edit(node: Any, segments: list[str], place: str, override: Override) -> Any:
    """Return `node` with the change applied; dictionaries and lists are changed in place, tuples are replaced."""
    found = _match(node, segments, place)
    key, used = found or (segments[0], 1)
    rest = segments[used:]
    switch = place == ROOT and key in SegmentorConfig.OPTIONAL  # a field that is off until it is given
    if found is None and (override.deletes or not switch):
        _refuse_unless_new(node, segments, place, override)
    if not rest:
        return _replace(node, key, _DELETED if override.deletes else override.value)
    inner = node[key] if found else None
    if inner is None and switch and not override.deletes:
        inner = {}
    return _replace(node, key, _edit(inner, rest, f"{place}[{key!r}]", override))


def _replace(node: Any, key: Any, value: Any) -> Any:
    if isinstance(node, tuple):
        entries = list(node)
        return tuple(_replace(entries, key, value))
    if value is _DELETED and isinstance(node, SegmentorConfig) and key in SegmentorConfig():
        node[key] = None  # its own fields are there always
    elif value is _DELETED:
        del node[key]
    else:
        node[key] = value
    return node


def _refuse_unless_new(node: Any, segments: Sequence[str], place: str, override: Override) -> None:
    """Raise ConfigError unless the one segment that is left may become a key of the dictionary `node`."""
    name, known = segments[0], [str(key) for key in node]
    if place == ROOT and not override.deletes and not override.forced:
        known += [field for field in SegmentorConfig.OPTIONAL if field not in known]
        hint = f"It takes: {listed(known)}. Options of a run are written runtime.{name}."
        deeper = min(_paths_to(node, name), key=lambda path: path.count("."), default=None)
        meant_path = f" Did you mean {deeper!r}?" if deeper else nearest(name, known)
        raise ConfigError(f"{ROOT}: has no {name!r}.{meant_path} {hint}")
    if override.deletes or len(segments) > 1:
        raise _unknown(node, name, place)
    meant = None if override.forced else misspelt(name, known)
    if meant is not None:
        hint = f"Did you mean {meant!r}? To add a new entry write +{override.text}"
        raise ConfigError(f"{place}: has no {name!r}. {hint}")


def _paths_to(node: Any, name: str, path: str = "") -> Iterator[str]:
    """Yield the paths of all entries below `node` whose last key is `name`."""
    entries = node.items() if isinstance(node, Mapping) else enumerate(node) if isinstance(node, list | tuple) else ()
    for key, value in entries:
        if key == name:
            yield f"{path}{key}"
        yield from _paths_to(value, name, f"{path}{key}.")


def _unknown(node: Mapping[str, Any], name: str, place: str) -> ConfigError:
    known = [str(key) for key in node]
    return ConfigError(f"{place}: has no {name!r}.{nearest(name, known)} It has: {listed(known) or 'nothing'}.")
