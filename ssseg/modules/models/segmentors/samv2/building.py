from collections.abc import Mapping
from functools import partial
from typing import Any

import torch

from ..sam.building import build_promptable
from .published import SAMV2_CFGS
from .samv2 import SAMV2


def with_postprocessing(cfg: Mapping[str, Any]) -> dict[str, Any]:
    """Return a cfg whose decoder takes the best of several masks where a single one is not stable."""
    head = dict(cfg["head"])
    extra = {"dynamic_multimask_via_stability": True, **(head.get("sam_mask_decoder_extra_args") or {})}
    return {**cfg, "head": {**head, "sam_mask_decoder_extra_args": extra}}


def build_samv2(
    cfg: Mapping[str, Any] | None,
    flags: Mapping[str, bool],
    device: str | torch.device | None,
    strict: bool,
    apply_postprocessing: bool,
) -> SAMV2:
    """Return a model in eval mode, on its device, with its weights; see `build_promptable`.

    Args:
        cfg: the user's, or None.
        flags: which of the published models are asked for.
    """
    published: Mapping[str, Any] = SAMV2_CFGS
    if apply_postprocessing:
        cfg = with_postprocessing(cfg) if cfg and cfg.get("head") else cfg  # what is missing is said later
        published = {name: partial(lambda make: with_postprocessing(make()), make) for name, make in published.items()}
    return build_promptable("SAMV2", cfg, flags, published, device, strict, cfg_name="samv2_cfg")
