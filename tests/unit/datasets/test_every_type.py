"""What holds for every data set type: options, results for a server, label maps."""

from pathlib import Path

import numpy as np
import pytest

from ssseg.modules.datasets.builder import BuildDataset
from ssseg.modules.utils.errors import ImageError, LabelError
from ssseg.modules.utils.images import read_label, write_png
from tests.recorded import recorded, recorded_tree, write_mat

KINDS = sorted(recorded())
SHAPES = ("COCOVOCSUBDataset",)  # whose labels are drawn, so that none can be wrong


@pytest.fixture(params=KINDS)
def cfg(request, tmp_path):
    return recorded_tree(tmp_path / "root", request.param)


def test_samples_are_repeated(cfg):
    once, thrice = (BuildDataset("TEST", None, cfg | {"repeat_times": times}) for times in (1, 3))
    assert len(thrice) == 3 * len(once)
    assert thrice[len(once)]["id"] == once[0]["id"] == thrice[-len(thrice)]["id"]


def test_positions_are_recorded(cfg):
    sample = BuildDataset("TRAIN", None, cfg | {"record_img2aug_pos_mapper": True})[0]
    assert sample["img2aug_pos_mapper"].shape[:2] == sample["image"].shape[:2]


def test_ignored_pixels_have_the_chosen_number(cfg):
    usual, chosen = (BuildDataset("TRAIN", None, cfg | {"ignore_index": number})[0] for number in (-100, 255))
    assert usual["id"] == chosen["id"]
    assert set(np.unique(chosen["seg_target"])) <= {*range(BuildDataset("TRAIN", None, cfg).num_classes), 255}


def test_unknown_numbers_are_errors_or_ignored_as_the_option_says(cfg):
    if cfg["type"] in SHAPES:
        pytest.skip("has no unknown numbers")
    for second_person in Path(cfg["rootdir"]).rglob("*_02_02.png"):
        second_person.unlink()
    dataset = BuildDataset("TEST", None, cfg)
    path = Path(dataset.ann_path(dataset.imageids[0]))
    wrong = np.zeros((6, 8), np.uint16)
    wrong[2, 3] = 1000
    if path.suffix == ".mat":
        write_mat(path, {"S": wrong})
    else:
        write_png(path, wrong)
    with pytest.raises(LabelError, match=r"holds the ids 1000 \(1 pixel\), first at row 2, column 3"):
        dataset[0]
    corrected = BuildDataset("TEST", None, cfg | {"auto_correct_invalid_seg_target": True})[0]
    assert corrected["seg_target"][2, 3] == -100


def test_results_for_a_server_hold_the_numbers_of_the_files(cfg, tmp_path):
    dataset = BuildDataset("TEST", None, cfg | {"eval_env": "server"})
    labels = np.arange(dataset.num_classes).reshape(1, -1)
    out = tmp_path / "results"
    for to_label_id in (True, False):
        paths = dataset.formatresults(
            [labels] * len(dataset), dataset.imageids, to_label_id=to_label_id, savedir=str(out)
        )
        assert len(set(paths)) == len(dataset)
        assert all(path.startswith(str(out)) and path.endswith(".png") for path in paths)
        raw = read_label(paths[0])
        assert np.array_equal(dataset.label_map.apply(raw, where="results") if to_label_id else raw, labels)
    stem = paths[0].removesuffix(".png")
    assert not stem.endswith((".jpg", ".png"))


def test_a_missing_image_is_named(cfg):
    dataset = BuildDataset("TEST", None, cfg)
    dataset.image_dir = f"{dataset.image_dir}_elsewhere"
    with pytest.raises(ImageError, match="cannot be read: No such file"):
        dataset.read(dataset.image_path(dataset.imageids[0]))
