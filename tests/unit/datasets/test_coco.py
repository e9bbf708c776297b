import json
from pathlib import Path

import numpy as np
import pytest

from ssseg.modules.datasets.builder import BuildDataset
from ssseg.modules.utils.errors import DataError, LabelError
from ssseg.modules.utils.images import read_label
from tests import shared
from tests.recorded import recorded_tree, write_coco_json, write_mat
from tests.trees import make_image, make_labels, write_image, write_label

SAMPLES = shared.DATA / "samples/COCOStuff"


def test_stuffthingmaps_hold_the_label_itself(tmp_path):
    root = tmp_path / "jpg files"  # where the reference looks for label maps in `png files`
    write_coco_json(root / "annotations/stuff_val2017.json", [139])
    image = root / "val2017/000000000139.jpg"
    write_image(image, make_image(make_labels(0), 0))
    raw = np.array([0, 181, 255], np.uint8)[make_labels(0)]
    write_label(image.with_suffix(".png"), raw)
    dataset = BuildDataset("TEST", None, {"type": "COCOStuffDataset", "rootdir": str(root), "set": "val"})
    dataset.check_files()
    assert dataset.classnames[0] == "person"
    assert np.array_equal(dataset[0]["seg_target"], np.array([0, 181, -100])[make_labels(0)])
    (path,) = dataset.formatresults([np.array([[0, 181]])], ["139"], savedir=str(tmp_path / "out"))
    assert Path(path).name == "000000000139.png"
    assert read_label(path).tolist() == [[0, 181]]


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"{SAMPLES} is not here")
def test_real_stuffthingmaps_name_what_the_pictures_show(tmp_path):
    ids = [139, 785, 1490, 1503]
    (tmp_path / "val2017").mkdir()
    for folder in ("images", "annotations"):
        for path in (SAMPLES / folder / "val2017").iterdir():
            (tmp_path / "val2017" / path.name).symlink_to(path)
    write_coco_json(tmp_path / "annotations/stuff_val2017.json", ids)
    dataset = BuildDataset("TEST", None, {"type": "COCOStuffDataset", "rootdir": str(tmp_path), "set": "val"})
    dataset.check_files()
    names = {
        sample["id"]: {dataset.classnames[label] for label in np.unique(sample["seg_target"]) if label >= 0}
        for sample in dataset
    }
    assert {"person", "skis", "snow"} <= names["785"]  # a skier
    assert {"person", "surfboard", "sea"} <= names["1490"]  # a surfer
    assert {"tv", "chair", "clock"} <= names["139"]  # a living room


def test_a_matlab_file_without_the_matrix_is_named(tmp_path):
    cfg = recorded_tree(tmp_path, "COCOStuff10kDataset")
    (path,) = (tmp_path / "annotations").iterdir()
    write_mat(path, {"T": np.zeros((6, 8), np.uint8)})
    with pytest.raises(LabelError, match=r"000000000077\.mat: holds no matrix of numbers 'S', but T\."):
        BuildDataset("TRAIN", None, cfg)[0]


def test_images_with_few_pixels_of_the_classes_are_left_out(tmp_path):
    cfg = recorded_tree(tmp_path, "COCOVOCSUBDataset")
    path = tmp_path / "annotations/instances_val2017.json"
    record = json.loads(path.read_text())
    assert BuildDataset("TEST", None, cfg).imageids == ["9"]
    for area, ids in ((9999, ["9", "25"]), (1, []), (1000, ["9"])):  # listed areas decide only where they are clear
        for entry in record["annotations"]:
            entry["area"] = area if entry["category_id"] == 1 else 1
        path.write_text(json.dumps(record))
        assert BuildDataset("TEST", None, cfg).imageids == ids, area


def test_no_shapes_are_read_for_a_server(tmp_path):
    cfg = recorded_tree(tmp_path, "COCOVOCSUBDataset")
    sample = BuildDataset("TEST", None, cfg | {"eval_env": "server"})[0]
    assert np.unique(sample["seg_target"]).tolist() == [0]
    assert sample["seg_target"].shape == (50, 60)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"stuff_val2017\.json: the annotation file cannot be read: Expecting"),
        ("[]", r"stuff_val2017\.json: is no COCO annotation file: it has no list 'images'"),
        ('{"images": [{"id": 3}]}', r"stuff_val2017\.json: is no COCO annotation file: an image has no 'file_name'"),
    ],
)
def test_other_json_files_are_named(tmp_path, content, message):
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations/stuff_val2017.json").write_text(content)
    with pytest.raises(DataError, match=message):
        BuildDataset("TEST", None, {"type": "COCOStuffDataset", "rootdir": str(tmp_path), "set": "val"})


def test_a_missing_annotation_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"the annotation file .*instances_val2017\.json does not exist"):
        BuildDataset("TEST", None, {"type": "COCOVOCSUBDataset", "rootdir": str(tmp_path), "set": "val"})


PANOPTIC = shared.DATA / "samples/COCOPanoptic/annotations"


@pytest.mark.skipif(not PANOPTIC.is_dir(), reason=f"{PANOPTIC} is not here")
def test_real_panoptic_maps_are_colours_and_no_label_maps(tmp_path):
    path = PANOPTIC / "panoptic_val2017/000000000139.png"
    colours = read_label(path).astype(int)
    record = json.loads((PANOPTIC / "panoptic_val2017.json").read_text())
    segments = next(entry for entry in record["annotations"] if entry["image_id"] == 139)["segments_info"]
    assert {segment["id"] for segment in segments} <= set(np.unique(colours @ [1, 256, 65536]).tolist())
    write_coco_json(tmp_path / "annotations/stuff_val2017.json", [139])
    (tmp_path / "val2017").mkdir()
    (tmp_path / "val2017/000000000139.png").symlink_to(path)
    (tmp_path / "val2017/000000000139.jpg").symlink_to(PANOPTIC.parent / "images/val2017/000000000139.jpg")
    dataset = BuildDataset("TEST", None, {"type": "COCOStuffDataset", "rootdir": str(tmp_path), "set": "val"})
    with pytest.raises(LabelError, match=r"000000000139\.png: holds colours, .* not class ids"):
        dataset[0]
