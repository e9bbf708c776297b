"""Data pipelines: what happens to a sample before a model sees it, and how predictions are measured."""

from ...utils.lazy import lazy_exports

_MODULES = {
    ".builder": "BuildDataTransform DataTransformBuilder build_pipeline",
    ".compose": "Compose",
    ".evaluation": "ConfusionMatrix Evaluation",
    ".metrics": "format_metrics metrics_table",
}

_EXPORTS = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = sorted(_EXPORTS)  # noqa: PLE0605
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
