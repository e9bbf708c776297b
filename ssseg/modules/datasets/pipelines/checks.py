"""Checks of a transform's arguments. Each raises `ConfigError` with the transform, the argument and its value."""

import math
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, NoReturn, TypeGuard

from ...utils.errors import ConfigError, listed, nearest


def refuse(owner: object, name: str, value: object, expected: str) -> NoReturn:
    """Raise the `ConfigError` that says what argument `name` of `owner` must be."""
    raise ConfigError(f"{type(owner).__name__}: {name}={value!r} must be {expected}")


def is_number(value: object, whole: bool = False) -> TypeGuard[float]:
    """Whether `value` is a finite number; with `whole` an integer. Booleans are none."""
    if isinstance(value, bool):
        return False
    return isinstance(value, Integral) or (not whole and isinstance(value, Real) and math.isfinite(value))


def is_pair(value: object, whole: bool = False) -> TypeGuard[tuple[float, float]]:
    """Whether `value` is a sequence of two numbers."""
    return isinstance(value, list | tuple) and len(value) == 2 and all(is_number(item, whole) for item in value)


def check_number(
    owner: object,
    name: str,
    value: Any,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    above: float = -math.inf,
    whole: bool = False,
) -> None:
    """Require a number in [`low`, `high`], larger than `above`; with `whole` an integer."""
    if not (is_number(value, whole) and low <= value <= high and value > above):
        refuse(owner, name, value, f"a {_kind('number', low, high, above, whole)}")


def check_interval(
    owner: object,
    name: str,
    value: Any,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    above: float = -math.inf,
    whole: bool = False,
) -> tuple[Any, Any]:
    """Require two ascending numbers in [`low`, `high`], larger than `above`; return them."""
    if not (is_pair(value, whole) and low <= value[0] <= value[1] <= high and value[0] > above):
        refuse(owner, name, value, f"two ascending {_kind('numbers', low, high, above, whole)}")
    return value[0], value[1]


def check_size(owner: object, name: str, value: Any) -> tuple[int, int]:
    """Require a positive whole number or two of them; return two."""
    pair = (value, value) if is_number(value, whole=True) else value
    if not (is_pair(pair, whole=True) and min(pair) >= 1):
        refuse(owner, name, value, "a positive whole number or two of them")
    return int(pair[0]), int(pair[1])


def check_flag(owner: object, name: str, value: Any) -> None:
    """Require True or False; a string such as "False" would count as true."""
    if not isinstance(value, bool):
        refuse(owner, name, value, "True or False")


def check_choice(owner: object, name: str, value: Any, choices: Iterable[str]) -> None:
    """Require one of `choices`."""
    choices = list(choices)
    if value not in choices:
        refuse(owner, name, value, f"one of {listed(choices)}.{nearest(value, choices)}")


def _kind(noun: str, low: float, high: float, above: float, whole: bool) -> str:
    bounds = f" in [{low}, {high}]" if high < math.inf else f" of at least {low}" if low > -math.inf else ""
    return ("whole " if whole else "") + noun + bounds + (f" above {above}" if above > -math.inf else "")
