"""What a segmentor does at test time, as `SEGMENTOR_CFG['inference']` says."""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ....utils.datastructure import SSSegInputStructure
from ....utils.errors import ConfigError, nearest
from .mirror import flip_pairs, swap_labels
from .resize import resize_like
from .windows import score_windows


@torch.no_grad()
def infer(segmentor: Any, images: Tensor, forward_args: Mapping[str, Any]) -> Tensor:
    """Return the scores (N, K, h, w) of images (N, C, H, W); see `BaseSegmentor.inference`."""
    if segmentor.training:
        raise RuntimeError("inference needs eval mode: call segmentor.eval() first")
    cfg = segmentor.section("inference")
    forward_cfg, tta_cfg = cfg.get("forward") or {}, cfg.get("tta") or {}

    def logits(images: Tensor) -> Any:
        return segmentor(SSSegInputStructure(mode="TEST", images=images), **forward_args).seg_logits

    def activate(scores: Tensor) -> Tensor:
        return segmentor.probabilities(scores) if tta_cfg.get("use_probs_before_resize") else scores

    def score_window(window: Tensor) -> Tensor:
        return activate(resize_like(logits(window), window, segmentor.align_corners))

    images = images.to(next(segmentor.parameters()))
    mode = forward_cfg.get("mode", "whole")
    if mode == "whole":
        return activate(logits(images))
    if mode == "slide":
        return score_windows(score_window, images, forward_cfg.get("cropsize"), forward_cfg.get("stride"))
    raise ConfigError(
        f"SEGMENTOR_CFG['inference']['forward']['mode']: is {mode!r}, must be 'whole' or 'slide'."
        f"{nearest(mode, ('whole', 'slide'))}"
    )


def infer_augmented(segmentor: Any, images: Tensor, forward_args: Mapping[str, Any]) -> list[Tensor]:
    """Return the scores of images (N, C, H, W) at several scales, on the CPU; see `BaseSegmentor.auginference`."""
    tta_cfg = segmentor.section("inference").get("tta") or {}
    results = []
    for scale in tta_cfg.get("multiscale", [1]):
        scaled = F.interpolate(images, scale_factor=scale, mode="bilinear", align_corners=segmentor.align_corners)
        results.append(segmentor.inference(scaled, forward_args).cpu())
        if tta_cfg.get("flip"):
            mirrored = segmentor.inference(scaled.flip(3), forward_args).cpu().flip(3)
            results.append(swap_labels(mirrored, flip_pairs(segmentor.cfg)))
    return results
