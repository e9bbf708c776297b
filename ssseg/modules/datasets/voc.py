import os
from collections.abc import Mapping
from typing import Any

from .base import IGNORE_INDEX, BaseDataset, read_ids

OBJECTS = (
    "aeroplane bicycle bird boat bottle bus car cat chair cow "
    "diningtable dog horse motorbike person pottedplant sheep sofa train tvmonitor"
).split()


class VOCDataset(BaseDataset):
    """PASCAL VOC 2012: `JPEGImages/<id>.jpg`, `SegmentationClass/<id>.png`, ids in `ImageSets/Segmentation/<set>.txt`.

    Source: http://host.robots.ox.ac.uk/pascal/VOC/voc2012/. The number 255 marks the borders of objects and is ignored.
    """

    num_classes = 21
    classnames = ["__background__", *OBJECTS]
    palette = BaseDataset.randompalette(num_classes)
    clsid2label = {255: IGNORE_INDEX}

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        rootdir = dataset_cfg["rootdir"]
        self.image_dir = os.path.join(rootdir, "JPEGImages")
        self.ann_dir = os.path.join(rootdir, "SegmentationClass")
        self.imageids = read_ids(os.path.join(rootdir, "ImageSets", "Segmentation", f"{dataset_cfg['set']}.txt"))
