import numpy as np
import pytest

from ssseg.modules.datasets.builder import BuildDataset
from ssseg.modules.utils.errors import ConfigError
from tests import shared
from tests.recorded import recorded_tree
from tests.trees import write_list, write_pair

SAMPLES = shared.DATA / "samples"


def test_ids_of_cihp_are_filled_up_with_zeros(tmp_path):
    cfg = recorded_tree(tmp_path, "CIHPDataset")
    write_list(tmp_path / "Training/train_id.txt", ["6", "0002190"])
    dataset = BuildDataset("TRAIN", None, cfg)
    dataset.check_files()
    assert dataset.imageids == ["0000006", "0002190"]


@pytest.mark.parametrize("kind", ["LIPDataset", "ATRDataset"])
def test_other_ids_stay_as_they_are_written(tmp_path, kind):
    ids = ["000123", "1e5", "a,b", "NA"]
    folders = {"LIPDataset": ("val_images", "val_segmentations"), "ATRDataset": ("JPEGImages", "SegmentationClassAug")}
    images, labels = folders[kind]
    for number, imageid in enumerate(ids):
        write_pair(tmp_path / images / f"{imageid}.jpg", tmp_path / labels / f"{imageid}.png", number)
    write_list(tmp_path / "val_id.txt", ids)
    dataset = BuildDataset("TEST", None, {"type": kind, "rootdir": str(tmp_path), "set": "val"})
    dataset.check_files()
    assert dataset.imageids == ids


def test_the_folder_of_the_test_set_is_called_otherwise(tmp_path):
    write_pair(tmp_path / "testing_images/1.jpg", tmp_path / "x.png", 0)
    write_list(tmp_path / "test_id.txt", ["1"])
    cfg = {"type": "LIPDataset", "rootdir": str(tmp_path), "set": "test", "eval_env": "server"}
    dataset = BuildDataset("TEST", None, cfg)
    dataset.check_files()
    assert dataset[0]["image"].shape == (6, 8, 3)
    with pytest.raises(ConfigError, match=r"\['set'\]='testing': must be 'train' or 'val' or 'test'"):
        BuildDataset("TEST", None, cfg | {"set": "testing"})


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"{SAMPLES} is not here")
def test_real_images_of_lip_are_read_in_colour_even_where_they_are_grey():
    cfg = {"type": "LIPDataset", "rootdir": str(SAMPLES / "LIP"), "train": {"set": "train"}, "test": {"set": "val"}}
    for mode, size in (("TRAIN", (220, 154)), ("TEST", (377, 130))):
        dataset = BuildDataset(mode, None, cfg)
        dataset.check_files()
        sample = dataset[0]
        assert sample["image"].shape in ((*size, 3), (*size[::-1], 3))
        assert tuple(sample["seg_target"].shape) == sample["image"].shape[:2]
    assert (sample["image"] == sample["image"][..., :1]).all()


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"{SAMPLES} is not here")
def test_real_label_maps_of_cihp_are_read():
    dataset = BuildDataset("TRAIN", None, {"type": "CIHPDataset", "rootdir": str(SAMPLES / "CIHP"), "set": "train"})
    wanted = [path.stem for path in (SAMPLES / "CIHP/Training/Images").iterdir()]
    assert set(wanted) <= set(dataset.imageids)
    dataset.imageids = sorted(wanted)
    dataset.check_files()
    labels = np.unique([label for sample in dataset for label in np.unique(sample["seg_target"])])
    assert labels.min() == 0
    assert labels.max() <= 19
    assert len(labels) > 8
