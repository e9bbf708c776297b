"""What a segmentor does at test time, as `SEGMENTOR_CFG['inference']` says."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ....utils.datastructure import SSSegInputStructure
from ....utils.errors import ConfigError, nearest
from ...upsampling.resize import resize_like
from .mirror import flip_pairs, swap_labels
from .windows import Windows, score_bands, score_windows


@torch.no_grad()
def infer(segmentor: Any, images: Tensor, forward_args: Mapping[str, Any]) -> Tensor:
    """Return the scores (N, K, h, w) of images (N, C, H, W); see `BaseSegmentor.inference`."""
    plan = _Plan(segmentor, images, forward_args)
    if plan.windows is None:
        return plan.activate(plan.logits(plan.images))
    return score_windows(plan.logits, plan.images, plan.windows, plan.enlarge)


def infer_bands(segmentor: Any, images: Tensor, forward_args: Mapping[str, Any]) -> Iterator[tuple[slice, Tensor]]:
    """Yield the scores of mode "slide" in bands; see `BaseSegmentor.inference_in_bands`."""
    plan = _Plan(segmentor, images, forward_args)
    if plan.windows is None:
        raise ConfigError("SEGMENTOR_CFG['inference']['forward']['mode']: bands need 'slide'")
    bands = score_bands(plan.logits, plan.images, plan.windows, plan.enlarge)
    while True:
        with torch.no_grad():  # not while the caller has its turn
            band = next(bands, None)
        if band is None:
            return
        yield band


class _Plan:
    """What `SEGMENTOR_CFG['inference']` makes of images: `windows` is None where the network sees them as a whole."""

    def __init__(self, segmentor: Any, images: Tensor, forward_args: Mapping[str, Any]):
        if segmentor.training:
            raise RuntimeError("inference needs eval mode: call segmentor.eval() first")
        cfg = segmentor.section("inference")
        forward_cfg, tta_cfg = cfg.get("forward") or {}, cfg.get("tta") or {}
        self.segmentor, self.forward_args = segmentor, forward_args
        self.as_probabilities = bool(tta_cfg.get("use_probs_before_resize"))
        self.images = images.to(next(segmentor.parameters()))
        mode = forward_cfg.get("mode", "whole")
        if mode not in ("whole", "slide"):
            raise ConfigError(
                f"SEGMENTOR_CFG['inference']['forward']['mode']: is {mode!r}, must be 'whole' or 'slide'."
                f"{nearest(mode, ('whole', 'slide'))}"
            )
        self.windows = None
        if mode == "slide":
            sizes = (forward_cfg.get(name) for name in ("cropsize", "stride", "windows_at_once"))
            self.windows = Windows.over(self.images, *sizes)

    def logits(self, images: Tensor) -> Tensor:
        data_meta = SSSegInputStructure(mode="TEST", images=images)
        logits: Tensor = self.segmentor(data_meta, **self.forward_args).seg_logits
        return logits

    def activate(self, scores: Tensor) -> Tensor:
        return self.segmentor.probabilities(scores) if self.as_probabilities else scores

    def enlarge(self, scores: Tensor, window: Tensor) -> Tensor:
        return self.activate(resize_like(scores, window, self.segmentor.align_corners))


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
