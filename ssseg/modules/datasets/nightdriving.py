import os
from collections.abc import Mapping
from typing import Any

from ..utils.errors import DataError
from ..utils.labelmap import IGNORE_INDEX
from .base import BaseDataset, read_ids
from .cityscapes import CityScapesDataset
from .options import chosen
from .paths import require_folder


class _NightDataset(BaseDataset):
    """Street scenes at night with the 19 classes of Cityscapes as labels 0..18, to test on; 255 is ignored."""

    num_classes = CityScapesDataset.num_classes
    classnames = CityScapesDataset.classnames
    palette = CityScapesDataset.palette
    clsid2label = {255: IGNORE_INDEX}

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        chosen({"val": "val"}, dataset_cfg["set"])


class DarkZurichDataset(_NightDataset):
    """Dark Zurich, its 50 labelled images; the set is `val`, there are no labels to train on.

    `rgb_anon/val/night/GOPR0356/<id>_rgb_anon.png`, `gt/val/night/GOPR0356/<id>_gt_labelTrainIds.png`; the ids are the
    last parts of the lines of `lists_file_names/val_filenames.txt`.

    Source: Sakaridis et al., "Guided Curriculum Model Adaptation and Uncertainty-Aware Evaluation for Semantic
    Nighttime Image Segmentation", ICCV 2019.
    """

    image_ext = "_rgb_anon.png"
    ann_ext = "_gt_labelTrainIds.png"

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        rootdir = dataset_cfg["rootdir"]
        self.image_dir = os.path.join(rootdir, "rgb_anon", "val", "night", "GOPR0356")
        self.ann_dir = os.path.join(rootdir, "gt", "val", "night", "GOPR0356")
        lines = read_ids(os.path.join(rootdir, "lists_file_names", "val_filenames.txt"))
        self.imageids = [line.rsplit("/", 1)[-1] for line in lines]


class NighttimeDrivingDataset(_NightDataset):
    """Nighttime Driving, 50 images; the set is `val`, there are no labels to train on.

    `leftImg8bit/test/night/<id>_leftImg8bit.png` and
    `gtCoarse_daytime_trainvaltest/test/night/<id>_gtCoarse_labelTrainIds.png`, in the order of their names.

    Source: Dai and Van Gool, "Dark Model Adaptation: Semantic Image Segmentation from Daytime to Nighttime", ITSC 2018.
    """

    image_ext = "_leftImg8bit.png"
    ann_ext = "_gtCoarse_labelTrainIds.png"

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        rootdir = dataset_cfg["rootdir"]
        self.image_dir = os.path.join(rootdir, "leftImg8bit", "test", "night")
        self.ann_dir = os.path.join(rootdir, "gtCoarse_daytime_trainvaltest", "test", "night")
        require_folder(self.image_dir, "NighttimeDrivingDataset: the folder of the images,")
        names = sorted(name for name in os.listdir(self.image_dir) if name.endswith(self.image_ext))
        if not names:
            raise DataError(f"NighttimeDrivingDataset: {self.image_dir}: there are no images *{self.image_ext}")
        self.imageids = [name.removesuffix(self.image_ext) for name in names]
