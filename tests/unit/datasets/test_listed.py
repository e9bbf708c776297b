"""Data sets that are described by lists and annotation files."""

import json

import numpy as np
import pytest

from ssseg.modules import BuildDataset
from ssseg.modules.datasets.listed import read_pairs
from ssseg.modules.utils.errors import ConfigError, DataError, LabelError
from tests.trees import make_labels, write_image, write_label, write_pair

ROWS = [[0, "ground"], [1, "road", 128, 64, 128], [2, "void"]]


def listed(root, pairs="train.txt", classes=ROWS, mode="TRAIN", **extra):
    cfg = {"type": "ListedDataset", "rootdir": str(root), "pairs": str(root / pairs), "classes": classes, **extra}
    return BuildDataset(mode, None, cfg)


@pytest.fixture
def root(tmp_path):
    for number in range(2):
        write_pair(tmp_path / "in" / f"{number}.jpg", tmp_path / "out" / f"other_{number}.png", number)
    (tmp_path / "train.txt").write_text("# image, label map\nin/0.jpg\tout/other_0.png\n\nin/1.jpg out/other_1.png\n")
    return tmp_path


def test_pairs_of_different_names_are_read(root):
    dataset = listed(root)
    dataset.check_files()
    assert dataset.imageids == ["in/0", "in/1"]
    assert dataset.classnames == ["ground", "road"]
    assert dataset.palette[1] == (128, 64, 128)
    expected = make_labels(1).astype(np.int16)
    expected[expected == 2] = -100
    np.testing.assert_array_equal(dataset[1]["seg_target"], expected)


def test_absolute_paths_and_equal_stems(root):
    write_pair(root / "in" / "0.png", root / "out" / "third.png", 3)
    lines = (root / "in" / "0.jpg", root / "out" / "other_0.png"), (root / "in" / "0.png", root / "out" / "third.png")
    (root / "train.txt").write_text("".join(f"{image}\t{label}\n" for image, label in lines))
    dataset = listed(root)
    dataset.check_files()
    assert [dataset[number]["id"] for number in range(2)] == [str(image).lstrip("/") for image, _ in lines]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a.jpg\n", r"train\.txt:1: 'a\.jpg' is no pair"),
        ("a.jpg\tb.png\tc.png\n", "is no pair"),
        ("\n#\n", "the list of pairs is empty"),
        ("a\tb\na\tc\n", r":2: the image 'a' is there already"),
    ],
)
def test_lines_that_are_no_pair(tmp_path, content, message):
    (tmp_path / "train.txt").write_text(content)
    with pytest.raises(DataError, match=message):
        read_pairs(tmp_path / "train.txt")


def test_a_missing_list(tmp_path):
    with pytest.raises(DataError, match=r"the list of pairs .*none\.txt does not exist"):
        read_pairs(tmp_path / "none.txt")


@pytest.mark.parametrize("row", [["road", 1], [1], [1, "road", 3, 4], "road"])
def test_wrong_class_rows(root, row):
    with pytest.raises(ConfigError, match=r"\['classes'\]\[1\]=.* must be \[number, name\]"):
        listed(root, classes=[[0, "ground"], row])


SHAPES = [
    {"label": "road", "points": [[0, 0], [4, 0], [4, 2], [0, 2]], "shape_type": "polygon"},
    {"label": "car", "points": [[1, 1], [3, 4]], "shape_type": "rectangle"},
    {"label": "__ignore__", "points": [[6, 4], [6, 5]], "shape_type": "circle"},
]


def write_labelme(path, shapes=SHAPES, **record):
    record = {"imagePath": "a.jpg", "imageHeight": 6, "imageWidth": 8, "shapes": shapes, **record}
    path.write_text(json.dumps(record))


@pytest.fixture
def labelme(tmp_path):
    write_image(tmp_path / "a.jpg", np.zeros((6, 8, 3), np.uint8))
    (tmp_path / "train.txt").write_text("a.jpg\ta.json\n")
    write_labelme(tmp_path / "a.json")
    return listed(tmp_path, classes=[[0, "background"], [1, "car"], [2, "road"]])


def test_shapes_are_painted_later_ones_over_earlier_ones(labelme):
    expected = np.zeros((6, 8), np.int16)
    expected[0:2, 0:4], expected[1:4, 1:3], expected[3:5, 5:7] = 2, 1, -100
    np.testing.assert_array_equal(labelme[0]["seg_target"], expected)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({"label": "rood", "points": []}, r"shape 0: the class 'rood' is unknown\. Did you mean 'road'\?"),
        ({"label": "road", "points": [[0, 0], [1, 1]], "shape_type": "line"}, "a line of 2 points has no area"),
        ({"label": "road"}, "is no shape: KeyError"),
        ({"label": "road", "points": [[0, 0], [4, 0], [float("nan"), 2]]}, "is no shape: .*not finite"),
        ({"label": "road", "points": [[0, 0], [1e308, 0]], "shape_type": "circle"}, "is no shape: .*far outside"),
        ({"points": [[0, 0], [4, 0], [4, 2]]}, "shape 0: has no label"),
    ],
)
def test_shapes_that_cannot_be_painted(labelme, tmp_path, shape, message):
    write_labelme(tmp_path / "a.json", [shape])
    with pytest.raises(LabelError, match=message):
        labelme[0]


