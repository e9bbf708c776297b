"""Losses: what a prediction costs, given its target."""

from ...utils.lazy import lazy_exports

_MODULES = {
    ".base": "BaseLoss",
    ".builder": "BuildLoss LossBuilder",
    ".calculate": "calculateloss calculatelosses",
    ".celoss": "CrossEntropyLoss",
    ".cosinesimilarityloss": "CosineSimilarityLoss",
    ".diceloss": "DiceLoss",
    ".focalloss": "FocalLoss",
    ".kldivloss": "KLDivLoss",
    ".l1loss": "L1Loss",
    ".lovaszloss": "LovaszLoss",
    ".mseloss": "MSELoss",
    ".smalllogits": "kept_small",
}

_EXPORTS = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = sorted(_EXPORTS)  # noqa: PLE0605
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
