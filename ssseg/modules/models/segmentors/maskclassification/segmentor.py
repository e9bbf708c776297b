from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from ....utils.datastructure import SSSegInputStructure, SSSegOutputStructure
from ....utils.labelmap import IGNORE_INDEX
from ..base import BaseSegmentor, resize
from ..base.labelsizes import draw_labels
from ..base.singlevalue import explain_single_value
from .criterion import MaskPrediction, SetCriterion

_QUERIES_AT_ONCE = 20  # so many masks are held at the images' size


class MaskSegmentor(BaseSegmentor):
    """A segmentor that predicts a set of masks with a class each, and scores a class by the masks that show it.

    A subclass builds `criterion` in its `build_head`, and writes `predict_masks`. The scores are sums of probabilities,
    at the images' size. An auxiliary head is kept, as published checkpoints may have one, but neither read nor trained.
    """

    auxiliary_reads_maps: ClassVar[bool] = False
    criterion: SetCriterion

    def predict_masks(self, features: list[Tensor]) -> list[MaskPrediction]:
        """Return what the layers predict of the selected backbone maps: the last layer first, then those to train."""
        raise NotImplementedError(f"{type(self).__name__} does not write predict_masks()")

    def forward(self, data_meta: SSSegInputStructure) -> SSSegOutputStructure:  # type: ignore[override]
        """Predict and, unless in mode "TEST", compare with the targets."""
        images: Any = data_meta.images  # (N, C, H, W)
        selected = self.cfg["backbone"].get("selected_indices")
        try:
            features = self.transforminputs(self.backbone_net(images), selected_indices=selected)
            predictions = self.predict_masks(features)
        except ValueError as error:
            explain_single_value(self, error)
            raise
        scores = None if self.mode == "TRAIN" else self.score(predictions[0], images.shape[2:])
        if self.mode == "TEST":
            return SSSegOutputStructure(mode="TEST", seg_logits=scores)
        labels = data_meta.getannotations()["seg_targets"]
        if (self.cfg.get("runtime") or {}).get("loss_grid") == "logits":
            grid: Any = predictions[0].mask_logits.shape[2:]
            labels = draw_labels(labels, grid, self.align_corners)
        with torch.autocast(images.device.type, enabled=False):
            loss, losses_log_dict = self.criterion(predictions, labels)
        return SSSegOutputStructure(mode=self.mode, loss=loss, losses_log_dict=losses_log_dict, seg_logits=scores)  # type: ignore[arg-type]

    def score(self, prediction: MaskPrediction, size: tuple[int, int]) -> Tensor:
        """Return for each pixel of `size` and each class the sum over masks of how likely they show both: (N, K, H, W).

        Paper: Cheng et al., NeurIPS 2021, arXiv:2107.06278, section 3.4, semantic inference.
        """
        shows = prediction.class_logits.float().softmax(dim=2)[:, :, :-1].transpose(1, 2)  # (N, K, Q)
        scores: Any = 0
        masks = prediction.mask_logits.float()
        for some, their_masks in zip(
            shows.split(_QUERIES_AT_ONCE, dim=2), masks.split(_QUERIES_AT_ONCE, dim=1), strict=True
        ):
            inside = resize(their_masks, size, self.align_corners).sigmoid()  # (N, q, H, W)
            scores = scores + torch.einsum("nkq,nqhw->nkhw", some, inside)
        return scores

    def probabilities(self, scores: Tensor) -> Tensor:
        """Return the share of each class in the scores of a pixel: they are sums of probabilities already."""
        return scores / scores.sum(dim=1, keepdim=True).clamp(min=torch.finfo(scores.dtype).tiny)

    def setauxiliarydecoder(self, auxiliary_cfg: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None) -> None:
        """Build `auxiliary_decoder` for the sake of checkpoints that have one; nothing trains it."""
        super().setauxiliarydecoder(auxiliary_cfg)
        if self.auxiliary_decoder is not None:
            self.auxiliary_decoder.requires_grad_(False)

    @property
    def ignore_index(self) -> int:
        """The label of pixels that do not count: that of the training set."""
        dataset = self.cfg.get("dataset") or {}
        return {**dataset, **(dataset.get("train") or {})}.get("ignore_index", IGNORE_INDEX)
