import numpy as np
import torch

from .arrays import Sample, arrays_of


class ToTensor:
    """Turns arrays into tensors: the image (H, W, C) into (C, H, W) float32, values as they are.

    `seg_target`, `edge_target` and `img2aug_pos_mapper` keep an integer type, widened to a signed one of at least 16
    bits, which can hold -100; floating ones become float32.
    """

    def __call__(self, sample_meta: Sample) -> Sample:
        for key, array in arrays_of(self, sample_meta).items():
            if key == "image":
                dtype, array = np.dtype(np.float32), np.moveaxis(array, 2, 0)  # noqa: PLW2901
            elif array.dtype.kind == "f":
                dtype = np.dtype(np.float32)
            else:
                dtype = np.promote_types(array.dtype, np.int16)
            array = np.require(array, dtype, ["C", "W"])  # noqa: PLW2901
            if min(array.strides) < 0:  # of an axis of length 1, which counts as contiguous
                array = array.copy()  # noqa: PLW2901
            sample_meta[key] = torch.from_numpy(array)
        return sample_meta
