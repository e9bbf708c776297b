import os
from collections.abc import Mapping
from typing import Any

from ..utils.errors import ConfigError, nearest
from .base import BaseDataset, read_ids

FOLDERS = {"train": "training", "val": "validation"}


class DRIVEDataset(BaseDataset):
    """DRIVE, retinal vessels: `images/<folder>/<id>.<ext>`, `annotations/<folder>/<id>_manual1.png`.

    `<set>.txt` lists the file names of the images; an id is a name up to its first dot. The folder is `training` for
    the set `train` and `validation` for `val`.

    Source: Staal et al., "Ridge-Based Vessel Segmentation in Color Images of the Retina", IEEE TMI 2004.
    """

    num_classes = 2
    classnames = ["__background__", "vessel"]
    palette = [(0, 0, 0), (255, 0, 0)]
    ann_ext = "_manual1.png"

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        rootdir, split = dataset_cfg["rootdir"], dataset_cfg["set"]
        if split not in FOLDERS:
            near = nearest(split, FOLDERS)
            raise ConfigError(f"SEGMENTOR_CFG['dataset']['set']={split!r}: must be 'train' or 'val'.{near}")
        self.image_dir = os.path.join(rootdir, "images", FOLDERS[split])
        self.ann_dir = os.path.join(rootdir, "annotations", FOLDERS[split])
        names = read_ids(os.path.join(rootdir, f"{split}.txt"))
        self.image_ext = os.path.splitext(names[0])[1] or self.image_ext
        self.imageids = [name.split(".")[0] for name in names]
