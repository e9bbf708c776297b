from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Optional

import numpy as np
import pytest
import torch

from ssseg.engine.fieldkinds import unmet


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (int, 3),
        (int, np.int64(3)),
        (float, 3),
        (float, np.float32(0.5)),
        (float | None, None),
        (Optional[int], None),  # noqa: UP045  (as older code writes it)
        (bool, False),
        (str, "x"),
        (str | Path, Path("x")),
        (Mapping[str, Any], {}),
        (Sequence[int], (1, 2)),
        (Sequence[int], np.zeros(2)),
        (Sequence[int], range(3)),
        (int | Sequence[int], [1]),
        (list[int] | None, None),
        (Any, object()),
        (torch.Tensor | float, "not told apart"),
        (Callable[[int], int], 3),
        (Literal["a"], "b"),
        ("a string, as `from __future__ import annotations` makes them", 3),
    ],
)
def test_what_fits_or_cannot_be_told(annotation, value):
    assert unmet(annotation, value) == ""


@pytest.mark.parametrize(
    ("annotation", "value", "words"),
    [
        (int, 1.5, "a whole number"),
        (int, True, "a whole number"),
        (int, None, "a whole number"),
        (float, "0.9", "a number"),
        (float | None, "x", "a number or None"),
        (bool, 1, "True or False"),
        (str, 3, "a string"),
        (str | Path, {}, "a string or a path"),
        (Mapping[str, int], [], "a dictionary"),
        (Sequence[int], "ab", "a list"),
        (Sequence[int], 3, "a list"),
        (Sequence[int], {}, "a list"),
        (list[int] | tuple[int, ...], 3, "a list"),
        (int | Sequence[int], "x", "a whole number or a list"),
    ],
)
def test_what_does_not_fit(annotation, value, words):
    assert unmet(annotation, value) == words
