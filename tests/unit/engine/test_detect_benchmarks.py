"""The layouts of PASCAL VOC, Cityscapes and ADE20K, found in folders; real samples of them."""

import numpy as np
import pytest

from ssseg.engine.detect import detect
from ssseg.modules.utils.errors import ConfigError, DataError
from tests import shared
from tests.trees import voc_tree, write_label, write_list, write_pair
from tests.unit.engine.owndata import cfg_with, counts, datasets


@pytest.fixture
def root(tmp_path):
    return tmp_path / "data"


def test_voc_with_its_own_classes(root, tmp_path):
    cfg, text = cfg_with(voc_tree(root / "VOCdevkit" / "VOC2012").parents[1], tmp_path)
    assert cfg["dataset"]["type"] == "VOCDataset"
    assert (cfg["num_classes"], counts(cfg)) == (21, [2, 1])
    assert "for others put a classes.txt beside JPEGImages" in text


def test_voc_with_other_classes(root, tmp_path):
    voc_tree(root)
    (root / "classes.txt").write_text("\n".join(f"part {number}" for number in range(21)))
    cfg, _ = cfg_with(root, tmp_path)
    assert (cfg["dataset"]["type"], counts(cfg)) == ("ListedDataset", [2, 1])
    assert datasets(cfg)[0].classnames[3] == "part 3"
    (root / "classes.txt").unlink()
    write_label(root / "SegmentationClass" / "2007_000000.png", np.full((6, 8), 30, np.uint8))
    cfg, _ = cfg_with(root, tmp_path)
    assert "class_30" in datasets(cfg)[0].classnames


def test_several_years_of_voc(root):
    for year in ("VOC2010", "VOC2012"):
        voc_tree(root / year)
    with pytest.raises(ConfigError, match=r"there are 2 sets in it; give one: .*VOC2010, .*VOC2012"):
        detect(root)


def cityscapes_tree(root):
    for part, count in (("train", 2), ("val", 1)):
        for number in range(count):
            name = f"{part}/city/city_{number:06d}_000019_"
            write_pair(
                root / "leftImg8bit" / f"{name}leftImg8bit.png", root / "gtFine" / f"{name}gtFine_labelIds.png", 7
            )
        write_list(root / f"{part}.txt", [f"city/city_{n:06d}_000019_leftImg8bit" for n in range(count)])
    return root


def ade_tree(root):
    inner = root / "ADEChallengeData2016"
    for part, folder, count in (("train", "training", 2), ("val", "validation", 1)):
        for number in range(count):
            name = f"{folder}/ADE_{part}_{number:08d}"
            write_pair(inner / "images" / f"{name}.jpg", inner / "annotations" / f"{name}.png", number)
        write_list(inner / f"{part}.txt", [f"ADE_{part}_{number:08d}" for number in range(count)])
    return root


@pytest.mark.parametrize(
    ("tree", "kind", "classes"), [(cityscapes_tree, "CityScapesDataset", 19), (ade_tree, "ADE20kDataset", 150)]
)
def test_benchmarks_with_and_without_their_lists(root, tmp_path, tree, kind, classes):
    tree(root)
    cfg, _ = cfg_with(root, tmp_path)
    assert (cfg["dataset"]["type"], cfg["num_classes"], counts(cfg)) == (kind, classes, [2, 1])
    native = datasets(cfg)[0]
    for path in root.rglob("*.txt"):
        path.unlink()
    cfg, _ = cfg_with(root, tmp_path)
    assert (cfg["dataset"]["type"], cfg["num_classes"], counts(cfg)) == ("ListedDataset", classes, [2, 1])
    listed = datasets(cfg)[0]
    assert listed.classnames == list(native.classnames)
    for number in range(2):
        pair = [
            dataset.read(dataset.image_path(dataset.imageids[number]), dataset.ann_path(dataset.imageids[number]))
            for dataset in (native, listed)
        ]
        np.testing.assert_array_equal(pair[0]["seg_target"], pair[1]["seg_target"])


def test_cityscapes_without_label_maps(root):
    cityscapes_tree(root)
    for path in (*root.glob("*.txt"), root / "gtFine/train/city/city_000001_000019_gtFine_labelIds.png"):
        path.unlink()
    with pytest.raises(DataError, match=r"1 label maps are missing, the first is .*city_000001"):
        detect(root)


SAMPLES = {  # path: type, classes, training and validation images
    "camvid": ("FolderDataset", 11, 367, 101),
    "retina/drive": ("FolderDataset", 2, 16, 4),
    "samples/VOC": ("VOCDataset", 21, 3, 1),
    "samples/Cityscapes": ("ListedDataset", 19, 2, 1),
    "samples/ADE20k": ("ListedDataset", 150, 1, 3),
    "samples/LIP": ("ListedDataset", 8, 1, 1),
    "samples/ISBI2012": ("ListedDataset", 2, 3, 1),
    "samples/COCOPanoptic/panoptic_examples.json": ("COCOFileDataset", 133, 1, 1),
    "samples/COCOPanoptic/panoptic_coco_detection_format.json": ("COCOFileDataset", 134, 1, 1),
}


@pytest.mark.skipif(not shared.DATA.is_dir(), reason=f"{shared.DATA} is not here")
@pytest.mark.parametrize("path", SAMPLES)
def test_real_samples(path, tmp_path):
    cfg, _ = cfg_with(shared.DATA / path, tmp_path)
    assert (cfg["dataset"]["type"], cfg["num_classes"], *counts(cfg)) == SAMPLES[path]
    for dataset in datasets(cfg):
        assert dataset[0]["seg_target"].unique().numel() > 1
