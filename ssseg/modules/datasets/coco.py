import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..utils.labelmap import IGNORE_INDEX
from .base import BaseDataset, read_ids
from .cocojson import Instances, image_names, read_json
from .matlab import read_matrix
from .tables import class_names

STUFF_NAMES = """
person; bicycle; car; motorcycle; airplane; bus; train; truck; boat; traffic light; fire hydrant; street sign; stop
sign; parking meter; bench; bird; cat; dog; horse; sheep; cow; elephant; bear; zebra; giraffe; hat; backpack;
umbrella; shoe; eye glasses; handbag; tie; suitcase; frisbee; skis; snowboard; sports ball; kite; baseball bat;
baseball glove; skateboard; surfboard; tennis racket; bottle; plate; wine glass; cup; fork; knife; spoon; bowl;
banana; apple; sandwich; orange; broccoli; carrot; hot dog; pizza; donut; cake; chair; couch; potted plant; bed;
mirror; dining table; window; desk; toilet; door; tv; laptop; mouse; remote; keyboard; cell phone; microwave; oven;
toaster; sink; refrigerator; blender; book; clock; vase; scissors; teddy bear; hair drier; toothbrush; hair brush;
banner; blanket; branch; bridge; building-other; bush; cabinet; cage; cardboard; carpet; ceiling-other; ceiling-tile;
cloth; clothes; clouds; counter; cupboard; curtain; desk-stuff; dirt; door-stuff; fence; floor-marble; floor-other;
floor-stone; floor-tile; floor-wood; flower; fog; food-other; fruit; furniture-other; grass; gravel; ground-other;
hill; house; leaves; light; mat; metal; mirror-stuff; moss; mountain; mud; napkin; net; paper; pavement; pillow;
plant-other; plastic; platform; playingfield; railing; railroad; river; road; rock; roof; rug; salad; sand; sea;
shelf; sky-other; skyscraper; snow; solid-other; stairs; stone; straw; structural-other; table; tent; textile-other;
towel; tree; vegetable; wall-brick; wall-concrete; wall-other; wall-panel; wall-stone; wall-tile; wall-wood;
water-other; waterdrops; window-blind; window-other; wood
"""
VOC_NAMES = """
__background__; airplane; bicycle; bird; boat; bottle; bus; car; cat; chair; cow; diningtable; dog; horse; motorcycle;
person; potted-plant; sheep; sofa; train; tv
"""
VOC_CATEGORIES = (0, 5, 2, 16, 9, 44, 6, 3, 17, 62, 21, 67, 18, 19, 4, 1, 64, 20, 63, 7, 72)  # label -> COCO category
MIN_PIXELS = 1000  # that the classes of VOC cover in an image that is used


class COCOStuff10kDataset(BaseDataset):
    """COCO-Stuff 10k, 182 classes: `images/<id>.jpg`, `annotations/<id>.mat`, ids in `imageLists/<set>.txt`.

    The label map is the matrix `S` of a MATLAB file. 0, unlabelled, and 255 are ignored; 1..182 are the classes.

    Source: Caesar et al., "COCO-Stuff: Thing and Stuff Classes in Context", CVPR 2018, arXiv:1612.03716.
    """

    num_classes = 182
    classnames = class_names(STUFF_NAMES)
    palette = BaseDataset.randompalette(num_classes)
    clsid2label = {0: IGNORE_INDEX, 255: IGNORE_INDEX, **{number: number - 1 for number in range(1, 183)}}
    ann_ext = ".mat"

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        rootdir = dataset_cfg["rootdir"]
        self.image_dir, self.ann_dir = os.path.join(rootdir, "images"), os.path.join(rootdir, "annotations")
        self.imageids = read_ids(os.path.join(rootdir, "imageLists", f"{dataset_cfg['set']}.txt"))

    def read_annotation(self, annpath: str) -> np.ndarray:
        return read_matrix(annpath, "S")


class COCOStuffDataset(BaseDataset):
    """COCO-Stuff 164k, 182 classes: images and label maps beside each other, `<set>2017/<12 digits>.jpg` and `.png`.

    The images are listed in `annotations/stuff_<set>2017.json`. The label maps ("stuffthingmaps") hold COCO's category
    number less 1, which is the label; 255 is ignored.

    Source: Caesar et al., "COCO-Stuff: Thing and Stuff Classes in Context", CVPR 2018, arXiv:1612.03716.
    """

    num_classes = 182
    classnames = COCOStuff10kDataset.classnames
    palette = COCOStuff10kDataset.palette
    clsid2label = {255: IGNORE_INDEX}

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        rootdir, split = dataset_cfg["rootdir"], dataset_cfg["set"]
        self.image_dir = self.ann_dir = os.path.join(rootdir, f"{split}2017")
        listed = os.path.join(rootdir, "annotations", f"stuff_{split}2017.json")
        self._names = image_names(read_json(listed), listed)
        self.imageids = list(self._names)

    def image_name(self, imageid: str) -> str:
        return os.path.splitext(self._names[imageid])[0]

    ann_name = result_name = image_name


class COCOVOCSUBDataset(BaseDataset):
    """The classes of PASCAL VOC in COCO: `<set>2017/<file>`, shapes in `annotations/instances_<set>2017.json`.

    Where objects overlap, the one that is listed first is seen. Images in which the classes cover no more than
    `MIN_PIXELS` pixels are left out.

    Source: Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, arXiv:1405.0312.
    """

    num_classes = 21
    classnames = class_names(VOC_NAMES)
    palette = BaseDataset.randompalette(num_classes)
    ann_ext = ".json"

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        rootdir, split = dataset_cfg["rootdir"], dataset_cfg["set"]
        self.image_dir, self.ann_dir = os.path.join(rootdir, f"{split}2017"), os.path.join(rootdir, "annotations")
        self._list = f"instances_{split}2017"
        labels = {category: label for label, category in enumerate(VOC_CATEGORIES) if category}
        self._instances = Instances(os.path.join(self.ann_dir, f"{self._list}.json"), labels)
        self.imageids = [imageid for imageid in self._instances.names if self._instances.covers(imageid, MIN_PIXELS)]

    def image_name(self, imageid: str) -> str:
        return os.path.splitext(self._instances.names[imageid])[0]

    result_name = image_name

    def ann_name(self, imageid: str) -> str:
        """The file with the shapes of all images."""
        return self._list

    def ann_path(self, imageid: str) -> str:
        return f"{super().ann_path(imageid)}#{imageid}"

    def read_annotation(self, annpath: str) -> np.ndarray:
        return self._instances.label_map(annpath.rsplit("#", 1)[1])
