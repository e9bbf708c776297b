import os
from collections.abc import Mapping
from typing import Any

from .base import BaseDataset, read_ids


class SuperviselyDataset(BaseDataset):
    """Supervisely Person: `Images/<set>/<id>.jpg`, `Anno-Person/<set>/<id>.png`, ids in `<set>.txt`; 255 is a person.

    Source: https://supervise.ly/.
    """

    num_classes = 2
    classnames = ["__background__", "person"]
    palette = [(0, 0, 0), (255, 0, 0)]
    clsid2label = {255: 1}

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        rootdir, split = dataset_cfg["rootdir"], dataset_cfg["set"]
        self.image_dir = os.path.join(rootdir, "Images", split)
        self.ann_dir = os.path.join(rootdir, "Anno-Person", split)
        self.imageids = read_ids(os.path.join(rootdir, f"{split}.txt"))
