"""Checks of scheduler fields. Each names the field's place in the configuration."""

from typing import Any

from ...utils.errors import ConfigError

WHERE = "SEGMENTOR_CFG['scheduler']"


def check_count(field: str, value: Any, minimum: int = 1) -> int:
    """Return `value`; ConfigError unless it is an integer that is not below `minimum`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
        raise ConfigError(f"{WHERE}{field}={value!r} must be an integer, {minimum} or more")
    return value


def check_number(field: str, value: Any, minimum: float = 0.0, maximum: float = float("inf")) -> float:
    """Return `value`; ConfigError unless it is a number in [minimum, maximum]."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not minimum <= value <= maximum:
        raise ConfigError(f"{WHERE}{field}={value!r} must be a number in [{minimum:g}, {maximum:g}]")
    return value
