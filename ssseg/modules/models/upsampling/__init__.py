"""Scores of a small map at the size of the image, without ever holding them all."""

from ...utils.lazy import lazy_exports

_EXPORTS = {"upsampled_labels": ".labels", "upsampled_cross_entropy": ".crossentropy", "Taps": ".taps"}

__all__ = sorted(_EXPORTS)  # noqa: PLE0605
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
