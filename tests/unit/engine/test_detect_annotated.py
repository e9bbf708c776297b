"""Files of COCO and LabelMe, found in folders."""

import json

import numpy as np
import pytest

from ssseg.engine.detect import detect
from ssseg.modules.utils.errors import ConfigError, DataError
from tests.trees import write_image, write_label
from tests.unit.engine.owndata import cfg_with, counts, datasets, paths_of


@pytest.fixture
def root(tmp_path):
    return tmp_path / "data"


def coco_tree(root, parts=("train", "val"), prefix="instances_"):
    for part in parts:
        images, entries = [], []
        for number in range(3):
            write_image(root / part / f"{part}{number}.jpg", np.zeros((6, 8, 3), np.uint8))
            images.append({"id": number, "file_name": f"{part}{number}.jpg", "height": 6, "width": 8})
            box = [[0, 0, 4, 0, 4, 2, 0, 2]]
            entries.append({"image_id": number, "category_id": 2 + number % 2, "segmentation": box})
        record = {
            "images": images,
            "annotations": entries,
            "categories": [{"id": 2, "name": "a"}, {"id": 3, "name": "a"}],
        }
        path = root / "annotations" / f"{prefix}{part}2017.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(record))
    return root


def test_coco_instances(root, tmp_path):
    cfg, text = cfg_with(coco_tree(root), tmp_path)
    assert counts(cfg) == [3, 3]
    assert datasets(cfg)[0].classnames == ["background", "a", "a (3)"]
    assert cfg["dataset"]["train"]["images"] == "train"
    assert "pixels without an object are the class background" in text
    cfg, _ = cfg_with(root / "annotations" / "instances_train2017.json", tmp_path)
    assert counts(cfg) == [3, 3]


def test_one_file_of_coco_is_parted(root, tmp_path):
    cfg, _ = cfg_with(coco_tree(root, parts=("train",)), tmp_path)
    assert counts(cfg) == [2, 1]


def test_coco_files_that_are_ambiguous_or_not_whole(root):
    coco_tree(root)
    coco_tree(root, prefix="stuff_")
    with pytest.raises(
        ConfigError, match=r"there are several kinds of annotations, .*Give the training file: --data FILE"
    ):
        detect(root)
    path = root / "annotations" / "stuff_train2017.json"
    record = json.loads(path.read_text())
    record["images"][0]["file_name"] = "other.jpg"
    path.write_text(json.dumps(record))
    with pytest.raises(DataError, match=r"its file other\.jpg is not in .* or two folders below"):
        detect(path)
    path.write_text(json.dumps({**record, "categories": []}))
    with pytest.raises(DataError, match="has no categories, which name the classes"):
        detect(path)
    path.write_text("[]")
    with pytest.raises(DataError, match="has no list 'annotations'"):
        detect(path)


def test_stuff_leaves_other_pixels_out(root, tmp_path):
    cfg, _ = cfg_with(coco_tree(root, prefix="stuff_"), tmp_path)
    assert cfg["num_classes"] == 2
    assert datasets(cfg)[0].read(*paths_of(datasets(cfg)[0]))["seg_target"][5, 7] == -100


def test_panoptic_files(root, tmp_path):
    entries = []
    for name in ("u", "v"):
        write_image(root / "images" / f"{name}.jpg", np.zeros((6, 8, 3), np.uint8))
        colours = np.full((6, 8, 3), (5, 0, 0), np.uint8)
        colours[0] = 0
        write_label(root / "annotations" / "panoptic" / f"{name}.png", colours)
        entries.append({"image_id": name, "file_name": f"{name}.png", "segments_info": [{"id": 5, "category_id": 4}]})
    categories = [{"id": 4, "name": "sea", "color": [1, 2, 3]}, {"id": 9, "name": "sky", "color": [4, 5, 6]}]
    path = root / "annotations" / "panoptic.json"
    path.write_text(json.dumps({"annotations": entries, "categories": categories}))
    cfg, text = cfg_with(root, tmp_path)
    assert (cfg["num_classes"], counts(cfg)) == (2, [1, 1])
    assert "layout   COCO panoptic (COCOFileDataset)" in text
    dataset = datasets(cfg)[0]
    assert dataset.read(*paths_of(dataset))["seg_target"][:2, 0].tolist() == [-100, 0]
    assert dataset.palette == [(1, 2, 3), (4, 5, 6)]


