import logging

import numpy as np
import pytest

from ssseg.modules.datasets.builder import BuildDataset
from ssseg.modules.datasets.seeding import SeededDataset
from ssseg.modules.utils.errors import ConfigError
from ssseg.modules.utils.images import write_png
from tests.recorded import recorded_tree
from tests.trees import folder_tree


@pytest.fixture
def parts(tmp_path):
    """The two data sets and remappers that were recorded with SSSegmentation 1.7.0."""
    voc = recorded_tree(tmp_path / "voc", "VOCDataset")
    lip = recorded_tree(tmp_path / "lip", "LIPDataset")
    return {
        "voc": voc | {"repeat_times": 2, "seg_target_remapper": {0: 0, 1: 2, 5: 1}},
        "lip": lip | {"seg_target_remapper": {0: 0, 3: 4, 19: 3}},
    }


def build(mode="TRAIN", **parts):
    return BuildDataset(mode, None, {"type": "MultipleDataset", "train": parts, "test": parts})


@pytest.mark.parametrize("mode", ["TRAIN", "TEST"])
def test_the_recorded_example(parts, mode):
    dataset = build(mode, **parts)
    dataset.check_files()
    assert dataset.num_classes == 5
    assert dataset.classnames == ["__background__", "bottle", "aeroplane", "rightShoe", "glove"]
    assert dataset.palette == [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128]]
    ids = ["2007_000032", "2007_000039", "2007_000032", "2007_000039", "100034_483681", "10005_205677"]
    assert list(dataset.imageids) == ids
    assert [dataset[index]["id"] for index in range(len(dataset))] == ids
    assert np.unique(dataset[0]["seg_target"]).tolist() == [-100, 0, 1, 2]
    assert np.unique(dataset[-1]["seg_target"]).tolist() == [0, 3, 4]
    assert dataset.label_map.num_classes == 5
    with pytest.raises(IndexError):
        dataset[6]


def test_chains_do_not_compound_and_other_labels_are_ignored(parts):
    write_png(f"{parts['voc']['rootdir']}/SegmentationClass/2007_000032.png", np.array([[0, 1, 5, 2, 255]] * 6))
    write_image = np.zeros((6, 5, 3), np.uint8)
    write_png(f"{parts['voc']['rootdir']}/JPEGImages/2007_000032.jpg", write_image)
    dataset = build(voc=parts["voc"] | {"seg_target_remapper": {0: 1, 1: 2, 5: 0}})
    assert dataset[0]["seg_target"][0].tolist() == [1, 2, 0, -100, -100]


def test_options_beside_the_data_sets_hold_for_all(parts):
    parts["voc"].pop("repeat_times")
    dataset = build(**parts, ignore_index=255, repeat_times=3)
    assert len(dataset) == 12
    assert np.unique(dataset[0]["seg_target"]).tolist() == [0, 1, 2, 255]
    assert dataset[4]["id"] == dataset[0]["id"]
    server = build("TEST", **parts, eval_env="server")
    assert np.unique(server[0]["seg_target"]).tolist() == [0]
    assert build("TEST", **parts, eval_env="local")[0]["seg_target"].max() == 2


def test_each_data_set_knows_the_epoch(parts):
    parts["lip"]["pipeline_schedule"] = [(2, [("RandomFlip", {"prob": 1.0})])]
    dataset = SeededDataset(build(**parts))
    first, second = (dataset[(0, epoch, 5)]["seg_target"] for epoch in (1, 2))
    assert np.array_equal(first[:, ::-1], second)


def test_folders_can_be_joined(tmp_path, parts):
    folder = {"type": "FolderDataset", "rootdir": str(folder_tree(tmp_path / "own"))}
    dataset = build(own=folder | {"seg_target_remapper": {0: 0, 1: 1, 2: 1}}, voc=parts["voc"])
    dataset.check_files()
    assert len(dataset) == 4 + 4
    assert dataset.classnames == ["__background__", "bottle", "aeroplane"]
    assert np.unique(dataset[0]["seg_target"]).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("remapper", "message"),
    [
        (None, r"\['voc'\]\['seg_target_remapper'\]=None: must be \{label: common label, \.\.\.\}"),
        ({0: "a"}, r"\['voc'\]\['seg_target_remapper'\]: 0: 'a' must be whole numbers from 0 on"),
        ({0: -1}, r"\['voc'\]\['seg_target_remapper'\]: 0: -1 must be whole numbers from 0 on"),
        ({0: 0, 21: 1}, r"\['voc'\]\['seg_target_remapper'\]: lists the labels 21, but the data set has 0\.\.20"),
        ({0: 0, 1: 10**12}, r"\['seg_target_remapper'\]: 1: 1000000000000 must be whole numbers"),
        ({0: 0, 1: True}, r"\['seg_target_remapper'\]: 1: True must be whole numbers"),
        ({0: 0, 1: 3}, r"no 'seg_target_remapper' leads to the common labels 1, 2; they count from 0 to 3"),
    ],
)
def test_wrong_remappers_are_named(parts, remapper, message):
    cfg = {"type": "MultipleDataset", "train": {"voc": parts["voc"] | {"seg_target_remapper": remapper}}}
    for logger in (None, logging.getLogger("test")):
        with pytest.raises(ConfigError, match=message):
            BuildDataset("TRAIN", logger, cfg)


def test_no_data_sets_at_all_is_an_error():
    with pytest.raises(ConfigError, match="MultipleDataset has no data sets in its train part"):
        build(repeat_times=2)
