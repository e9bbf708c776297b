"""Checks of the arguments that backbones share."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from ...utils.errors import ConfigError, listed, nearest

Value = TypeVar("Value")


def one_of(field: str, given: object, choices: Mapping[Any, Value]) -> Value:
    """Return what `choices` holds for `given`; ConfigError where it holds nothing."""
    if given not in choices:
        names = [str(choice) for choice in choices]
        raise ConfigError(
            f"SEGMENTOR_CFG['backbone'][{field!r}]: is {given!r}, must be one of {listed(names)}."
            f"{nearest(given, names)}"
        )
    return choices[given]


def indices_below(count: int, given: Sequence[int], field: str = "out_indices") -> tuple[int, ...]:
    """Return the entry `field` as a tuple; ConfigError where one is not in 0 .. count - 1."""
    for index in given:
        if index not in range(count):
            raise ConfigError(
                f"SEGMENTOR_CFG['backbone'][{field!r}]: holds {index!r}, must hold numbers from 0 to {count - 1}, "
                "one a stage."
            )
    return tuple(given)
