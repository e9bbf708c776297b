"""Uncertainty-guided points."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ...utils.errors import ConfigError, ShapeError
from ..losses.base import full_precision
from .base import BasePixelSampler


class UGSampler(BasePixelSampler):
    """Reads masks at points, most of them where the prediction is close to undecided.

    For each mask it draws `oversample_ratio` * `num_points` points, takes the `importance_sample_ratio` *
    `num_points` of them whose logit is closest to 0, and fills up with points drawn evenly.

    Source: Kirillov et al., "PointRend", CVPR 2020, arXiv:1912.08193, section 3.1; for masks Cheng et al.,
    "Mask2Former", CVPR 2022, arXiv:2112.01527, section 3.3.

    Args:
        num_points: for each mask, at least 1.
        oversample_ratio: at least 1.
        importance_sample_ratio: in [0, 1].
        reformat_target: True takes class logits and a label map, and makes a mask of each class of each image, where
            an ignored pixel belongs to no class; False takes masks.

    Raises:
        ConfigError: an argument is out of range.
    """

    def __init__(
        self,
        num_points: int,
        oversample_ratio: float = 3.0,
        importance_sample_ratio: float = 0.75,
        reformat_target: bool = True,
    ):
        if num_points < 1:
            raise ConfigError(f"UGSampler: num_points={num_points!r} must be at least 1")
        if oversample_ratio < 1:
            raise ConfigError(f"UGSampler: oversample_ratio={oversample_ratio!r} must be at least 1")
        if not 0 <= importance_sample_ratio <= 1:
            raise ConfigError(f"UGSampler: importance_sample_ratio={importance_sample_ratio!r} must lie in [0, 1]")
        self.num_points = num_points
        self.oversample_ratio = oversample_ratio
        self.importance_sample_ratio = importance_sample_ratio
        self.reformat_target = reformat_target

    def sample(self, seg_logits: Tensor, seg_targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and targets of the points, both (M, num_points), targets in [0, 1].

        Args:
            seg_logits: (M, h, w) mask logits; with `reformat_target` (N, C, h, w), which give M = N * C.
            seg_targets: (M, H, W) masks of 0 and 1, of any size; with `reformat_target` labels (N, H, W).

        Raises:
            ShapeError: there are not as many targets as predictions.
        """
        if self.reformat_target and seg_logits.ndim == 4 and seg_targets.ndim == 3:
            classes = torch.arange(seg_logits.shape[1], device=seg_targets.device).view(-1, 1, 1)
            seg_logits, seg_targets = seg_logits.flatten(0, 1), (seg_targets.unsqueeze(1) == classes).flatten(0, 1)
        if seg_logits.ndim != 3 or seg_targets.ndim != 3 or len(seg_logits) != len(seg_targets):
            raise ShapeError(
                f"UGSampler: the prediction {tuple(seg_logits.shape)} and the target {tuple(seg_targets.shape)} must "
                "both be (masks, height, width); class logits and a label map need reformat_target=True"
            )
        seg_logits = full_precision(seg_logits).unsqueeze(1)
        seg_targets = seg_targets.to(seg_logits.dtype).unsqueeze(1)
        points = self.uncertain_points(seg_logits)
        return sample_points(seg_logits, points).squeeze(1), sample_points(seg_targets, points).squeeze(1)

    @torch.no_grad()
    def uncertain_points(self, mask_logits: Tensor) -> Tensor:
        """Draw points (M, num_points, 2), x and y in [0, 1), for `mask_logits` (M, 1, h, w)."""
        num_masks, device = len(mask_logits), mask_logits.device
        num_uncertain = int(self.importance_sample_ratio * self.num_points)
        candidates = torch.rand(num_masks, int(self.oversample_ratio * self.num_points), 2, device=device)
        certainty = sample_points(mask_logits, candidates).squeeze(1).abs()
        chosen = certainty.topk(num_uncertain, dim=1, largest=False).indices
        uncertain = candidates.gather(1, chosen.unsqueeze(2).expand(-1, -1, 2))
        even = torch.rand(num_masks, self.num_points - num_uncertain, 2, device=device)
        return torch.cat([uncertain, even], dim=1)


def sample_points(maps: Tensor, points: Tensor, mode: str = "bilinear", align_corners: bool = False) -> Tensor:
    """Read `maps` (N, C, H, W) at `points` (N, P, 2), x and y in [0, 1] of width and height: (N, C, P).

    Beyond the centres of the outermost pixels, values fall off to 0.
    """
    grid = (2 * points - 1).unsqueeze(2).to(maps.dtype)
    return F.grid_sample(maps, grid, mode=mode, align_corners=align_corners).squeeze(3)
