"""How the learning rate rises at the start of a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...utils.errors import ConfigError, UnknownNameError, call_with, nearest
from .checks import WHERE, check_count, check_number

_TYPES = ("constant", "linear", "exp")


@dataclass(frozen=True)
class Warmup:
    """The fields of `warmup_cfg`.

    Args:
        type: `constant` (ratio all the way), `linear` or `exp` (from ratio to 1).
        ratio: first learning rate / regular one, in [0, 1].
        iters, epochs: one of them: the length, in iterations or in epochs. 0 is no warm-up; a warm-up that is longer
            than the run is cut off by its end.
    """

    type: str
    ratio: float
    iters: int | None = None
    epochs: int | None = None

    def __post_init__(self) -> None:
        where = "['warmup_cfg']"
        if self.type not in _TYPES:
            raise UnknownNameError(
                f"{WHERE}{where}['type']: no warm-up is called {self.type!r}.{nearest(self.type, _TYPES)} "
                f"There are {len(_TYPES)}: {', '.join(_TYPES)}."
            )
        check_number(f"{where}['ratio']", self.ratio, maximum=1.0)
        if (self.iters is None) == (self.epochs is None):
            raise ConfigError(f"{WHERE}{where}: needs one of 'iters' and 'epochs'")
        name = "iters" if self.epochs is None else "epochs"
        check_count(f"{where}[{name!r}]", getattr(self, name), minimum=0)

    @classmethod
    def of(cls, warmup_cfg: Mapping[str, Any]) -> "Warmup":
        """Read `warmup_cfg`; ConfigError where it does not fit."""
        warmup: Warmup = call_with(cls, warmup_cfg, where=f"{WHERE}['warmup_cfg']")
        return warmup

    def factor(self, current: int) -> float:
        """Return what the regular rate is multiplied with when `current` iterations or epochs are counted."""
        length = self.epochs if self.iters is None else self.iters
        if not length or current > length:
            return 1.0
        remaining = 1 - current / length
        if self.type == "constant":
            return self.ratio
        return 1 - remaining * (1 - self.ratio) if self.type == "linear" else self.ratio**remaining
