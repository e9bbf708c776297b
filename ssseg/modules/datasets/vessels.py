import os
from collections.abc import Mapping
from typing import Any

from .base import BaseDataset, read_ids
from .options import chosen

FOLDERS = {"train": "training", "val": "validation"}


class _VesselDataset(BaseDataset):
    """Retinal vessels: `images/<folder>/<id><ext>`, `annotations/<folder>/<id><ann_ext>`; vessels are 1 or 255.

    `<set>.txt` lists the file names of the images; an id is a name up to its first dot. The folder is `training` for
    the set `train` and `validation` for `val`.
    """

    num_classes = 2
    classnames = ["__background__", "vessel"]
    palette = [(0, 0, 0), (255, 0, 0)]
    clsid2label = {1: 1, 255: 1}  # converted label maps hold 1, the original ones 255

    def __init__(self, mode: str, logger_handle: Any, dataset_cfg: Mapping[str, Any]):
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        rootdir, split = dataset_cfg["rootdir"], dataset_cfg["set"]
        folder = chosen(FOLDERS, split)
        self.image_dir = os.path.join(rootdir, "images", folder)
        self.ann_dir = os.path.join(rootdir, "annotations", folder)
        names = read_ids(os.path.join(rootdir, f"{split}.txt"))
        self.image_ext = os.path.splitext(names[0])[1] or self.image_ext
        self.imageids = [self.id_of(name) for name in names]

    def id_of(self, name: str) -> str:
        """The id of an image, from its file name."""
        return name.partition(".")[0]


class DRIVEDataset(_VesselDataset):
    """DRIVE, 40 images: the label map of `21_training.png` is `21_training_manual1.png`.

    Source: Staal et al., "Ridge-Based Vessel Segmentation in Color Images of the Retina", IEEE TMI 2004.
    """

    ann_ext = "_manual1.png"


class STAREDataset(_VesselDataset):
    """STARE, 20 images: the label map of `im0001.png` is `im0001.ah.png`.

    Source: Hoover et al., "Locating Blood Vessels in Retinal Images", IEEE TMI 2000.
    """

    ann_ext = ".ah.png"


class ChaseDB1Dataset(_VesselDataset):
    """CHASE_DB1, 28 images: the label map of `Image_01L.png` is `Image_01L_1stHO.png`, by the first observer.

    Source: Fraz et al., "An Ensemble Classification-Based Approach Applied to Retinal Blood Vessel Segmentation", IEEE
    TBME 2012.
    """

    ann_ext = "_1stHO.png"


class HRFDataset(_VesselDataset):
    """HRF, 45 images: the label map of `01_dr.png` has the same name, which is the id with its extension.

    Source: Budai et al., "Robust Vessel Segmentation in Fundus Images", IJBI 2013.
    """

    def id_of(self, name: str) -> str:
        return name

    def image_name(self, imageid: str) -> str:
        return os.path.splitext(imageid)[0]

    ann_name = result_name = image_name
