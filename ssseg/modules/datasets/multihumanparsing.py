import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from ..utils.errors import LabelError
from ..utils.filekinds import shown
from ..utils.images import read_label
from ..utils.rawlabels import as_numbers
from .base import BaseDataset, read_ids
from .paths import require_folder
from .tables import class_names

V1_NAMES = """
__background__; hat; hair; sunglasses; upper clothes; skirt; pants; dress; belt; left shoe; right shoe; face; left
leg; right leg; left arm; right arm; bag; scarf; torso skin
"""
V2_NAMES = """
__background__; cap/hat; helmet; face; hair; left-arm; right-arm; left-hand; right-hand; protector; bikini/bra;
jacket/windbreaker/hoodie; t-shirt; polo-shirt; sweater; sin-glet; torso-skin; pants; shorts/swim-shorts; skirt;
stock-ings; socks; left-boot; right-boot; left-shoe; right-shoe; left-highheel; right-highheel; left-sandal;
right-sandal; left-leg; right-leg; left-foot; right-foot; coat; dress; robe; jumpsuits; other-full-body-clothes;
headwear; backpack; ball; bats; belt; bottle; carrybag; cases; sunglasses; eyewear; gloves; scarf; umbrella;
wallet/purse; watch; wristband; tie; other-accessaries; other-upper-body-clothes; other-lower-body-clothes
"""


class _MHPDataset(BaseDataset):
    """Several people an image, a file of labels for each: `<id>_<people>_<person>.png`.

    Where two people overlap, the later file in the order of names counts. No number is ignored.
    """

    @cached_property
    def _files(self) -> dict[str, list[str]]:
        """The label files of each image, in the order of their names."""
        require_folder(self.ann_dir, f"{type(self).__name__}: the folder of the label maps,")
        files: dict[str, list[str]] = {}
        for name in sorted(os.listdir(self.ann_dir)):
            files.setdefault(name.rsplit("_", 2)[0], []).append(name)
        return files

    def ann_name(self, imageid: str) -> str:
        """The first of the image's label files; `read_annotation` reads all of them."""
        stem = self.image_name(imageid)
        return os.path.splitext(self._files.get(stem, [f"{stem}_*"])[0])[0]

    def read_annotation(self, annpath: str) -> np.ndarray:
        first = os.path.basename(annpath)
        paths = [os.path.join(self.ann_dir, name) for name in self._files.get(first.rsplit("_", 2)[0], [first])]
        labels = as_numbers(read_label(paths[0]), shown(paths[0]))
        for path in paths[1:]:
            person = as_numbers(read_label(path), shown(path))
            if person.shape != labels.shape:
                raise LabelError(f"{shown(path)}: is {person.shape} (height, width), {shown(paths[0])} {labels.shape}")
            labels = np.where(person > 0, person, labels)
        return labels


class MHPv1Dataset(_MHPDataset):
    """Multi-Human Parsing v1: `images/<id>`, `annotations/<id without .jpg>_<people>_<person>.png`.

    `<set>_list.txt` lists the file names of the images, which are the ids.

    Source: Li et al., "Multiple-Human Parsing in the Wild", 2017, arXiv:1705.07206.
    """

    num_classes = 19
    classnames = class_names(V1_NAMES)
    palette = BaseDataset.randompalette(num_classes)

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        rootdir = dataset_cfg["rootdir"]
        self.image_dir, self.ann_dir = os.path.join(rootdir, "images"), os.path.join(rootdir, "annotations")
        self.imageids = read_ids(os.path.join(rootdir, f"{dataset_cfg['set']}_list.txt"))

    def image_name(self, imageid: str) -> str:
        return os.path.splitext(imageid)[0]

    def result_name(self, imageid: str) -> str:
        return os.path.splitext(imageid)[0]


class MHPv2Dataset(_MHPDataset):
    """Multi-Human Parsing v2: `<set>/images/<id>.jpg`, `<set>/parsing_annos/<id>_<people>_<person>.png`.

    The ids stand in `list/<set>.txt`.

    Source: Zhao et al., "Understanding Humans in Crowded Scenes", ACM MM 2018, arXiv:1804.03287.
    """

    num_classes = 59
    classnames = class_names(V2_NAMES)
    palette = BaseDataset.randompalette(num_classes)

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        rootdir, split = dataset_cfg["rootdir"], dataset_cfg["set"]
        self.image_dir = os.path.join(rootdir, split, "images")
        self.ann_dir = os.path.join(rootdir, split, "parsing_annos")
        self.imageids = read_ids(os.path.join(rootdir, "list", f"{split}.txt"))
