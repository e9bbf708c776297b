"""Cross entropy."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from ...utils.errors import ConfigError, ShapeError
from ..upsampling import upsampled_cross_entropy
from .base import shape
from .classweight import class_weight_for
from .pixelloss import PixelLoss
from .targets import read_labels


class CrossEntropyLoss(PixelLoss):
    """Cross entropy of softmax and target, or with `use_sigmoid` of each class's sigmoid and target.

    Args:
        label_smoothing: in [0, 1], the share of the target that is spread evenly over the classes; without effect
            with `use_sigmoid`. Source: Szegedy et al., CVPR 2016, arXiv:1512.00567, section 7.

    The other arguments, shapes and errors are those of `PixelLoss`.

    Raises:
        ConfigError: label_smoothing is outside [0, 1].
    """

    def __init__(
        self,
        use_sigmoid: bool = False,
        reduction: str = "mean",
        class_weight: Sequence[float] | None = None,
        norm_loss_with_class_weight: bool = True,
        label_smoothing: float = 0.0,
        ignore_index: int = -100,
        scale_factor: float = 1.0,
        lowest_loss_value: float | None = None,
    ):
        super().__init__(
            use_sigmoid=use_sigmoid,
            reduction=reduction,
            class_weight=class_weight,
            norm_loss_with_class_weight=norm_loss_with_class_weight,
            ignore_index=ignore_index,
            scale_factor=scale_factor,
            lowest_loss_value=lowest_loss_value,
        )
        if not 0 <= label_smoothing <= 1:
            raise ConfigError(f"{self.name}: label_smoothing={label_smoothing!r} must lie in [0, 1]")
        self.label_smoothing = label_smoothing

    def binary(self, scores: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(scores, target, reduction="none")

    def categorical(self, scores: Tensor, labels: Tensor) -> Tensor:
        # for each pixel: PyTorch's own sum over them is not deterministic on a GPU
        return F.cross_entropy(
            scores, labels, ignore_index=self.ignore_index, label_smoothing=self.label_smoothing, reduction="none"
        )

    def categorical_dense(self, scores: Tensor, target: Tensor) -> Tensor:
        costs = -F.log_softmax(scores, dim=1)
        loss = (target * costs).sum(dim=1)
        if self.label_smoothing == 0:
            return loss
        return (1 - self.label_smoothing) * loss + self.label_smoothing * target.sum(dim=1) * costs.mean(dim=1)

    @property
    def takes_small_logits(self) -> bool:
        """Whether `of_small_logits` gives the mean of what `forward` gives for resized logits."""
        plain = type(self) is CrossEntropyLoss and not self.use_sigmoid
        return plain and (self.reduction != "none" or self.lowest_loss_value is None)

    def of_small_logits(self, x_src: Tensor, x_tgt: Tensor, align_corners: bool) -> Tensor:
        """Return the mean of the loss of bilinearly resized logits, without making these.

        Shape:
            x_src: (N, C, h, w). x_tgt: labels (N, H, W). Result: ().

        Raises:
            ConfigError, ShapeError, LabelError: as `forward` for the resized logits.
        """
        if x_src.shape[1] == 1 or x_tgt.ndim != 3 or len(x_src) != len(x_tgt):
            raise ShapeError(f"{self.name}: the target {shape(x_tgt)} does not fit the prediction {shape(x_src)}")
        labels, valid = read_labels(self.name, x_src, x_tgt, self.ignore_index)
        class_weight = class_weight_for(self.name, self.class_weight, x_src.float())
        loss, weights = upsampled_cross_entropy(
            x_src,
            labels,
            class_weight=class_weight,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            align_corners=align_corners,
        )
        if self.reduction == "none":
            return self.finish(loss / max(labels.numel(), 1))
        by_weight = class_weight is not None and self.norm_loss_with_class_weight
        return self.finish(loss, count=weights if by_weight else valid.sum())
