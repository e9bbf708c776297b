import os
from collections.abc import Mapping
from typing import Any

from ..utils.labelmap import IGNORE_INDEX
from .base import BaseDataset
from .folder import ids_listed_or_below
from .tables import class_names, hex_colours

NAMES = """
road; sidewalk; building; wall; fence; pole; traffic_light; traffic_sign; vegetation; terrain; sky; person; rider;
car; truck; bus; train; motorcycle; bicycle
"""
COLOURS = """
804080 f423e8 464646 66669c be9999 999999 faaa1e dcdc00 6b8e23 98fb98 4682b4 dc143c ff0000 00008e 000046 003c64
005064 0000e6 770b20
"""
NUMBERS = (7, 8, 11, 12, 13, 17, *range(19, 29), 31, 32, 33)  # of the classes, among the label ids -1..33


class CityScapesDataset(BaseDataset):
    """Cityscapes, 19 classes: leftImg8bit/<set>/<id>.png, gtFine/<set>/<id with gtFine_labelIds>.png.

    The ids stand in `<set>.txt`, as `aachen/aachen_000000_000019_leftImg8bit`; without that list all images count. The
    set `trainval`, where there is no `trainval.txt`, is `train` and `val` together. The server takes files of label
    ids, named as the image is.

    Source: Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", CVPR 2016.
    """

    num_classes = 19
    classnames = class_names(NAMES)
    palette = hex_colours(COLOURS)
    clsid2label = dict.fromkeys(range(-1, 34), IGNORE_INDEX) | {number: label for label, number in enumerate(NUMBERS)}
    image_ext = ".png"

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        rootdir, split = dataset_cfg["rootdir"], dataset_cfg["set"]
        listed = os.path.isfile(os.path.join(rootdir, f"{split}.txt"))
        parts = ["train", "val"] if split == "trainval" and not listed else [split]
        self.image_dir, self.ann_dir = os.path.join(rootdir, "leftImg8bit"), os.path.join(rootdir, "gtFine")
        self._folders = {
            imageid: part
            for part in parts
            for imageid in ids_listed_or_below(f"{rootdir}/{part}.txt", os.path.join(self.image_dir, part))
        }
        self.imageids = list(self._folders)

    def image_name(self, imageid: str) -> str:
        return os.path.join(self._folders[imageid], imageid)

    def ann_name(self, imageid: str) -> str:
        return self.image_name(imageid).replace("leftImg8bit", "gtFine_labelIds")

    def result_name(self, imageid: str) -> str:
        return os.path.basename(imageid)
