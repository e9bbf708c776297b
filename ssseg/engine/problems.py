"""What is wrong with a config, and the checks that all its parts share."""

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..modules.utils.errors import SSSegError, UnknownNameError, listed, nearest
from ..modules.utils.misspelling import misspelt
from ..modules.utils.modulebuilder import BaseModuleBuilder
from .fieldkinds import unmet

ROOT = "SEGMENTOR_CFG"
_PLACE = re.compile(r"SEGMENTOR_CFG(\[[^\]]*\])*")


@dataclass(frozen=True)
class Problem:
    """What is wrong at one place of a config."""

    place: str
    message: str
    severity: Literal["error", "warning"] = "error"


def section(node: Any, *keys: str) -> Mapping[str, Any]:
    """Return the dictionary that the keys lead to, an empty one where there is none."""
    for key in keys:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node if isinstance(node, Mapping) else {}


def as_problem(error: Exception, place: str) -> Problem:
    """Return the problem that `error` describes; its message may name a place closer than `place`."""
    text = str(error)
    named = _PLACE.match(text)
    if named is None:
        return Problem(place, text if isinstance(error, SSSegError) else f"{type(error).__name__}: {text}")
    return Problem(named[0], text[named.end() :].removeprefix(":").removeprefix("=").strip())


def check_fields(function: Any, fields: Mapping[str, Any], place: str, given: Iterable[str] = ()) -> Iterator[Problem]:
    """Yield a problem for each field that `function` does not take, that is of another kind, or that is missing.

    Args:
        given: fields that the builder adds.
    """
    try:
        signature = inspect.signature(function)
    except ValueError:  # a built-in that does not tell its parameters
        return
    params = {name: p for name, p in signature.parameters.items() if name != "self"}
    named = {name: p for name, p in params.items() if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}
    owner = function.__qualname__.removesuffix(".__init__").removesuffix(".build_head")
    choices = sorted(named.keys() - set(given))
    takes_any = any(p.kind is p.VAR_KEYWORD for p in params.values())
    for name in () if takes_any else fields.keys() - named.keys():
        takes = f"It takes: {listed(choices)}." if choices else "It takes none."
        yield Problem(f"{place}[{name!r}]", f"{owner} has no such field.{nearest(name, choices)} {takes}")
    for name, p in named.items():
        if name in fields and (expected := unmet(p.annotation, fields[name])):
            yield Problem(f"{place}[{name!r}]", f"is {fields[name]!r}; {owner} takes {expected} here")
        if p.default is p.empty and name not in fields and name not in set(given):
            yield Problem(place, f"{owner} needs {name!r}, which is missing.")


def check_part(
    builder: BaseModuleBuilder,
    cfg: Any,
    place: str,
    *,
    given: Iterable[str] = (),
    left_out: Iterable[str] = (),
    construct: bool = False,
) -> Iterator[Problem]:
    """Check that `cfg` names a part of `builder` and gives it the fields that it takes.

    Args:
        given: fields that the builder adds.
        left_out: fields that somebody else reads.
        construct: also build the part, which tells values out of range; for parts that cost next to nothing.
    """
    if not isinstance(cfg, Mapping):
        yield Problem(place, f"is {cfg!r}; it must be a dictionary with a 'type'")
        return
    if "type" not in cfg:
        yield Problem(place, f"'type' is missing. It names the {builder.kind}: {listed(builder.keys())}.")
        return
    try:
        part = builder.find(cfg["type"], place)
    except (UnknownNameError, ImportError) as error:
        yield as_problem(error, f"{place}['type']")
        return
    ignored = {"type", *left_out}
    fields = {name: value for name, value in cfg.items() if name not in ignored}
    problems = list(check_fields(part, fields, place, given))
    yield from problems
    if construct and not problems:
        yield from failures(lambda: builder.construct(cfg, place), place)


def failures(build: Any, place: str) -> Iterator[Problem]:
    """Call `build` and yield what it complains about."""
    try:
        build()
    except (SSSegError, ValueError, TypeError, AssertionError, ImportError) as error:
        yield as_problem(error, place)


def check_known(fields: Any, known: Iterable[str], place: str) -> Iterator[Problem]:
    """Yield a problem for each key of a dictionary that nothing reads: an error where it looks misspelt."""
    if fields is None:
        return
    if not isinstance(fields, Mapping):
        yield Problem(place, f"is {fields!r}; it must be a dictionary")
        return
    known = list(known)
    for name in fields:
        if name not in known:
            meant = misspelt(str(name), known)
            hint = f"Did you mean {meant!r}?" if meant else f"Known are: {listed(known)}."
            yield Problem(f"{place}[{name!r}]", f"nothing reads this. {hint}", "error" if meant else "warning")
