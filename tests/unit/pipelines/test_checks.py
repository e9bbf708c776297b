import numpy as np
import pytest

from ssseg.modules.datasets.pipelines.checks import check_choice, check_interval, check_number, check_size, is_number
from ssseg.modules.utils.errors import ConfigError


class Transform:
    """Only its name matters."""


OWNER = Transform()


@pytest.mark.parametrize("value", [1, 1.5, np.float32(2), np.int16(3), 10**400])
def test_numbers(value):
    assert is_number(value)


@pytest.mark.parametrize("value", [True, "1", None, float("nan"), float("inf"), [1], 1j])
def test_no_numbers(value):
    assert not is_number(value)


@pytest.mark.parametrize(
    ("value", "limits", "message"),
    [
        (1.5, {"low": 0, "high": 1}, r"Transform: prob=1\.5 must be a number in \[0, 1\]"),
        (-1, {"low": 0}, r"prob=-1 must be a number of at least 0"),
        (0, {"above": 0}, r"prob=0 must be a number above 0"),
        (0.5, {"whole": True}, r"prob=0\.5 must be a whole number"),
        ("0.5", {}, r"prob='0\.5' must be a number"),
        (float("nan"), {"low": 0, "high": 1}, r"prob=nan must be"),
    ],
)
def test_number_out_of_range(value, limits, message):
    with pytest.raises(ConfigError, match=message):
        check_number(OWNER, "prob", value, **limits)


def test_interval_is_returned():
    assert check_interval(OWNER, "range", [0.5, 2], above=0) == (0.5, 2)
    assert check_interval(OWNER, "range", (3, 3), whole=True) == (3, 3)


@pytest.mark.parametrize("value", [(2, 1), (0, 1), 1, (1, 2, 3), "ab", None, (1, True)])
def test_interval_out_of_range(value):
    with pytest.raises(ConfigError, match=r"Transform: range=.* must be two ascending numbers above 0"):
        check_interval(OWNER, "range", value, above=0)


def test_size_is_doubled():
    assert check_size(OWNER, "size", 3) == (3, 3)
    assert check_size(OWNER, "size", [3, 4]) == (3, 4)


@pytest.mark.parametrize("value", [0, -1, 2.5, (0, 3), (1, 2, 3), "8", None, True])
def test_size_out_of_range(value):
    with pytest.raises(ConfigError, match=r"Transform: size=.* must be a positive whole number or two of them"):
        check_size(OWNER, "size", value)


def test_choice_suggests_the_nearest():
    with pytest.raises(ConfigError, match=r"mode='cubic' must be one of nearest, bicubic. Did you mean 'bicubic'?"):
        check_choice(OWNER, "mode", "cubic", ["nearest", "bicubic"])
    with pytest.raises(ConfigError, match="must be one of nearest"):
        check_choice(OWNER, "mode", ["nearest"], ["nearest"])
