"""All transforms of a data pipeline: each takes a sample, changes some of its arrays, and returns it.

A sample is a dictionary with `image` (H, W, C) uint8 BGR, `seg_target` (H, W) int16 where -100 is ignored,
`edge_target` (H, W), `img2aug_pos_mapper` (H, W), `width` and `height` (those of the original image) and `id`.
Keys that are absent are skipped. The arrays that a transform is given stay as they are. Random numbers come from the
global generator of NumPy, which the data set seeds for each sample.
"""

from .albumentations_wrapper import AlbumentationsWrapper
from .blur import PILRandomGaussianBlur, RandomGaussianBlur
from .colour import CLAHE, AdjustGamma, Rerange, RGB2Gray
from .compose import Compose
from .crop import RandomCrop
from .cutout import RandomCutOut
from .edges import EdgeExtractor
from .flip import RandomFlip
from .normalize import Normalize
from .padding import Padding
from .photometric import PhotoMetricDistortion
from .resize import RandomChoiceResize, RandomShortestEdgeResize, Resize, ResizeShortestEdge
from .rotation import RandomRotation
from .totensor import ToTensor

__all__ = [
    "AdjustGamma",
    "AlbumentationsWrapper",
    "CLAHE",
    "Compose",
    "EdgeExtractor",
    "Normalize",
    "PILRandomGaussianBlur",
    "Padding",
    "PhotoMetricDistortion",
    "RGB2Gray",
    "RandomChoiceResize",
    "RandomCrop",
    "RandomCutOut",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomRotation",
    "RandomShortestEdgeResize",
    "Rerange",
    "Resize",
    "ResizeShortestEdge",
    "ToTensor",
]
