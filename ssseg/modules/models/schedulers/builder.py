"""Builds the scheduler of an optimizer."""

from collections.abc import Mapping
from typing import Any

from ...utils.modulebuilder import BaseModuleBuilder, Registry


class SchedulerBuilder(BaseModuleBuilder):
    """Builds schedulers."""

    REGISTERED_MODULES = Registry(
        {
            "PolyScheduler": "ssseg.modules.models.schedulers.polyscheduler:PolyScheduler",
            "CosineScheduler": "ssseg.modules.models.schedulers.cosinescheduler:CosineScheduler",
            "OneCycleScheduler": "ssseg.modules.models.schedulers.onecyclescheduler:OneCycleScheduler",
        }
    )
    kind = "scheduler"
    where = "SEGMENTOR_CFG['scheduler']"

    def build(self, optimizer: Any, scheduler_cfg: Mapping[str, Any]) -> Any:  # type: ignore[override]
        """Build the scheduler that `scheduler_cfg['type']` names; see `BaseModuleBuilder.build`.

        Args:
            optimizer: what it drives.
            scheduler_cfg: `type` and the scheduler's arguments; a nested `optimizer` is left out.
        """
        fields = {name: value for name, value in scheduler_cfg.items() if name != "optimizer"}
        return self.construct(fields, optimizer=optimizer)


def BuildScheduler(optimizer: Any, scheduler_cfg: Mapping[str, Any]) -> Any:  # noqa: N802
    """Build the scheduler that `scheduler_cfg` describes; see `SchedulerBuilder.build`."""
    return SchedulerBuilder().build(optimizer, scheduler_cfg)
