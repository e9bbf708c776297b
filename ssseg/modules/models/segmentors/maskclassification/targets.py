from dataclasses import dataclass

import torch
from torch import Tensor

from ....utils.errors import LabelError, listed


@dataclass(frozen=True)
class MaskTarget:
    """The masks of an image, one for each class in it.

    Shape:
        classes: (T,) int64, ascending. masks: (T, H, W) bool. Without a labelled pixel T is 0.
    """

    classes: Tensor
    masks: Tensor


def read_targets(labels: Tensor, num_classes: int, ignore_index: int) -> list[MaskTarget]:
    """Return the masks of each image; an ignored pixel is in none of them.

    Args:
        labels: (N, H, W), of any integer or float dtype.

    Raises:
        LabelError: a label is outside the classes and not `ignore_index`.
    """
    labels = labels.long()
    targets = []
    for image in labels:
        found = image.unique()
        classes = found[found != ignore_index]
        wrong = [label for label in classes.tolist() if not 0 <= label < num_classes]
        if wrong:
            raise LabelError(
                f"the labels {listed(map(str, wrong), 8)} are outside the {num_classes} classes and not "
                f"ignore_index={ignore_index}, which is that of SEGMENTOR_CFG['dataset']."
            )
        targets.append(MaskTarget(classes, image == classes[:, None, None]))
    return targets


def no_object(num_classes: int, weight: float) -> Tensor:
    """Return the weights (num_classes + 1,) of the classes: 1, and `weight` of the last, that there is no object."""
    weights = torch.ones(num_classes + 1)
    weights[-1] = weight
    return weights
