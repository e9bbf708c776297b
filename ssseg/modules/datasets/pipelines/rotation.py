import cv2
import numpy as np

from .arrays import INTERPOLATIONS, Sample, arrays_of, by_channels, check_fill, size_of
from .checks import check_choice, check_number


class RandomRotation:
    """Rotates a sample around its centre by whole degrees, with probability `prob`; the size stays.

    Reads and writes `image`, `seg_target`, `edge_target` and `img2aug_pos_mapper`, where present.

    Args:
        prob: in [0, 1].
        angle_upper: degrees, a whole number; the angle is drawn from -angle_upper .. angle_upper - 1.
        image_fill_value, seg_target_fill_value, img2aug_pos_mapper_fill_value: what comes in from outside.
        image_interpolation, seg_target_interpolation, img2aug_pos_mapper_interpolation: "nearest", "bilinear",
            "bicubic", "area" or "lanczos". Edge targets are treated like label maps.

    Raises:
        ConfigError: an argument is out of range, or a label map cannot hold its fill value.
    """

    def __init__(
        self,
        prob: float = 0.5,
        angle_upper: int = 30,
        image_fill_value: float = 0.0,
        seg_target_fill_value: float = -100,
        image_interpolation: str = "bicubic",
        seg_target_interpolation: str = "nearest",
        img2aug_pos_mapper_fill_value: float = -1,
        img2aug_pos_mapper_interpolation: str = "nearest",
    ):
        check_number(self, "prob", prob, 0, 1)
        check_number(self, "angle_upper", angle_upper, 0, whole=True)
        self.prob, self.angle_upper = prob, angle_upper
        self.border = {
            "image": (image_interpolation, image_fill_value),
            "seg_target": (seg_target_interpolation, seg_target_fill_value),
            "edge_target": (seg_target_interpolation, seg_target_fill_value),
            "img2aug_pos_mapper": (img2aug_pos_mapper_interpolation, img2aug_pos_mapper_fill_value),
        }
        for key, (interpolation, fill_value) in self.border.items():
            check_choice(self, f"{key}_interpolation", interpolation, INTERPOLATIONS)
            check_number(self, f"{key}_fill_value", fill_value)

    def __call__(self, sample_meta: Sample) -> Sample:
        arrays = arrays_of(self, sample_meta)
        if np.random.rand() > self.prob or not self.angle_upper or not arrays:
            return sample_meta
        angle = np.random.randint(-self.angle_upper, self.angle_upper)
        height, width = size_of(arrays)
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
        for key, array in arrays.items():
            sample_meta[key] = self.rotated(key, array, matrix)
        return sample_meta

    def rotated(self, key: str, array: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        """Return the array (H, W) or (H, W, C) under the affine map `matrix` (2, 3)."""
        interpolation, fill_value = self.border[key]
        if array.dtype.kind in "iu":
            check_fill(self, key, np.iinfo(array.dtype), fill_value)
        if interpolation == "nearest" and array.ndim == 2:
            return _rotated_bits(array, matrix, fill_value)
        size = array.shape[1::-1]
        flag, value = INTERPOLATIONS[interpolation], (fill_value,) * 4
        return by_channels(lambda part: cv2.warpAffine(part, matrix, size, flags=flag, borderValue=value), array)


def _rotated_bits(labels: np.ndarray, matrix: np.ndarray, fill_value: float) -> np.ndarray:
    """Rotate a map (H, W) of any dtype: what lies halfway between two pixels goes the same way in all of them.

    OpenCV rounds coordinates by dtype and number of channels, so every value travels as one to four uint16 words.
    """
    if labels.itemsize == 1:
        return _rotated_bits(labels.astype(np.int16), matrix, fill_value).astype(labels.dtype)
    words = np.ascontiguousarray(labels)[:, :, None].view(np.uint16)  # (H, W, words of a value)
    border = np.array([fill_value]).astype(labels.dtype).view(np.uint16)
    rotated = np.empty_like(words)
    for index, value in enumerate(border.tolist()):
        word = np.ascontiguousarray(words[:, :, index])
        rotated[:, :, index] = cv2.warpAffine(
            word, matrix, labels.shape[::-1], flags=cv2.INTER_NEAREST, borderValue=value
        )
    return rotated.view(labels.dtype)[:, :, 0]
