import os
from collections.abc import Mapping
from typing import Any

from ..utils.labelmap import IGNORE_INDEX
from .ade20k import COLOURS
from .base import BaseDataset, read_ids
from .tables import class_names, hex_colours

NAMES = """
aeroplane; bag; bed; bedclothes; bench; bicycle; bird; boat; book; bottle; building; bus; cabinet; car; cat; ceiling;
chair; cloth; computer; cow; cup; curtain; dog; door; fence; floor; flower; food; grass; ground; horse; keyboard;
light; motorbike; mountain; mouse; person; plate; platform; pottedplant; road; rock; sheep; shelves; sidewalk; sign;
sky; snow; sofa; table; track; train; tree; truck; tvmonitor; wall; water; window; wood
"""


class PascalContextDataset(BaseDataset):
    """PASCAL Context, 59 classes and the background: JPEGImages/<id>.jpg, SegmentationClassContext/<id>.png.

    The ids stand in `ImageSets/SegmentationContext/<set>.txt`. The number 255 is ignored.

    Source: Mottaghi et al., "The Role of Context for Object Detection and Semantic Segmentation in the Wild", CVPR
    2014. The colours are the first of ADE20K.
    """

    num_classes = 60
    classnames = ["__background__", *class_names(NAMES)]
    palette = hex_colours(COLOURS)[:60]
    clsid2label = {255: IGNORE_INDEX}

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        rootdir = dataset_cfg["rootdir"]
        self.image_dir = os.path.join(rootdir, "JPEGImages")
        self.ann_dir = os.path.join(rootdir, "SegmentationClassContext")
        self.imageids = read_ids(os.path.join(rootdir, "ImageSets", "SegmentationContext", f"{dataset_cfg['set']}.txt"))


class PascalContext59Dataset(PascalContextDataset):
    """PASCAL Context without its background: the number 0 is ignored too, 1..59 are the classes."""

    num_classes = 59
    classnames = PascalContextDataset.classnames[1:]
    palette = PascalContextDataset.palette[1:]
    clsid2label = {0: IGNORE_INDEX, 255: IGNORE_INDEX, **{number: number - 1 for number in range(1, 60)}}
