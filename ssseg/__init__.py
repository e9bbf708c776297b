"""ssseg: semantic segmentation on PyTorch, configured with Python dicts.

Importing the package imports neither torch nor OpenCV.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .engine.predictor import Predictor

__version__ = "0.1.0"
__all__ = ["Predictor", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "Predictor":
        from .engine.predictor import Predictor

        return Predictor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
