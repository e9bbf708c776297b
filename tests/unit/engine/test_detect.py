"""What is found in folders and files, and what is said about those that cannot be used."""

import os
import shutil

import cv2
import numpy as np
import pytest

from ssseg.engine.detect import detect
from ssseg.engine.detect.layout import set_aside, sibling
from ssseg.engine.detect.pairing import key_of
from ssseg.modules.utils.configparser import load_config
from ssseg.modules.utils.errors import ConfigError, DataError
from tests.trees import COLOURS, folder_tree, make_labels, write_image, write_label, write_list, write_pair
from tests.unit.engine.owndata import MODEL, cfg_with, counts, datasets


@pytest.fixture
def root(tmp_path):
    return tmp_path / "data"


def test_a_plain_folder_is_described(root, tmp_path):
    cfg, text = cfg_with(folder_tree(root), tmp_path)
    assert cfg["dataset"]["type"] == "FolderDataset"
    assert cfg["num_classes"] == 3
    assert cfg["dataset"]["train"]["data_pipelines"] == load_config(MODEL)["dataset"]["train"]["data_pipelines"]
    assert text.split("\n") == [
        "layout   images and label maps in folders (FolderDataset)",
        f"folder   {root}",
        "train    4 images from images/train",
        "val      2 images from images/val",
        "images   8 x 6 pixels (width x height), colour",
        "classes  3: label, number in the files, name, colour",
        "      0      0  class 0  #000000",
        "      1      1  class 1  #dc2828",
        "      2      2  class 2  #28dc28",
        "ignored  255 (label -100)",
    ]


@pytest.mark.parametrize("names", [("training", "validation"), ("train", "test"), ("train2017", "val2017")])
def test_other_names_of_sets(root, tmp_path, names):
    folder_tree(root)
    for kind in ("images", "labels"):
        for old, new in zip(("train", "val"), names, strict=True):
            (root / kind / old).rename(root / kind / new)
    assert counts(cfg_with(root, tmp_path)[0]) == [4, 2]


def test_without_a_validation_set_some_images_are_set_aside(root, tmp_path):
    folder_tree(root, train=10)
    shutil.rmtree(root / "images" / "val")
    shutil.rmtree(root / "labels" / "val")
    cfg, text = cfg_with(root, tmp_path)
    train, val = datasets(cfg)
    assert (len(train), len(val)) == (8, 2)
    assert not set(train.imageids) & set(val.imageids)
    assert "chosen by the hash of its name" in text
    again, _ = cfg_with(root, tmp_path)
    assert datasets(again)[1].imageids == val.imageids


def test_an_image_that_is_added_hardly_changes_the_sets():
    names = [f"image_{number}.png" for number in range(100)]
    before, after = set(set_aside(names)[1]), set(set_aside([*names, "new.png"])[1])
    assert len(before) == len(after) == 20
    assert len(before - after) <= 1


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("images/train/a.jpg", "masks/train/a.png"),
        ("train/images/a.jpg", "train/labels/a.png"),
        ("train_images/a.jpg", "train_segmentations/a.png"),
        ("train/a.jpg", "train_labels/a_L.png"),
        ("train/a_sat.jpg", "train/a_mask.png"),
        ("a.b.jpg", "a.b_gt.png"),
    ],
)
def test_names_that_belong_together(image, label):
    (image_key, image_is_label), (label_key, label_is_label) = key_of(image), key_of(label)
    assert image_key == label_key
    assert (image_is_label, label_is_label) == (False, True)