def test_labelme_files(root, tmp_path):
    for number, name in enumerate(("car", "road", "car", "road")):
        write_image(root / f"{number}.jpg", np.zeros((6, 8, 3), np.uint8))
        shapes = [{"label": name, "points": [[0, 0], [3, 2]], "shape_type": "rectangle"}]
        record = {"imagePath": f"C:\\me\\{number}.jpg", "imageHeight": 6, "imageWidth": 8, "shapes": shapes}
        (root / f"{number}.json").write_text(json.dumps(record))
    cfg, _ = cfg_with(root, tmp_path)
    assert cfg["dataset"]["classes"] == [[0, "background"], [1, "car"], [2, "road"]]
    assert counts(cfg) == [3, 1]
    (root / "2.jpg").unlink()
    with pytest.raises(DataError, match=r"2\.json: its image .* is neither where it says nor beside it"):
        detect(root)


def test_labelme_files_with_too_many_names(root):
    def write(names):
        shapes = [{"label": name, "points": [[0, 0], [3, 2]], "shape_type": "rectangle"} for name in names]
        for image in ("0.jpg", "1.jpg"):
            write_image(root / image, np.zeros((6, 8, 3), np.uint8))
            record = {"imagePath": image, "imageHeight": 6, "imageWidth": 8, "shapes": shapes}
            (root / image).with_suffix(".json").write_text(json.dumps(record))

    reserved, names = ["_background_", "__ignore__", "background"], [f"n{i}" for i in range(255)]
    write([*reserved, *names[:254]])
    assert len(detect(root).dataset["classes"]) == 1 + 254
    write(names)
    with pytest.raises(DataError, match="have 255 names; more than 254 are not read"):
        detect(root)


def changed(path, change):
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


def test_a_byte_order_mark_is_no_part_of_the_file(root, tmp_path):
    for path in coco_tree(root).glob("annotations/*.json"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert counts(cfg_with(root, tmp_path)[0]) == [3, 3]


@pytest.mark.parametrize("categories", [[(2, "a"), (2, "b")], [(-1, "a"), (3, "b")], [("2", "a")], [(2, None)]])
def test_categories_need_numbers_of_their_own(root, categories):
    path = coco_tree(root) / "annotations" / "instances_train2017.json"
    rows = [{"id": number, "name": name} for number, name in categories]
    changed(path, lambda record: record.update(categories=rows))
    with pytest.raises(DataError, match=r"train2017\.json: a category needs a name and a number of its own"):
        detect(root)


@pytest.mark.parametrize(
    ("row", "message"), [({"id": 3, "name": "b"}, "is 'b', but 'a \\(3\\)'"), ({"id": 9, "name": "z"}, "not there")]
)
def test_both_files_have_the_same_categories(root, row, message):
    path = coco_tree(root) / "annotations" / "instances_val2017.json"
    changed(path, lambda record: record["categories"].__setitem__(1, row))
    with pytest.raises(DataError, match=rf"val2017\.json: the category {row['id']} .*{message}.* in training"):
        detect(root)


@pytest.mark.parametrize("colour", ["#ff0000", [300, 1, 2], [1, 2], 5, None])
def test_colours_of_other_kinds_are_left_out(root, tmp_path, colour):
    for path in coco_tree(root).glob("annotations/*.json"):
        changed(path, lambda record: record["categories"][0].update(color=colour))
    assert counts(cfg_with(root, tmp_path)[0]) == [3, 3]


def test_a_category_called_background_is_told_from_the_rest(root, tmp_path):
    for path in coco_tree(root).glob("annotations/*.json"):
        changed(path, lambda record: record["categories"][0].update(name="background"))
    assert datasets(cfg_with(root, tmp_path)[0])[0].classnames == ["background", "background (2)", "a"]


def test_files_that_are_nested_too_deep(root):
    path = coco_tree(root) / "annotations" / "instances_train2017.json"
    path.write_text('{"annotations": ' + "[" * 100_000)
    with pytest.raises(DataError, match=r"train2017\.json: the annotation file cannot be read"):
        detect(root)
