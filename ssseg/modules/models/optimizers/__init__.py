"""Optimizers, and the groups that parameters fall into."""

from ...utils.lazy import lazy_exports

_MODULES = {
    ".builder": "BuildOptimizer OptimizerBuilder",
    ".defaultconstructor": "DefaultParamsConstructor",
    ".layerdecay": "LearningRateDecayParamsConstructor",
    ".muon": "Muon",
    ".paramsconstructor": "BuildParamsConstructor ParamsConstructorBuilder",
}

_EXPORTS = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = sorted(_EXPORTS)  # noqa: PLE0605
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