def test_colours_become_classes(root, tmp_path):
    for number in range(5):
        labels = make_labels(number)
        write_image(root / "photos" / f"{number}.jpg", np.zeros((6, 8, 3), np.uint8))
        write_label(root / "masks" / f"{number}.png", np.array(COLOURS, np.uint8)[labels])
    cfg, text = cfg_with(root, tmp_path)
    train, _ = datasets(cfg)
    assert train.classnames == ["#000000", "#28dc28", "#dc2828"]
    assert train.palette == [COLOURS[0], COLOURS[2], COLOURS[1]]
    raw = train.read(train.image_path(train.imageids[0]), train.ann_path(train.imageids[0]))["seg_target"]
    np.testing.assert_array_equal(raw, np.array([0, 2, 1])[make_labels(int(train.imageids[0][-1]))])
    assert "black (#000000) is a class here" in text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labelmap.txt", "# label:color_rgb:parts:actions\nground:0,0,0::\nroad:220,40,40::\ncar:40,220,40::\n"),
        ("class_dict.csv", "name, r, g, b\nground, 0, 0, 0\nroad, 220, 40, 40\ncar, 40, 220, 40\n"),
        ("classes.txt", "0\tground\t0\t0\t0\n1\troad\t220\t40\t40\n2\tcar\t40\t220\t40\n"),
    ],
)
def test_tables_of_colours(root, tmp_path, name, content):
    for number in range(4):
        write_image(root / "photos" / f"{number}.jpg", np.zeros((6, 8, 3), np.uint8))
        write_label(root / "masks" / f"{number}.png", np.array(COLOURS, np.uint8)[make_labels(number)])
    (root / name).write_text(content)
    train, _ = datasets(cfg_with(root, tmp_path)[0])
    assert train.classnames == ["ground", "road", "car"]
    number = int(train.imageids[0][-1])
    sample = train.read(train.image_path(train.imageids[0]), train.ann_path(train.imageids[0]))
    np.testing.assert_array_equal(sample["seg_target"], make_labels(number))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("labelmap.txt", "ground;0\n", r"labelmap\.txt:1: 'ground;0' is no row"),
        ("labelmap.txt", "a:0,0,0::\n", "there are fewer than two classes"),
        ("class_dict.csv", "name,r,g\na,1,2\n", r"class_dict\.csv: row 1 has no name, r, g, b"),
    ],
)
def test_tables_that_cannot_be_read(root, name, content, message):
    write_pair(root / "photos" / "a.jpg", root / "masks" / "a.png", 0)
    (root / name).write_text(content)
    with pytest.raises(DataError, match=message):
        detect(root)


def test_two_numbers_are_two_classes_even_0_and_255(root, tmp_path):
    for number in range(4):
        write_image(root / f"{number}.png", np.zeros((6, 8, 3), np.uint8))
        write_label(root / f"{number}_mask.png", make_labels(number, 2) * 255)
    cfg, text = cfg_with(root, tmp_path)
    assert cfg["dataset"]["classes"] == [[0, "class_0"], [255, "class_255"]]
    assert "the number 255 is a class, being one of two numbers" in text


def test_255_is_ignored_beside_two_others(root, tmp_path):
    for number in range(4):
        labels = make_labels(number)
        labels[labels == 2] = 255
        write_image(root / "a" / f"{number}.png", np.zeros((6, 8, 3), np.uint8))
        write_label(root / "a" / f"{number}_mask.png", labels)
    cfg, text = cfg_with(root, tmp_path)
    assert [name for _, name in cfg["dataset"]["classes"]] == ["class_0", "class_1"]
    assert "note     the number 255 is ignored" in text
    assert "ignored  255 (label -100)" in text


def test_label_maps_with_too_many_numbers_or_one(root):
    write_image(root / "photos" / "a.jpg", np.zeros((20, 20, 3), np.uint8))
    write_label(root / "masks" / "a.png", np.arange(400, dtype=np.uint16).reshape(20, 20))
    with pytest.raises(DataError, match=r"more than 255 numbers, which cannot be classes.*interpolation"):
        detect(root)
    write_label(root / "masks" / "a.png", np.zeros((20, 20), np.uint8))
    with pytest.raises(DataError, match=r"hold only the numbers \[0\]\. List the classes in classes\.txt"):
        detect(root)


def test_colours_and_numbers_mixed(root):
    write_pair(root / "photos" / "a.jpg", root / "masks" / "a.png", 0)
    write_image(root / "photos" / "b.jpg", np.zeros((6, 8, 3), np.uint8))
    write_label(root / "masks" / "b.png", np.array(COLOURS, np.uint8)[make_labels(1)])
    with pytest.raises(DataError, match="some label maps hold colours and others numbers"):
        detect(root)


