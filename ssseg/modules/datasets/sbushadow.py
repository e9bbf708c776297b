import os
from collections.abc import Mapping
from typing import Any

from .base import BaseDataset, read_ids
from .options import chosen


class SBUShadowDataset(BaseDataset):
    """SBU Shadow: `<folder>/ShadowImages/<id>.jpg`, `<folder>/ShadowMasks/<id>.png`, ids in `<set>.txt`.

    The folder is `SBUTrain4KRecoveredSmall` for the set `train`, `SBU-Test` for `val`. Every number but 0 is shadow.

    Source: Vicente et al., "Large-Scale Training of Shadow Detectors with Noisily-Annotated Shadow Examples", ECCV
    2016.
    """

    num_classes = 2
    classnames = ["__background__", "shadow"]
    palette = [(0, 0, 0), (255, 0, 0)]
    clsid2label = {255: 1, **dict.fromkeys(range(1, 255), 1)}  # the first of them is what results are written with

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        folder = chosen({"train": "SBUTrain4KRecoveredSmall", "val": "SBU-Test"}, dataset_cfg["set"])
        self.image_dir = os.path.join(dataset_cfg["rootdir"], folder, "ShadowImages")
        self.ann_dir = os.path.join(dataset_cfg["rootdir"], folder, "ShadowMasks")
        self.imageids = read_ids(os.path.join(dataset_cfg["rootdir"], f"{dataset_cfg['set']}.txt"))
