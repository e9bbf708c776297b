"""One image in, one label map out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..modules.datasets.pipelines.builder import build_pipeline
from ..modules.utils.configparser import load_config
from ..modules.utils.drawing import overlay
from ..modules.utils.errors import ConfigError, ImageError
from ..modules.utils.labelmap import LabelMap
from ..modules.utils.rasters import as_picture, read_pixels
from .build import label_map_of, load_segmentor
from .devices import Precision, choose_device, set_up_backends
from .imagechannels import images_channels
from .labelling import label_images
from .options import RuntimeOptions
from .weightfiles import read_header


@dataclass(frozen=True)
class Prediction:
    """What a `Predictor` returns.

    Shape:
        image: (H, W, 3) uint8 RGB. labels: (H, W) int16, class ids of `label_map`.
    """

    image: np.ndarray
    labels: np.ndarray
    label_map: LabelMap

    def overlay(self, alpha: float = 0.5) -> np.ndarray:
        """Return the image blended with the classes' colours: (H, W, 3) uint8 RGB; `alpha` is the colours' share."""
        return overlay(self.image, self.labels, self.label_map.palette, alpha)

    def shares(self) -> dict[str, float]:
        """Return the share of the pixels of each class that occurs, largest first."""
        counts = np.bincount(self.labels.ravel(), minlength=self.label_map.num_classes)
        order = [int(label) for label in np.argsort(-counts) if counts[label]]
        return {self.label_map.classnames[label]: float(counts[label]) / self.labels.size for label in order}


class Predictor:
    """Segments images with a trained model. No data set needs to be on disk.

    Args:
        cfg: a `SEGMENTOR_CFG`, a config file's path or an experiment's name; None takes what the checkpoint holds.
        ckptspath: the checkpoint.
        device: "auto", "cpu" or "cuda".
        ema: use the averaged weights.

    Raises:
        ConfigError: no config is given and the checkpoint holds none.
        CheckpointError: the checkpoint cannot be used.
    """

    def __init__(
        self,
        cfg: Mapping[str, Any] | str | Path | None,
        ckptspath: str | Path,
        *,
        device: str = "auto",
        ema: bool = False,
    ):
        if cfg is None:
            cfg = read_header(ckptspath).get("config")
            if cfg is None:
                raise ConfigError(f"{ckptspath}: holds no config; give one")
        elif isinstance(cfg, str | Path):
            cfg = load_config(cfg)
        self.cfg = cfg
        self.device = choose_device(device)
        set_up_backends(cfg, RuntimeOptions.of(cfg))
        self.segmentor, header = load_segmentor(cfg, ckptspath, self.device, ema=ema)
        self.label_map = label_map_of(cfg, header)
        self.segmentor.eval()
        self.precision = Precision(cfg.get("fp16_cfg"), self.device)
        where = "SEGMENTOR_CFG['dataset']['test']['data_pipelines']"
        self.transforms = build_pipeline(pipeline_for_tests(cfg["dataset"]), where=where)
        tta = cfg["inference"].get("tta") or {}
        self.in_channels = images_channels(cfg)
        self.augmented = list(tta.get("multiscale", [1])) != [1] or bool(tta.get("flip"))

    def __call__(self, image: str | Path | np.ndarray) -> Prediction:
        """Return the label map of an image file, or of an array (H, W, 3) uint8 RGB.

        Where the data set has `in_channels`, an array is (H, W, in_channels), as `utils.rasters.read_raster` reads it.

        Raises:
            ImageError: the file cannot be read, or the array is of another kind.
        """
        pixels = self._checked(image) if isinstance(image, np.ndarray) else read_pixels(image, self.in_channels)
        height, width = pixels.shape[:2]
        sample: dict[str, Any] = {"image": pixels.copy(), "height": height, "width": width, "id": str(image)[:200]}
        for transform in self.transforms:
            sample = transform(sample)
        tensor = torch.as_tensor(sample["image"])[None].to(self.device)
        with self.precision.autocast():
            labels = label_images(self.segmentor, tensor, (height, width), augmented=self.augmented)[0]
        return Prediction(as_picture(pixels), labels.cpu().numpy(), self.label_map)

    def _checked(self, image: np.ndarray) -> np.ndarray:
        channels = self.in_channels
        if channels is None and image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8:
            return np.ascontiguousarray(image[..., ::-1])
        if channels is not None and image.ndim == 3 and image.shape[2] == channels:
            return image
        expected = "(H, W, 3) uint8 RGB" if channels is None else f"(H, W, {channels})"
        raise ImageError(f"an array of shape {image.shape} and type {image.dtype}: must be {expected}")


def pipeline_for_tests(dataset_cfg: Mapping[str, Any]) -> list[Any]:
    """Return the test transforms of `SEGMENTOR_CFG['dataset']`; of several joined data sets, those of the first."""
    part = dataset_cfg.get("test") or {}
    for place in (part, dataset_cfg):
        if "data_pipelines" in place:
            return list(place["data_pipelines"])
    members = (pipeline_for_tests(member) for member in part.values() if isinstance(member, Mapping))
    return next(members, [])