def test_files_without_partner(root):
    write_pair(root / "photos" / "a.jpg", root / "masks" / "a.png", 0)
    write_pair(root / "photos" / "b.jpg", root / "masks" / "c.png", 1)
    with pytest.raises(DataError, match=r"1 of 2 label maps lack an image of the same name, such as masks/c\.png"):
        detect(root)
    (root / "masks" / "c.png").unlink()
    with pytest.raises(DataError, match=r"1 of 2 images lack a label map of the same name, such as photos/b\.jpg"):
        detect(root)
    write_label(root / "labels" / "a.png", make_labels(0))
    with pytest.raises(DataError, match=r"these label maps would belong to one sample: labels/a\.png, masks/a\.png"):
        detect(root)


def test_label_maps_beside_images_of_the_same_name(root, tmp_path):
    for number in range(4):
        write_pair(root / f"{number}.jpg", root / f"{number}.png", number)
    cfg, _ = cfg_with(root, tmp_path)
    assert counts(cfg) == [3, 1]
    assert datasets(cfg)[0].ann_path(datasets(cfg)[0].imageids[0]).endswith(".png")


def test_lists_of_ids_choose_the_sets(root, tmp_path):
    for number in range(5):
        write_pair(root / "images" / f"{number}.jpg", root / "masks" / f"{number}.png", number)
    write_list(root / "train.txt", ["3", "images/0", "1.jpg"])
    cfg, text = cfg_with(root, tmp_path)
    assert counts(cfg) == [2, 1]
    write_list(root / "val.txt", ["4"])
    cfg, text = cfg_with(root, tmp_path)
    assert [dataset.imageids for dataset in datasets(cfg)] == [["images/3", "images/0", "images/1"], ["images/4"]]
    assert "val      1 images from val.txt" in text
    write_list(root / "val.txt", ["4", "9"])
    with pytest.raises(DataError, match=r"val\.txt: no image with a label map has the name '9' \(1 such lines of 2\)"):
        detect(root)
    write_pair(root / "more" / "images" / "4.jpg", root / "more" / "masks" / "4.png", 0)
    with pytest.raises(DataError, match="2 images have the name '4'"):
        detect(root)


def test_links_are_followed_but_not_in_circles(root, tmp_path):
    for number in range(4):
        write_pair(tmp_path / "far" / f"{number}.jpg", root / "masks" / f"{number}.png", number)
    (root / "images").symlink_to(tmp_path / "far")
    (root / "masks" / "again").symlink_to(root)
    assert counts(cfg_with(root, tmp_path)[0]) == [3, 1]


def test_test_images_need_no_label_maps(root, tmp_path):
    for number in range(4):
        write_pair(root / "train" / "images" / f"{number}.png", root / "train" / "masks" / f"{number}.png", number)
    write_image(root / "test" / "images" / "9.png", np.zeros((6, 8, 3), np.uint8))
    cfg, text = cfg_with(root, tmp_path)
    assert counts(cfg) == [3, 1]
    assert "1 test images without label maps are left out" in text


def test_nothing_that_is_known(root, tmp_path):
    root.mkdir()
    with pytest.raises(
        DataError, match=r"there are 0 images and 0 label maps\. Looked for folders called .*train\.txt"
    ):
        detect(root)
    with pytest.raises(ConfigError, match=r"--data .*none: there is no such folder or file"):
        detect(tmp_path / "none")
    (root / "a.png").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"give a folder, a \.json file of COCO, or a \.txt file of pairs"):
        detect(root / "a.png")


def test_too_few_samples_for_two_sets(root):
    write_pair(root / "photos" / "a.jpg", root / "masks" / "a.png", 0)
    with pytest.raises(DataError, match="there are 1 samples; at least two are needed"):
        detect(root)


def test_lists_of_pairs(root, tmp_path):
    for number in range(5):
        write_pair(root / f"x{number}.jpg", root / f"y{number}.png", number)
    lines = [f"x{number}.jpg\ty{number}.png\n" for number in range(5)]
    (root / "train.txt").write_text("".join(lines[:3]))
    (root / "val.txt").write_text("".join(lines[3:]))
    for path in (root, root / "train.txt"):
        assert counts(cfg_with(path, tmp_path)[0]) == [3, 2]
    (root / "all.lst").write_text("".join(lines))
    assert counts(cfg_with(root / "all.lst", tmp_path)[0]) == [4, 1]
    (root / "y0.png").unlink()
    with pytest.raises(DataError, match=r"1 label maps are missing, the first is .*y0\.png"):
        detect(root / "train.txt")


