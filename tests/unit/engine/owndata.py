"""What the tests of detected data share."""

from ssseg.engine.owndata import use_data
from ssseg.modules import BuildDataset
from ssseg.modules.utils.configparser import load_config

MODEL = "camvid/fcn_compactunet_camvid"


def cfg_with(root, tmp_path, losses=None):
    cfg = load_config(MODEL)
    cfg["work_dir"], cfg["losses"] = str(tmp_path / "run"), losses or {}
    return cfg, use_data(cfg, root)


def datasets(cfg):
    return [BuildDataset(mode, None, {**cfg["dataset"]}) for mode in ("TRAIN", "TEST")]


def counts(cfg):
    return [len(dataset) for dataset in datasets(cfg)]


def paths_of(dataset):
    return dataset.image_path(dataset.imageids[0]), dataset.ann_path(dataset.imageids[0])
