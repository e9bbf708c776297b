from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...utils.errors import ConfigError, ShapeError
from .arrays import SPATIAL_KEYS, Sample, check_fill
from .checks import check_choice, check_flag, check_number, check_size


class Padding:
    """Puts a sample in the centre of a fixed size.

    Reads and writes `image`, `seg_target`, `edge_target` and `img2aug_pos_mapper`, where present.

    Args:
        output_size: (height, width) in pixels, or one number for both.
        data_type: "numpy" before `ToTensor`, images are (H, W, C); "tensor" after it, they are (C, H, W). Arrays must
            not be larger than `output_size`; of tensors that are, the centre is kept.
        image_fill_value, seg_target_fill_value, edge_target_fill_value, img2aug_pos_mapper_fill_value: what surrounds
            the sample.
        output_size_auto_adaptive: swap height and width of `output_size` where the sample is upright and it is not,
            or the other way round.

    Raises:
        ConfigError: an argument is out of range, or the sample is not of `data_type`.
        ShapeError: an array is larger than `output_size`.
    """

    def __init__(
        self,
        output_size: int | Sequence[int],
        data_type: str = "numpy",
        image_fill_value: float = 0,
        seg_target_fill_value: float = -100,
        edge_target_fill_value: float = -100,
        img2aug_pos_mapper_fill_value: float = -1,
        output_size_auto_adaptive: bool = True,
    ):
        self.output_size = check_size(self, "output_size", output_size)
        check_choice(self, "data_type", data_type, ("numpy", "tensor"))
        check_flag(self, "output_size_auto_adaptive", output_size_auto_adaptive)
        self.data_type, self.output_size_auto_adaptive = data_type, output_size_auto_adaptive
        self.fill_values = {
            "image": image_fill_value,
            "seg_target": seg_target_fill_value,
            "edge_target": edge_target_fill_value,
            "img2aug_pos_mapper": img2aug_pos_mapper_fill_value,
        }
        for key, value in self.fill_values.items():
            check_number(self, f"{key}_fill_value", value)

    def __call__(self, sample_meta: Sample) -> Sample:
        is_tensor = self.data_type == "tensor"
        for key in SPATIAL_KEYS:
            if key in sample_meta:
                if isinstance(sample_meta[key], Tensor) != is_tensor:
                    order = "after" if is_tensor else "before"
                    raise ConfigError(
                        f"Padding: data_type={self.data_type!r} belongs {order} ToTensor, "
                        f"but {key} is a {type(sample_meta[key]).__name__}"
                    )
                pad = self.padded_tensor if is_tensor else self.padded_array
                sample_meta[key] = pad(key, sample_meta[key])
        return sample_meta

    def padded_array(self, key: str, array: np.ndarray) -> np.ndarray:
        """Return the array (H, W) or (H, W, C) with what surrounds it."""
        height, width = array.shape[:2]
        new_height, new_width = self.size_for(height, width)
        if (height, width) == (new_height, new_width):
            return array
        if height > new_height or width > new_width:
            raise ShapeError(
                f"Padding: {key} of {height} x {width} pixels is larger than output_size {new_height} x {new_width}; "
                "crop or resize it before"
            )
        if array.dtype.kind in "iu":
            check_fill(self, key, np.iinfo(array.dtype), self.fill_values[key])
        top, left = (new_height - height) // 2, (new_width - width) // 2
        padded = np.full((new_height, new_width, *array.shape[2:]), self.fill_values[key], dtype=array.dtype)
        padded[top : top + height, left : left + width] = array
        return padded

    def padded_tensor(self, key: str, tensor: Tensor) -> Tensor:
        """Return the tensor (H, W) or (C, H, W) with what surrounds it, or its centre."""
        height, width = tensor.shape[-2:]
        new_height, new_width = self.size_for(height, width)
        if (height, width) == (new_height, new_width):
            return tensor
        if not tensor.is_floating_point():
            check_fill(self, key, torch.iinfo(tensor.dtype), self.fill_values[key])
        top, left = (new_height - height) // 2, (new_width - width) // 2
        borders = (left, new_width - width - left, top, new_height - height - top)
        return F.pad(tensor, borders, value=self.fill_values[key])

    def size_for(self, height: int, width: int) -> tuple[int, int]:
        """Return (height, width) of the result for a sample of `height` x `width`."""
        new_height, new_width = self.output_size
        turned = (height - width) * (new_height - new_width) < 0
        return (new_width, new_height) if turned and self.output_size_auto_adaptive else (new_height, new_width)
