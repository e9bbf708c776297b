"""Online hard example mining."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ...utils.errors import ConfigError, ShapeError
from ..losses.base import full_precision, shape
from ..losses.targets import read_labels
from .base import BasePixelSampler


class OHEMPixelSampler(BasePixelSampler):
    """Keeps the pixels whose class is predicted with a low probability.

    The `min_kept_per_image` * N hardest pixels of a batch are kept (all, where there are fewer), and with `thresh`
    all pixels of a probability below it as well.

    Source: Shrivastava et al., "Training Region-based Object Detectors with Online Hard Example Mining", CVPR 2016,
    arXiv:1604.03540; for pixels Wu et al., arXiv:1604.04339, section 3.3.

    Args:
        thresh: probability in [0, 1], or None to keep the hardest pixels only.
        min_kept_per_image: at least 1.
        ignore_index: label of the pixels that are never kept; that of the losses.

    Raises:
        ConfigError: an argument is out of range.
    """

    def __init__(self, thresh: float | None = None, min_kept_per_image: int = 100000, ignore_index: int = -100):
        if thresh is not None and not 0 <= thresh <= 1:
            raise ConfigError(f"OHEMPixelSampler: thresh={thresh!r} must lie in [0, 1], or be None")
        if min_kept_per_image < 1:
            raise ConfigError(f"OHEMPixelSampler: min_kept_per_image={min_kept_per_image!r} must be at least 1")
        self.thresh = thresh
        self.min_kept_per_image = min_kept_per_image
        self.ignore_index = ignore_index

    def sample(self, seg_logits: Tensor, seg_targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits (K, C) and labels (K,) of the kept pixels.

        Args:
            seg_logits: (N, C, H, W); with C = 1 label 1 is the positive class, by its sigmoid.
            seg_targets: (N, H, W) labels of any integer or float dtype.

        Raises:
            ShapeError: the shapes do not fit.
            LabelError: a label is outside the classes (looked for on the CPU only).
        """
        if seg_targets.shape != seg_logits.shape[:1] + seg_logits.shape[2:]:
            raise ShapeError(
                f"OHEMPixelSampler: the target {shape(seg_targets)} does not fit the prediction {shape(seg_logits)}; "
                "it takes labels, which have its shape without axis 1"
            )
        labels, valid = read_labels("OHEMPixelSampler", seg_logits, seg_targets, self.ignore_index)
        kept = self._kept(full_precision(seg_logits), labels, valid)
        return seg_logits.movedim(1, -1)[kept], labels[kept]

    @torch.no_grad()
    def _kept(self, logits: Tensor, labels: Tensor, valid: Tensor) -> Tensor:
        if logits.shape[1] == 1:
            cost = F.softplus(torch.where(labels == 1, -logits[:, 0], logits[:, 0]))
        else:
            cost = F.cross_entropy(logits, labels, ignore_index=self.ignore_index, reduction="none")
        probability = torch.exp(-cost[valid])
        num_kept = min(self.min_kept_per_image * len(labels), len(probability))
        if num_kept == 0:
            return valid
        hard = probability <= probability.topk(num_kept, largest=False, sorted=False).values.max()
        if self.thresh is not None:
            hard |= probability < self.thresh
        return valid.masked_scatter(valid, hard)
