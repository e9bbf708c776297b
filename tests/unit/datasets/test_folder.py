import numpy as np
import pytest
import torch

from ssseg.modules.datasets.builder import BuildDataset
from ssseg.modules.utils.errors import DataError
from ssseg.modules.utils.images import read_label
from tests import shared
from tests.trees import COLOURS, folder_tree, make_labels, write_list

CAMVID = shared.DATA / "camvid"


def build(root, mode="TRAIN", **options):
    return BuildDataset(mode, None, {"type": "FolderDataset", "rootdir": str(root), **options})


def test_a_path_is_all_it_needs(tmp_path):
    train, val = build(folder_tree(tmp_path)), build(tmp_path, "TEST")
    train.check_files()
    val.check_files()
    assert train.imageids == ["train_0", "train_1", "train_2", "train_3"]
    assert val.imageids == ["val_0", "val_1"]
    assert train.num_classes == 3
    assert train.classnames == ["class 0", "class 1", "class 2"]
    assert train.palette == list(COLOURS[:3])
    assert np.array_equal(train[1]["seg_target"], make_labels(1))
    assert torch.equal(val[1]["seg_target"], torch.from_numpy(make_labels(101)).short())


@pytest.mark.parametrize("ext", [".jpg", ".JPEG", ".png", ".bmp", ".tif"])
@pytest.mark.parametrize("labels", ["labels", "masks", "annotations"])
def test_images_of_all_formats_and_label_folders_of_three_names(tmp_path, ext, labels):
    folder_tree(tmp_path, train=1, val=1, ext=ext)
    (tmp_path / "labels").rename(tmp_path / labels)
    dataset = build(tmp_path)
    dataset.check_files()
    assert dataset[0]["image"].shape == (6, 8, 3)


def test_formats_may_be_mixed_and_other_files_lie_about(tmp_path):
    images = folder_tree(tmp_path, train=2) / "images" / "train"
    folder_tree(tmp_path / "other", train=3, ext=".png")
    (tmp_path / "other" / "images" / "train" / "train_2.png").rename(images / "train_2.png")
    (tmp_path / "other" / "labels" / "train" / "train_2.png").rename(tmp_path / "labels" / "train" / "train_2.png")
    for name in (".DS_Store", "Thumbs.db", "._train_0.jpg", "notes.txt"):
        (images / name).write_text("no image")
    dataset = build(tmp_path)
    dataset.check_files()
    assert [sample["id"] for sample in dataset] == ["train_0", "train_1", "train_2"]


def test_subfolders_are_part_of_the_id(tmp_path):
    folder_tree(tmp_path, train=2)
    for kind, ext in (("images", "jpg"), ("labels", "png")):
        folder = tmp_path / kind / "train" / "city.a"
        folder.mkdir()
        (tmp_path / kind / "train" / f"train_0.{ext}").rename(folder / f"frame.0.{ext}")
    dataset = build(tmp_path)
    dataset.check_files()
    assert dataset.imageids == ["city.a/frame.0", "train_1"]
    assert np.array_equal(dataset[0]["seg_target"], make_labels(0))


@pytest.mark.parametrize("folder", ["", "splits"])
def test_lists_divide_one_folder(tmp_path, folder):
    source = folder_tree(tmp_path / "source")
    for kind in ("images", "labels"):
        (source / kind / "train").rename(tmp_path / kind)
    write_list(tmp_path / folder / "train.txt", ["train_3", "train_1.jpg"])
    write_list(tmp_path / folder / "trainval.txt", ["train_0"])
    train, both = build(tmp_path), build(tmp_path, "TEST", test={"set": "trainval"})
    train.check_files()
    assert train.imageids == ["train_3", "train_1"]
    assert both.imageids == ["train_0"]
    assert train.classnames == ["class_0", "class_1", "class_2"]
    assert np.array_equal(train[0]["seg_target"], make_labels(3))


def test_without_a_table_the_training_labels_tell_the_classes(tmp_path):
    folder_tree(tmp_path, num_classes=2)
    (tmp_path / "classes.txt").unlink()
    assert build(tmp_path, "TEST").classnames == ["class_0", "class_1"]
    for kind in ("images", "labels"):
        for path in (tmp_path / kind / "train").iterdir():
            path.unlink()
        (tmp_path / kind / "train").rmdir()
    assert build(tmp_path, "TEST").num_classes == 2


def test_d01_a_root_one_level_off_is_explained(tmp_path):
    folder_tree(tmp_path / "data" / "mine")
    with pytest.raises(DataError, match=r"data/images does not exist.*data/mine/images exists: check the level"):
        build(tmp_path / "data")
    with pytest.raises(DataError, match=r"mine/images/images does not exist.*mine/images exists: check the level"):
        build(tmp_path / "data" / "mine" / "images")


def test_an_unknown_set_is_refused_with_those_there_are(tmp_path):
    folder_tree(tmp_path)
    write_list(tmp_path / "splits" / "tiny.txt", ["train_0"])
    with pytest.raises(DataError, match=r"no set 'vla' .*Did you mean 'val'\? Sets: tiny, train, val\."):
        build(tmp_path, set="vla")


def test_a_set_without_images_is_refused(tmp_path):
    for path in (folder_tree(tmp_path) / "images" / "train").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"images/train: there are no images.*\.jpg"):
        build(tmp_path)


def test_two_images_of_one_name_are_refused(tmp_path):
    folder_tree(tmp_path)
    (tmp_path / "images" / "train" / "train_1.png").touch()
    with pytest.raises(DataError, match="two images would share one label map, those of train_1"):
        build(tmp_path)


@pytest.mark.skipif(not CAMVID.is_dir(), reason=f"{CAMVID} is not here")
def test_camvid_is_read_in_full():
    train, val = build(CAMVID), build(CAMVID, "TEST")
    assert (len(train), len(val), train.num_classes, train.classnames[10]) == (367, 101, 11, "bicyclist")
    for dataset in (train, val):
        dataset.check_files()
        counts = np.zeros(11, np.int64)
        for index in range(0, len(dataset), 10):
            sample = dataset[index]
            raw = read_label(dataset.ann_path(sample["id"]))
            labels = np.asarray(sample["seg_target"])
            assert sample["image"].shape == (360, 480, 3)
            assert np.array_equal(labels, np.where(raw == 11, -100, raw.astype(np.int16)))
            counts += np.bincount(labels[labels >= 0], minlength=11)
        assert (counts > 0).all()
