"""Data sets: images with label maps on disk, as samples."""

from ..utils.lazy import lazy_exports

_MODULES = {
    ".base": "BaseDataset",
    ".builder": "BuildDataset DatasetBuilder",
    ".ids": "read_ids",
    ".seeding": "SampleKey SeededDataset",
}

_EXPORTS = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = sorted(_EXPORTS)  # noqa: PLE0605
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
