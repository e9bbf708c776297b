import numpy as np
import pytest

from ssseg.modules.datasets.builder import BuildDataset
from ssseg.modules.datasets.voc import VOCDataset
from ssseg.modules.utils.errors import DataError
from tests import shared
from tests.trees import make_labels, voc_tree

SAMPLES = shared.DATA / "samples/VOC/VOCdevkit/VOC2012"
CFG = {"type": "VOCDataset", "train": {"set": "train"}, "test": {"set": "val"}}


def test_classes_and_colours():
    assert VOCDataset.num_classes == len(VOCDataset.classnames) == len(VOCDataset.palette) == 21
    assert VOCDataset.classnames[15] == "person"
    assert VOCDataset.palette[15] == [192, 128, 128]


@pytest.mark.parametrize(("mode", "number"), [("TRAIN", 1), ("TEST", 100)])
def test_the_documented_layout_is_read(tmp_path, mode, number):
    dataset = BuildDataset(mode, None, {**CFG, "rootdir": str(voc_tree(tmp_path))})
    dataset.check_files()
    sample = dataset[-1]
    expected = make_labels(number, 21).astype(np.int16)
    expected[0] = -100
    assert sample["id"] == f"2007_{number:06d}"
    assert np.array_equal(sample["seg_target"], expected)


def test_d01_the_folder_above_is_explained(tmp_path):
    voc_tree(tmp_path / "VOC2012")
    with pytest.raises(DataError, match=r"VOC2012/ImageSets/Segmentation/train\.txt exists: check the level"):
        BuildDataset("TRAIN", None, {**CFG, "rootdir": str(tmp_path)})


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"{SAMPLES} is not here")
def test_real_palette_label_maps_are_read_as_indices():
    dataset = BuildDataset("TRAIN", None, {**CFG, "rootdir": str(SAMPLES)})
    dataset.check_files()
    found = {sample["id"]: set(np.unique(sample["seg_target"]).tolist()) for sample in dataset}
    assert found["2011_000003"] == {-100, 0, 5, 15}
