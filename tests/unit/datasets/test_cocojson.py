import json

import numpy as np
import pytest

from ssseg.modules.datasets.cocojson import Instances, shape_mask
from ssseg.modules.utils.errors import DataError, LabelError
from tests import shared

SAMPLES = shared.DATA / "samples/COCOStuff/annotations"


@pytest.mark.parametrize("box", [(0, 0, 4, 3), (2, 1, 7, 6), (-3, -3, 2, 2), (5, 4, 20, 20), (3, 3, 3, 3)])
def test_a_box_covers_the_pixels_inside(box):
    x0, y0, x1, y1 = box
    expected = np.zeros((6, 8), bool)
    expected[max(y0, 0) : y1, max(x0, 0) : x1] = True
    for corners in ([x0, y0, x1, y0, x1, y1, x0, y1], [x0, y1, x1, y1, x1, y0, x0, y0]):
        assert np.array_equal(shape_mask([np.array(corners, float).reshape(-1, 2)], (6, 8)), expected)


def test_a_polygon_covers_the_pixels_whose_centres_lie_inside():
    points = np.array([[2.3, 1.7], [29.1, 8.2], [17.6, 12.4], [24.2, 27.9], [4.4, 19.3]])
    mask = shape_mask([points], (30, 32))
    for row, column in np.ndindex(mask.shape):
        angles = np.arctan2(points[:, 1] - row - 0.5, points[:, 0] - column - 0.5)
        turns = np.diff(np.append(angles, angles[0]))
        winding = ((turns + np.pi) % (2 * np.pi) - np.pi).sum() / (2 * np.pi)
        assert mask[row, column] == (abs(winding) > 0.5), (row, column)


def test_polygons_of_an_object_are_joined_and_lines_cover_nothing():
    first, second = np.array([[0, 0], [4, 0], [4, 4], [0, 4]]), np.array([[2, 2], [6, 2], [6, 6], [2, 6]])
    assert shape_mask([first, second], (8, 8)).sum() == 16 + 16 - 4
    assert not shape_mask([first[:2]], (8, 8)).any()


def test_run_lengths_count_columns_from_the_top():
    code = {"counts": [1, 3, 2], "size": [2, 3]}
    assert shape_mask(code, (2, 3)).tolist() == [[False, True, False], [True, True, False]]
    for wrong in ({"counts": [1, 3], "size": [2, 3]}, {"counts": [1, 3, 2], "size": [3, 2]}):
        with pytest.raises(LabelError, match=r"code of size \[\d, \d\] does not fill an image of \[2, 3\]"):
            shape_mask(wrong, (2, 3))


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"{SAMPLES} is not here")
def test_real_compressed_run_lengths_give_the_listed_areas_and_boxes():
    record = json.loads((SAMPLES / "stuff_examples.json").read_text())
    entries = [entry for entry in record["annotations"] if entry["image_id"] in (934, 13715)]
    assert len(entries) == 17
    for entry in entries:
        mask = shape_mask(entry["segmentation"], entry["segmentation"]["size"])
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        assert mask.sum() == entry["area"]
        assert entry["bbox"] == [columns[0], rows[0], np.ptp(columns) + 1, np.ptp(rows) + 1]


def test_crowds_are_painted_too(tmp_path):
    entry = {"image_id": 1, "category_id": 7, "segmentation": {"counts": [1, 3, 2], "size": [2, 3]}, "iscrowd": 1}
    record = {"images": [{"id": 1, "file_name": "a.jpg", "height": 2, "width": 3}], "annotations": [entry]}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(record))
    assert Instances(path, {7: 5}).label_map("1").tolist() == [[0, 5, 0], [5, 5, 0]]
    assert Instances(path, {8: 5}).label_map("1").tolist() == [[0, 0, 0], [0, 0, 0]]
    path.write_text(json.dumps({"images": record["images"], "annotations": [{"image_id": 1}]}))
    with pytest.raises(DataError, match=r"a\.json: is no COCO file of instances: KeyError\('category_id'\)"):
        Instances(path, {7: 5})


def instances(path, entry, image=None, **extra):
    image = {"id": 1, "file_name": "a.jpg", "height": 2, "width": 3, **(image or {})}
    shape = {"segmentation": [[0, 0, 2, 0, 2, 2]]}
    record = {"images": [image], "annotations": [{"image_id": 1, "category_id": 7, **shape, **entry}], **extra}
    path.write_text(json.dumps(record))
    return Instances(path, {7: 1})


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"segmentation": None}, "an object has no shape: its segmentation is None; are there boxes only?"),
        ({"segmentation": []}, "an object has no shape"),
        ({"segmentation": [[0, 0, float("nan"), 0, 2, 2]]}, "a point is not finite"),
        ({"segmentation": [[0, 0, 1e308, 0, 2, 2]]}, "far outside of any image"),
        ({"segmentation": [[0, 0, 1]]}, "cannot reshape"),
        ({"category_id": "7"}, "an object has the category '7', which is not listed"),
        ({"category_id": 8}, "an object has the category 8"),
        ({"image_id": "01"}, "no object is in a listed image; the first is in one with the id 01"),
    ],
)
def test_objects_that_would_not_be_painted_are_errors(tmp_path, entry, message):
    with pytest.raises(DataError, match=rf"a\.json: .*{message}"):
        instances(tmp_path / "a.json", entry, categories=[{"id": 7, "name": "cat"}])


@pytest.mark.parametrize("size", [{"height": "2"}, {"height": -2}, {"height": 10**7, "width": 10**7}, {"width": 2.5}])
def test_sizes_that_no_image_has(tmp_path, size):
    with pytest.raises(DataError, match="an image cannot have the height"):
        instances(tmp_path / "a.json", {}, size)


def test_two_images_of_one_id(tmp_path):
    images = [{"id": 1, "file_name": name, "height": 2, "width": 3} for name in ("a.jpg", "b.jpg")]
    with pytest.raises(DataError, match=r"the id 1 is that of a\.jpg and of b\.jpg"):
        instances(tmp_path / "a.json", {}, images=images)


@pytest.mark.parametrize(
    "code",
    [
        {"size": [2, 3]},
        {"counts": [1.5, 4.5], "size": [2, 3]},
        {"counts": "o" * 5000, "size": [2, 3]},
        {"counts": [2**70], "size": [2, 3]},
        {"counts": [2**62, 2**62, 2**62, 2**62, 6], "size": [2, 3]},
        {"counts": [[6]], "size": [2, 3]},
        {"counts": None, "size": 5},
    ],
)
def test_run_length_codes_that_are_damaged_name_file_and_image(tmp_path, code):
    objects = instances(tmp_path / "a.json", {"segmentation": code})
    with pytest.raises(LabelError, match=r"a\.json, image 1: a run-length code (is damaged|of size)"):
        objects.label_map("1")
