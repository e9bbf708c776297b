"""Pictures and prompts at the size at which a network reads them."""

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

Size = tuple[int, int]


class ResizeLongestSide:
    """Scales pictures so that their longer side has `target_length` pixels, and points and boxes in them alike.

    Sizes are (height, width), points (..., 2) are x and y, boxes (..., 4) are x0, y0, x1, y1.
    """

    def __init__(self, target_length: int):
        self.target_length = target_length

    def applyimage(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Resize (H, W, 3) uint8, bilinearly; smaller pictures are made of averages, not of samples."""
        height, width = self.getpreprocessshape(image.shape[0], image.shape[1], self.target_length)
        return np.array(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))

    def applycoords(self, coords: NDArray[np.floating], original_size: Size) -> NDArray[np.float64]:
        """Return points (..., 2) of a picture of `original_size` in the resized one."""
        return np.asarray(coords, np.float64) * np.array(self._factors(original_size))

    def applyboxes(self, boxes: NDArray[np.floating], original_size: Size) -> NDArray[np.float64]:
        """Return boxes (..., 4) of a picture of `original_size` in the resized one."""
        return self.applycoords(np.reshape(boxes, (-1, 2, 2)), original_size).reshape(-1, 4)

    def applyimagetorch(self, image: Tensor) -> Tensor:
        """Resize (N, 3, H, W), bilinearly with averages; the result is close to `applyimage`'s, not equal to it."""
        size = self.getpreprocessshape(image.shape[2], image.shape[3], self.target_length)
        return F.interpolate(image.float(), size, mode="bilinear", align_corners=False, antialias=True)

    def applycoordstorch(self, coords: Tensor, original_size: Size) -> Tensor:
        """Return points (..., 2) of a picture of `original_size` in the resized one."""
        coords = coords if coords.is_floating_point() else coords.float()
        return coords * coords.new_tensor(self._factors(original_size))

    def applyboxestorch(self, boxes: Tensor, original_size: Size) -> Tensor:
        """Return boxes (..., 4) of a picture of `original_size` in the resized one."""
        return self.applycoordstorch(boxes.reshape(-1, 2, 2), original_size).reshape(-1, 4)

    @staticmethod
    def getpreprocessshape(oldh: int, oldw: int, long_side_length: int) -> Size:
        """Return (height, width) after resizing, rounded half up, at least 1."""
        scale = long_side_length / max(oldh, oldw)
        return max(int(oldh * scale + 0.5), 1), max(int(oldw * scale + 0.5), 1)

    def _factors(self, original_size: Size) -> tuple[float, float]:
        height, width = self.getpreprocessshape(*original_size, self.target_length)
        return width / original_size[1], height / original_size[0]
