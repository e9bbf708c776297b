"""The loss of a set of masks: which prediction is whose, and what the pairs cost."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ....utils.distributed import ddpallreducemean
from ...losses.base import full_precision
from .assignment import assign
from .comparison import MaskComparison
from .targets import MaskTarget, no_object, read_targets

_TERMS = ("loss_ce", "loss_mask", "loss_dice")
_UNKNOWN = -100  # the class of predictions for an image without a labelled pixel


class MaskPrediction(NamedTuple):
    """Q masks for each image, and what each shows.

    Shape:
        class_logits: (N, Q, K + 1); the last class means that there is no such object. mask_logits: (N, Q, h, w).
    """

    class_logits: Tensor
    mask_logits: Tensor


class MatcherWeights(NamedTuple):
    """What class, places and overlap of a mask count, in matching and in the loss."""

    cost_class: float
    cost_mask: float
    cost_dice: float


class SetCriterion(nn.Module):
    """Gives each mask of the target the prediction that fits it best, and teaches the others that they show nothing.

    An image without a labelled pixel teaches nothing. Classes count by `empty_weight`; a mean over masks, or over
    predictions, is one over the batch of all processes.

    Paper: Carion et al., "End-to-End Object Detection with Transformers", ECCV 2020, arXiv:2005.12872, section 3.1;
    for masks Cheng et al., NeurIPS 2021, arXiv:2107.06278, section 3.3.

    Args:
        ignore_index: label of pixels that belong to no mask.
        no_object_weight: what a prediction that shows nothing counts, where others count 1.
    """

    empty_weight: Tensor

    def __init__(
        self,
        num_classes: int,
        weights: MatcherWeights,
        comparison: MaskComparison,
        *,
        ignore_index: int,
        no_object_weight: float = 0.1,
    ):
        super().__init__()
        self.num_classes, self.ignore_index = num_classes, ignore_index
        self.weights, self.comparison = weights, comparison
        self.register_buffer("empty_weight", no_object(num_classes, no_object_weight))

    def forward(self, predictions: Sequence[MaskPrediction], labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss () and its terms, name -> detached (), with `loss_total`.

        Args:
            predictions: the last layer's first; the terms of the i-th of the others, from 0, are named loss_..._i.
            labels: (N, H, W).

        Raises:
            LabelError: a label is outside the classes.
            DivergedError: a prediction is not finite.
        """
        targets = read_targets(labels, self.num_classes, self.ignore_index)
        made = [self._sums(prediction, targets) for prediction in predictions]
        num_masks = labels.new_tensor(sum(len(target.classes) for target in targets), dtype=torch.float32)
        totals = ddpallreducemean(torch.stack([num_masks, *(count for _, count in made)]))
        num_masks, losses = totals[0].clamp(min=1), {}
        for i, ((sums, _), count) in enumerate(zip(made, totals[1:], strict=True), start=-1):
            divisors = torch.where(count > 0, count, 1), num_masks, num_masks
            for name, term, divisor, weight in zip(_TERMS, sums, divisors, self.weights, strict=True):
                losses[name if i < 0 else f"{name}_{i}"] = weight * term / divisor
        total = torch.stack(list(losses.values())).sum()
        return total, {**{name: loss.detach() for name, loss in losses.items()}, "loss_total": total.detach()}

    def _sums(self, prediction: MaskPrediction, targets: Sequence[MaskTarget]) -> tuple[list[Tensor], Tensor]:
        """Return the sums of the three terms, () each, and what the predictions' classes count together, ()."""
        logits, masks = map(full_precision, prediction)
        pairs = self.match(MaskPrediction(logits, masks), targets)
        classes = logits.new_full(logits.shape[:2], _UNKNOWN, dtype=torch.int64)
        for i, ((queries, members), target) in enumerate(zip(pairs, targets, strict=True)):
            if len(target.classes):
                classes[i] = self.num_classes
                classes[i, queries] = target.classes[members]
        paired = torch.cat([masks[i, queries] for i, (queries, _) in enumerate(pairs)])  # (M, h, w)
        shown = [target.masks[members] for (_, members), target in zip(pairs, targets, strict=True)]
        wanted = torch.cat(shown)  # (M, H, W)
        weight = self.empty_weight.to(logits.dtype)
        of_class = F.cross_entropy(logits.flatten(0, 1), classes.flatten(), weight, reduction="sum")
        of_masks = self.comparison.losses(paired, wanted) if len(paired) else (paired.sum(), paired.sum())
        count = weight[classes[classes != _UNKNOWN]].sum()
        return [of_class, *(term.sum() for term in of_masks)], count.detach().float()

    @torch.no_grad()
    def match(self, prediction: MaskPrediction, targets: Sequence[MaskTarget]) -> list[tuple[Tensor, Tensor]]:
        """Return for each image the predictions, ascending, and the masks they are paired with: (min(Q, T),) each."""
        costs = torch.cat(list(self._costs(prediction, targets)), dim=1).cpu().numpy()  # one transfer
        ends = np.cumsum([len(target.classes) for target in targets])
        device = prediction.class_logits.device
        pairs = [assign(cost) for cost in np.split(costs, ends[:-1], axis=1)]
        return [(torch.from_numpy(rows).to(device), torch.from_numpy(columns).to(device)) for rows, columns in pairs]

    def _costs(self, prediction: MaskPrediction, targets: Sequence[MaskTarget]) -> Iterator[Tensor]:
        """Yield for each image (Q, T): what it would cost that a prediction shows a mask."""
        for logits, masks, target in zip(*prediction, targets, strict=True):
            if not len(target.classes):
                yield logits[:, :0]
                continue
            of_class = -logits.softmax(dim=1)[:, target.classes]
            of_places, of_overlap = self.comparison.costs(masks, target.masks)
            cost_class, cost_mask, cost_dice = self.weights
            yield cost_class * of_class + cost_mask * of_places + cost_dice * of_overlap
