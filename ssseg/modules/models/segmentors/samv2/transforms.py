"""Pictures, prompts and masks at the size at which SAM 2 reads them, and back."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ..sam.prompts import require_image
from .masks import without_small_regions

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of RGB in 0..1
Size = tuple[int, int]


def normalized(image: Tensor) -> Tensor:
    """Return (3, H, W), RGB in 0..1, with the mean and the spread of ImageNet's pictures taken out."""
    mean, std = (image.new_tensor(values)[:, None, None] for values in (MEAN, STD))
    return (image - mean) / std


class SAMV2Transforms:
    """Resizes pictures to a square, scales prompts alike, and brings masks back, without small regions.

    Args:
        resolution: side of the square.
        mask_threshold: the logit from which on a pixel belongs to a mask.
        max_hole_area, max_sprinkle_area: holes and islands of so many pixels of the network's mask, or fewer, are
            taken out; 0 leaves all.
    """

    def __init__(
        self, resolution: int, mask_threshold: float = 0.0, max_hole_area: float = 0.0, max_sprinkle_area: float = 0.0
    ):
        self.resolution, self.mask_threshold = resolution, mask_threshold
        self.max_hole_area, self.max_sprinkle_area = max_hole_area, max_sprinkle_area

    def __call__(self, image: NDArray[np.uint8] | Image.Image, device: torch.device | None = None) -> Tensor:
        """Return (3, resolution, resolution), normalized, of a picture (H, W, 3) uint8, RGB, or one of Pillow.

        Raises:
            ShapeError, DataError: it is something else.
        """
        pixels = np.array(image.convert("RGB")) if isinstance(image, Image.Image) else image
        require_image(pixels)
        colours = torch.from_numpy(np.ascontiguousarray(pixels)).to(device).permute(2, 0, 1) / 255
        square = (self.resolution, self.resolution)
        return normalized(F.interpolate(colours[None], square, mode="bilinear", antialias=True)[0])

    def coords(self, points: Tensor, size: Size, normalize: bool = True) -> Tensor:
        """Return points (..., 2), x and y, in pixels of the square.

        Args:
            points: in pixels of a picture of `size` (H, W), or without `normalize` as shares of its sides.
        """
        if normalize:
            points = points / points.new_tensor([size[1], size[0]])
        return points * self.resolution

    def postprocess(self, masks: Tensor, size: Size) -> Tensor:
        """Return logits (B, M, H, W) of a picture of `size` (H, W), without small regions, of those (B, M, h, w)."""
        areas = self.max_hole_area, self.max_sprinkle_area
        masks = without_small_regions(masks.float(), self.mask_threshold, *areas, margin=10.0)
        return F.interpolate(masks, size, mode="bilinear", align_corners=False)
