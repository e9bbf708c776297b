"""The total batch is a contract: how it is shared among processes and accumulated parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..modules.utils.errors import ConfigError


@dataclass(frozen=True)
class BatchPlan:
    """Samples of an iteration = per_process * accumulate * processes."""

    total: int
    processes: int
    accumulate: int

    @property
    def per_process(self) -> int:
        """Samples that a process reads at once."""
        return self.total // (self.processes * self.accumulate)

    def __str__(self) -> str:
        parts = f"{self.total} = {self.per_process} x {self.processes} process{'es' * (self.processes > 1)}"
        return parts + (f" x {self.accumulate} accumulated" if self.accumulate > 1 else "")


def plan_batch(cfg: Mapping[str, Any], processes: int, accumulate: int = 1) -> BatchPlan:
    """Share out the expected total batch.

    Args:
        cfg: `SEGMENTOR_CFG['dataloader']`. With `auto_adapt_to_expected_train_bs` each process takes an equal share,
            cut into `accumulate` parts; without, `batch_size_per_gpu` is given and the accumulation follows from it.
        processes: how many train together.
        accumulate: `SEGMENTOR_CFG['runtime']['accumulate']`.

    Raises:
        ConfigError: the total cannot be shared out; it names the nearest that can.
    """
    total, field = cfg["expected_total_train_bs_for_assert"], "expected_total_train_bs_for_assert"
    if not isinstance(total, int) or total < 1:
        raise ConfigError(f"SEGMENTOR_CFG['dataloader'][{field!r}]: {total!r} must be an integer of at least 1")
    if cfg["auto_adapt_to_expected_train_bs"]:
        step, by = processes * accumulate, f"{processes} process(es) x {accumulate} accumulated"
    else:
        each = cfg["train"]["batch_size_per_gpu"]
        if not isinstance(each, int) or each < 1:
            where = "SEGMENTOR_CFG['dataloader']['train']['batch_size_per_gpu']"
            raise ConfigError(f"{where}: {each!r} must be an integer of at least 1")
        step, by = each * processes, f"batch_size_per_gpu {each} x {processes} process(es)"
        accumulate = total // step
    if total % step:
        lower, upper = total // step * step, -(-total // step) * step
        nearest = " or ".join(str(value) for value in (lower, upper) if value)
        raise ConfigError(
            f"SEGMENTOR_CFG['dataloader'][{field!r}]: the total batch {total} cannot be shared out by {by}; "
            f"the nearest that can is {nearest}."
        )
    return BatchPlan(total, processes, accumulate)
