"""The documented pipeline done plainly, one step after the other: what the fast ones are measured against.

Each step does what the documents say in the most direct way, as training codes of this field usually do: a pass over
the label map for each class id in floating point, the whole picture resized, brightness, contrast, saturation and hue
one by one, floating-point pixels normalized on the CPU. Random numbers are drawn in the order of our own transforms,
so that results can be compared.
"""

from collections.abc import Mapping

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

MEAN, STD = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])


class PlainPipeline:
    """Reads a picture with its label map and prepares a training view of it.

    Args:
        clsid2label: number in a label file -> label.
        output_size, crop_size: of the documented `Resize` and `RandomCrop`.
    """

    def __init__(self, clsid2label: Mapping[int, int], output_size: tuple[int, int], crop_size: tuple[int, int]):
        self.clsid2label, self.output_size, self.crop_size = clsid2label, output_size, crop_size

    def __call__(self, image_path: str, label_path: str) -> tuple[torch.Tensor, torch.Tensor]:
        image, label = self.read(image_path, label_path)
        image, label = self.resized(image, label)
        image, label = self.cropped(image, label)
        if np.random.rand() <= 0.5:
            image, label = cv2.flip(image, 1), cv2.flip(label, 1)
        image = self.distorted(image)
        image = cv2.cvtColor(image.astype(np.float32), cv2.COLOR_BGR2RGB)
        cv2.subtract(image, MEAN.reshape(1, -1), image)
        cv2.multiply(image, 1 / STD.reshape(1, -1), image)
        tensor = torch.from_numpy(image.transpose(2, 0, 1).copy()).float()
        return self.padded(tensor, 0), self.padded(torch.from_numpy(label.copy()).float(), -100)

    def read(self, image_path: str, label_path: str) -> tuple[np.ndarray, np.ndarray]:
        image = cv2.imread(image_path)
        with Image.open(label_path) as picture:
            indexed = np.asarray(picture) if picture.mode == "P" else None  # OpenCV would turn them into grey levels
        raw = (cv2.imread(label_path, cv2.IMREAD_GRAYSCALE) if indexed is None else indexed).astype(np.float32)
        label = raw.copy()
        for number, to in self.clsid2label.items():
            label[raw == number] = to
        return image, label

    def resized(self, image: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        scale = np.random.uniform(0.5, 2.0)
        long, short = (int(edge * scale) for edge in self.output_size)
        height, width = image.shape[:2]
        factor = min(long / max(height, width), short / min(height, width))
        size = int(width * factor + 0.5), int(height * factor + 0.5)
        return cv2.resize(image, size), cv2.resize(label, size, interpolation=cv2.INTER_NEAREST)

    def cropped(self, image: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        height, width = (min(edge, size) for edge, size in zip(self.crop_size, label.shape, strict=True))
        for _ in range(10):
            whole_image, whole_label = image.copy(), label.copy()
            top = np.random.randint(label.shape[0] - height + 1)
            left = np.random.randint(label.shape[1] - width + 1)
            window = slice(top, top + height), slice(left, left + width)
            cut_image, cut_label = whole_image[window], whole_label[window]
            labels, counts = np.unique(cut_label, return_counts=True)
            counts = counts[labels >= 0]
            if len(counts) > 1 and counts.max() / counts.sum() < 0.75:
                break
        return cut_image, cut_label

    def distorted(self, image: np.ndarray) -> np.ndarray:
        if np.random.randint(2):
            image = scaled(image, beta=np.random.uniform(-32, 32))
        first = np.random.randint(2)
        if first and np.random.randint(2):
            image = scaled(image, alpha=np.random.uniform(0.5, 1.5))
        if np.random.randint(2):
            hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
            hsv[..., 1] = scaled(hsv[..., 1], alpha=np.random.uniform(0.5, 1.5))
            image = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
        if np.random.randint(2):
            hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
            hsv[..., 0] = (hsv[..., 0].astype(int) + np.random.randint(-18, 18)) % 180
            image = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
        if not first and np.random.randint(2):
            image = scaled(image, alpha=np.random.uniform(0.5, 1.5))
        return image

    def padded(self, tensor: torch.Tensor, value: float) -> torch.Tensor:
        height, width = (total - size for total, size in zip(self.crop_size, tensor.shape[-2:], strict=True))
        return F.pad(tensor, (width // 2, width - width // 2, height // 2, height - height // 2), value=value)


def scaled(levels: np.ndarray, alpha: float = 1, beta: float = 0) -> np.ndarray:
    return np.clip(levels.astype(np.float32) * alpha + beta, 0, 255).astype(np.uint8)
