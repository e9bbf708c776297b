"""Which predictions need not be resized to their targets, since their losses do that piece by piece."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from ...utils.errors import ConfigError
from .builder import LossBuilder


def kept_small(
    predictions: Mapping[str, Tensor],
    annotations: Mapping[str, Tensor],
    losses_cfg: Mapping[str, Any],
    size: Sequence[int],
    preds_to_tgts_mapping: Mapping[str, str] | None = None,
) -> set[str]:
    """Return the names of the logits that all their losses take as they are, instead of resized to `size`.

    The arguments are those of `calculatelosses`, which also refuses what does not fit.
    """
    kept = set()
    for name, logits in predictions.items():
        target = annotations.get(
            name if name in annotations else (preds_to_tgts_mapping or {}).get(name, "seg_targets")
        )
        is_small = logits.ndim == 4 and logits.shape[1] > 1 and tuple(logits.shape[2:]) != tuple(size)
        if is_small and target is not None and target.shape == (len(logits), *size):
            cfgs = losses_cfg.get(name)
            cfgs = [cfgs] if isinstance(cfgs, Mapping) else cfgs
            if cfgs and all(_takes_small(cfg) for cfg in cfgs):
                kept.add(name)
    return kept


def _takes_small(cfg: Mapping[str, Any]) -> bool:
    try:
        return getattr(LossBuilder().construct(cfg), "takes_small_logits", False)
    except ConfigError:
        return False
