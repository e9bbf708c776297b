"""How predicted masks are compared with those of the target: everywhere, or at points."""

from abc import ABC, abstractmethod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ...losses import FocalLoss
from ...samplers import sample_points
from ..base import resize


class MaskComparison(ABC):
    """Looks at masks at P places; what a mask costs there is linear in its target.

    A subclass writes which places those are and, for one place, `measure`.
    """

    @abstractmethod
    def read_for_matching(self, logits: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Return (Q, P) of predictions (Q, h, w), and (T, P), in 0..1, of masks (T, H, W), at places common to all."""

    @abstractmethod
    def read_for_loss(self, logits: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Return (M, P) of predictions (M, h, w), and (M, P), in 0..1, of their masks (M, H, W)."""

    @abstractmethod
    def measure(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return what each of `logits` costs, given `targets`, both of any shape."""

    def costs(self, logits: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Return for every prediction (Q, h, w) and every mask (T, H, W) the cost of a place, and of the overlap.

        Returns:
            (Q, T) each.
        """
        x, t = self.read_for_matching(logits, masks)
        p = x.sigmoid()
        if_inside, if_outside = self.measure(x, torch.ones_like(x)), self.measure(x, torch.zeros_like(x))
        per_place = (if_inside @ t.T + if_outside @ (1 - t).T) / x.shape[1]
        return per_place, dice(p @ t.T, p.sum(dim=1)[:, None], t.sum(dim=1))

    def losses(self, logits: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Return what predictions (M, h, w) of masks (M, H, W) cost, as `costs` does: (M,) each."""
        x, t = self.read_for_loss(logits, masks)
        p = x.sigmoid()
        return self.measure(x, t).mean(dim=1), dice((p * t).sum(dim=1), p.sum(dim=1), t.sum(dim=1))


def dice(overlap: Tensor, predicted: Tensor, target: Tensor) -> Tensor:
    """Return one minus the share of the overlap in the two areas, with 1 added so that it is defined for empty masks.

    Paper: Milletari et al., "V-Net", 3DV 2016, arXiv:1606.04797, section 3.
    """
    return 1 - (2 * overlap + 1) / (predicted + target + 1)


class DenseComparison(MaskComparison):
    """Compares masks at every pixel, with the focal loss: of predictions to match them, of targets for the loss.

    Paper: Cheng et al., "Per-Pixel Classification is Not All You Need for Semantic Segmentation", NeurIPS 2021,
    arXiv:2107.06278, section 3.3.
    """

    def __init__(self) -> None:
        self.focal = FocalLoss(gamma=2.0, alpha=0.25)

    def read_for_matching(self, logits: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        t = F.interpolate(masks[None].to(logits.dtype), logits.shape[1:], mode="nearest")[0]
        return logits.flatten(1), t.flatten(1)

    def read_for_loss(self, logits: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        x = resize(logits[None], masks.shape[1:], align_corners=False)[0]  # type: ignore[arg-type]
        return x.flatten(1), masks.flatten(1).to(logits.dtype)

    def measure(self, logits: Tensor, targets: Tensor) -> Tensor:
        return self.focal.binary(logits, targets)


class PointComparison(MaskComparison):
    """Compares masks at points, with the cross entropy: at random ones to match them, at uncertain ones for the loss.

    Paper: Cheng et al., "Masked-attention Mask Transformer for Universal Image Segmentation", CVPR 2022,
    arXiv:2112.01527, section 3.3.

    Args:
        num_points: random points to match the masks of an image.
        sampler: chooses points for the loss, such as a `UGSampler`.
    """

    def __init__(self, num_points: int, sampler: Any):
        self.num_points, self.sampler = num_points, sampler

    def read_for_matching(self, logits: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        points = torch.rand(1, self.num_points, 2, device=logits.device)
        return sample_points(logits[None], points)[0], sample_points(masks[None].to(logits.dtype), points)[0]

    def read_for_loss(self, logits: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        return self.sampler.sample(logits, masks)

    def measure(self, logits: Tensor, targets: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
