"""Pixel samplers: which pixels or points the losses look at."""

from ...utils.lazy import lazy_exports

_MODULES = {
    ".base": "BasePixelSampler",
    ".builder": "BuildPixelSampler PixelSamplerBuilder",
    ".ohempixelsampler": "OHEMPixelSampler",
    ".ugsampler": "UGSampler sample_points",
}

_EXPORTS = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = sorted(_EXPORTS)  # noqa: PLE0605
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
