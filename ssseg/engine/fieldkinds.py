"""Whether a value of a config is of the kind that a parameter's annotation asks for."""

import os
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Union, get_args, get_origin


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_list(value: object) -> bool:
    return not isinstance(value, str | Mapping | Real) and hasattr(value, "__len__")


_KINDS: dict[Any, tuple[str, Callable[[object], bool]]] = {
    bool: ("True or False", lambda value: isinstance(value, bool)),
    int: ("a whole number", _is_whole),
    float: ("a number", _is_number),
    str: ("a string", lambda value: isinstance(value, str)),
    dict: ("a dictionary", lambda value: isinstance(value, Mapping)),
    Mapping: ("a dictionary", lambda value: isinstance(value, Mapping)),
    list: ("a list", _is_list),
    tuple: ("a list", _is_list),
    Sequence: ("a list", _is_list),
    Iterable: ("a list", _is_list),
    os.PathLike: ("a path", lambda value: isinstance(value, os.PathLike)),
    Path: ("a path", lambda value: isinstance(value, os.PathLike)),
    types.NoneType: ("None", lambda value: value is None),
}


def unmet(annotation: object, value: object) -> str:
    """Return in words what the annotation asks for where `value` is something else; "" where it fits.

    Only plain kinds are told apart; an annotation with any other kind in it takes everything, and what a list or
    dictionary holds is left to the class that reads it.
    """
    union = get_origin(annotation) in (types.UnionType, Union)
    members = get_args(annotation) if union else (annotation,)
    origins = [get_origin(member) or member for member in members]
    kinds = [_KINDS.get(origin) if isinstance(origin, type) else None for origin in origins]
    known = [kind for kind in kinds if kind is not None]
    if len(known) < len(kinds) or any(fits(value) for _, fits in known):
        return ""
    return " or ".join(dict.fromkeys(words for words, _ in known))