def test_files_that_labelme_did_not_write(labelme, tmp_path):
    (tmp_path / "a.json").write_text('{"shapes": []}')
    with pytest.raises(LabelError, match="is no file of LabelMe: it has no imagePath, imageHeight, imageWidth"):
        labelme[0]
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(LabelError, match="the file of polygons cannot be read"):
        labelme[0]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"imageHeight": None}, "an image cannot have the height None"),
        ({"imageHeight": "6"}, "an image cannot have the height '6'"),
        ({"imageHeight": -6}, "the height -6"),
        ({"imageHeight": 10**7, "imageWidth": 10**7}, "the height 10000000"),
        ({"shapes": None}, "its shapes are no list"),
        ({"shapes": {"a": 1}}, "its shapes are no list"),
    ],
)
def test_entries_of_labelme_that_are_of_another_kind(labelme, tmp_path, entry, message):
    write_labelme(tmp_path / "a.json", **entry)
    with pytest.raises(LabelError, match=rf"a\.json: .*{message}"):
        labelme[0]


def coco(root, annotations, classes, **extra):
    (root / "a.json").write_text(json.dumps(annotations))
    cfg = {
        "type": "COCOFileDataset",
        "rootdir": str(root),
        "annotations": "a.json",
        "images": "img",
        "classes": classes,
    }
    dataset = BuildDataset("TRAIN", None, {**cfg, **extra})
    dataset.check_files()
    return dataset


@pytest.fixture
def images(tmp_path):
    for name in ("x", "y"):
        write_image(tmp_path / "img" / f"{name}.jpg", np.zeros((6, 8, 3), np.uint8))
    return [{"id": n, "file_name": f"{name}.jpg", "height": 6, "width": 8} for n, name in ((7, "x"), (8, "y"))]


def test_instances_have_their_categories(tmp_path, images):
    box = [[0, 0, 4, 0, 4, 2, 0, 2]]
    entries = [
        {"image_id": 7, "category_id": 300, "segmentation": box},
        {"image_id": 8, "category_id": 5, "segmentation": box},
    ]
    rows = [[-1, "background"], [5, "cat"], [300, "dog"]]
    (tmp_path / "ids.txt").write_text("8\n7\n")
    dataset = coco(tmp_path, {"images": images, "annotations": entries}, rows, ids=str(tmp_path / "ids.txt"))
    assert [sample["id"] for sample in (dataset[0], dataset[1])] == ["8", "7"]
    for number, label in ((0, 1), (1, 2)):
        expected = np.zeros((6, 8), np.int16)
        expected[0:2, 0:4] = label
        np.testing.assert_array_equal(dataset[number]["seg_target"], expected)


def test_ids_that_the_file_lacks(tmp_path, images):
    (tmp_path / "ids.txt").write_text("9\n")
    with pytest.raises(DataError, match=r"1 images are not in .*a\.json, such as '9'"):
        coco(tmp_path, {"images": images, "annotations": []}, [[-1, "void"], [1, "a"]], ids=str(tmp_path / "ids.txt"))


def panoptic(root, segments):
    colours = np.zeros((6, 8, 3), np.uint8)
    colours[0:3], colours[5] = (4, 1, 0), (0, 0, 2)  # segments 260 and 131072
    write_label(root / "png" / "x.png", colours)
    entry = {"image_id": 7, "file_name": "x.png", "segments_info": segments}
    return coco(root, {"annotations": [entry]}, [[-1, "void"], [3, "sky"], [9, "sea"]], segments="png")


def test_panoptic_segments_have_their_categories(tmp_path, images):
    segments = [{"id": 260, "category_id": 9}, {"id": 131072, "category_id": 3}]
    labels = panoptic(tmp_path, segments)[0]["seg_target"]
    assert labels[:, 0].tolist() == [1, 1, 1, -100, -100, 0]


def test_panoptic_files_that_are_wrong(tmp_path, images):
    dataset = panoptic(tmp_path, [{"id": 260, "category_id": 9}])
    with pytest.raises(LabelError, match="the segment 131072, first at row 5, column 0, is not in"):
        dataset[0]
    write_label(tmp_path / "png" / "x.png", np.zeros((6, 8), np.uint8))
    with pytest.raises(LabelError, match="holds no colours"):
        dataset[0]
    with pytest.raises(DataError, match="is no panoptic annotation file"):
        coco(tmp_path, {"annotations": [{}]}, [[-1, "void"], [3, "sky"]], segments="png")
