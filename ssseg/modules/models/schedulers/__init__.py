"""Schedulers: the learning rate from step to step, and the step itself."""

from ...utils.lazy import lazy_exports

_MODULES = {
    ".basescheduler": "BaseScheduler",
    ".builder": "BuildScheduler SchedulerBuilder",
    ".cosinescheduler": "CosineScheduler",
    ".onecyclescheduler": "OneCycleScheduler",
    ".polyscheduler": "PolyScheduler",
}

_EXPORTS = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = sorted(_EXPORTS)  # noqa: PLE0605
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