def test_class_weights_for_other_classes(root, tmp_path):
    losses = {"loss_cls": [{"type": "CrossEntropyLoss", "class_weight": [1.0] * 11}]}
    with pytest.raises(
        ConfigError, match=r"11 weights, but the data have 3 classes.*~losses\.loss_cls\.0\.class_weight"
    ):
        cfg_with(folder_tree(root), tmp_path, losses)


def test_siblings_of_lists(tmp_path):
    for name in ("my_training_set.txt", "my_valid_set.txt"):
        (tmp_path / name).touch()
    assert sibling(tmp_path / "my_training_set.txt") == tmp_path / "my_valid_set.txt"
    assert sibling(tmp_path / "my_valid_set.txt") is None


@pytest.mark.parametrize("name", ["#0", "a,0", "a 0", "ä0"])
def test_names_that_lists_could_misread(root, tmp_path, name):
    for number in range(3):
        write_pair(root / f"{name}{number}.jpg", root / f"{name}{number}_mask.png", number)
    assert counts(cfg_with(root, tmp_path)[0]) == [2, 1]


@pytest.mark.parametrize("name", [b"a\t", b"a\n", b"a\r", b"a\xff"])
def test_names_that_no_list_can_hold(root, name):
    for number in range(3):
        write_pair(root / "photos" / f"{number}.jpg", root / "masks" / f"{number}.png", number)
    os.rename(root / "photos" / "1.jpg", os.fsencode(root / "photos") + b"/" + name + b".jpg")
    os.rename(root / "masks" / "1.png", os.fsencode(root / "masks") + b"/" + name + b".png")
    with pytest.raises(DataError, match="cannot stand in a list of pairs"):
        detect(root)


def test_label_maps_that_cannot_be_read_are_all_named(root):
    for number in range(4):
        write_pair(root / f"{number}.jpg", root / f"{number}_mask.png", number)
    (root / "1_mask.png").write_bytes(b"")
    (root / "3_mask.png").write_bytes((root / "3_mask.png").read_bytes()[:60])
    with pytest.raises(DataError, match=r"2 of 4 label maps cannot be read:\n.*1_mask\.png: .*\n.*3_mask\.png: "):
        detect(root)


@pytest.mark.parametrize("colours", [True, False])
def test_label_maps_that_were_blurred_are_refused(root, colours):
    labels = np.zeros((40, 60), np.float32)
    labels[8:30, 10:50] = 1
    for number in range(2):
        write_image(root / f"{number}.jpg", np.zeros((40, 60, 3), np.uint8))
        blurred = cv2.GaussianBlur(labels, (7, 7), 2)[..., None] * [220, 40 if colours else 220, 220]
        write_label(root / f"{number}_mask.png", blurred.astype(np.uint8))
    with pytest.raises(DataError, match=r"3 x 3 pixels, as at edges that are blurred\. Were they scaled"):
        detect(root)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("i\\0.jpg\tl\\0.png", r"train\.txt lists 'i\\\\0\.jpg', which is not there"),
        ("/i/0.jpg /l/0.png", r"train\.txt lists '/i/0\.jpg', which is not there"),
        ("i/a 0.jpg l/a 0.png", r"train\.txt:1: 'i/a 0\.jpg l/a 0\.png' is no pair"),
        ("\ud800", r"train\.txt: the list of pairs cannot be read"),
    ],
)
def test_a_list_that_is_of_no_use_is_explained(root, line, reason):
    write_image(root / "i" / "0.jpg", np.zeros((6, 8, 3), np.uint8))
    (root / "train.txt").write_bytes(line.encode("utf-16" if "\ud800" in line else "utf-8", "replace"))
    with pytest.raises(DataError, match=rf"Looked for folders .*{reason}"):
        detect(root)
