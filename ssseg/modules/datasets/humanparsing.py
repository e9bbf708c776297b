import os
from collections.abc import Mapping
from typing import Any

from .base import BaseDataset, read_ids
from .options import chosen
from .tables import class_names, hex_colours

COLOURS = """
000000 800000 ff0000 005500 aa0033 ff5500 000055 0077dd 555500 005555 553300 345680 008000 0000ff 33aadd 00ffff
55ffaa aaff55 ffff00 ffaa00
"""
LIP_NAMES = """
__background__; hat; hair; glove; sunglasses; upperclothes; dress; coat; socks; pants; jumpsuits; scarf; skirt; face;
leftArm; rightArm; leftLeg; rightLeg; leftShoe; rightShoe
"""
ATR_NAMES = """
__background__; hat; hair; sunglasses; coat; skirt; pants; dress; belt; leftShoe; rightShoe; face; leftLeg; rightLeg;
leftHand; rightHand; bags; scarf
"""


class LIPDataset(BaseDataset):
    """Look into Person: `<folder>_images/<id>.jpg`, `<folder>_segmentations/<id>.png`, ids in `<set>_id.txt`.

    The folder is `train`, `val` or `testing` for the set `train`, `val` or `test`. No number is ignored.

    Source: Gong et al., "Look into Person", CVPR 2017, arXiv:1703.05446.
    """

    num_classes = 20
    classnames = class_names(LIP_NAMES)
    palette = hex_colours(COLOURS)

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        rootdir, split = dataset_cfg["rootdir"], dataset_cfg["set"]
        folder = chosen({"train": "train", "val": "val", "test": "testing"}, split)
        self.image_dir = os.path.join(rootdir, f"{folder}_images")
        self.ann_dir = os.path.join(rootdir, f"{folder}_segmentations")
        self.imageids = read_ids(os.path.join(rootdir, f"{split}_id.txt"))


class CIHPDataset(BaseDataset):
    """Crowd Instance-level Human Parsing: `<folder>/Images/<id>.jpg`, `<folder>/Category_ids/<id>.png`.

    The ids stand in `<folder>/<set>_id.txt`; shorter ones are filled up with zeros to seven digits. The folder is
    `Training`, `Validation` or `Testing` for the set `train`, `val` or `test`. No number is ignored.

    Source: Gong et al., "Instance-level Human Parsing via Part Grouping Network", ECCV 2018, arXiv:1808.00157.
    """

    num_classes = 20
    classnames = ["torsoSkin" if name == "jumpsuits" else name for name in LIPDataset.classnames]
    palette = LIPDataset.palette

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        split = dataset_cfg["set"]
        folder = chosen({"train": "Training", "val": "Validation", "test": "Testing"}, split)
        root = os.path.join(dataset_cfg["rootdir"], folder)
        self.image_dir = os.path.join(root, "Images")
        self.ann_dir = os.path.join(root, "Category_ids")
        self.imageids = [imageid.zfill(7) for imageid in read_ids(os.path.join(root, f"{split}_id.txt"))]


class ATRDataset(BaseDataset):
    """ATR: `JPEGImages/<id>.jpg`, `SegmentationClassAug/<id>.png`, ids in `<set>_id.txt`. No number is ignored.

    Source: Liang et al., "Deep Human Parsing with Active Template Regression", TPAMI 2015.
    """

    num_classes = 18
    classnames = class_names(ATR_NAMES)
    palette = BaseDataset.randompalette(num_classes)

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        rootdir = dataset_cfg["rootdir"]
        self.image_dir = os.path.join(rootdir, "JPEGImages")
        self.ann_dir = os.path.join(rootdir, "SegmentationClassAug")
        self.imageids = read_ids(os.path.join(rootdir, f"{dataset_cfg['set']}_id.txt"))
