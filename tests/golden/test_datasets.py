"""The data set types against what SSSegmentation 1.7.0 says of their classes and reads from small trees."""

import numpy as np
import pytest

from ssseg.modules import DatasetBuilder
from ssseg.modules.datasets.builder import BuildDataset
from tests.recorded import recorded, recorded_tree

KINDS = sorted(recorded())
CORRECTED_NAMES = {"SBUShadowDataset": {"__backgroud__": "__background__"}}
VESSELS = ("ChaseDB1Dataset", "DRIVEDataset", "HRFDataset", "STAREDataset")
CORRECTED_MAPS = {  # docs/DIFFERENCES.md says why
    "COCOStuffDataset": {255: -100},
    "DarkZurichDataset": {255: -100},
    "NighttimeDrivingDataset": {255: -100},
    "SBUShadowDataset": {255: 1, **dict.fromkeys(range(1, 255), 1)},
    **{kind: {1: 1, 255: 1} for kind in VESSELS},
}
CORRECTED_LABELS = {
    "COCOStuffDataset": [-100, 0, 1, 181],
    "DarkZurichDataset": [-100, 0, 5],
    "NighttimeDrivingDataset": [-100, 0, 5],
}


@pytest.mark.parametrize("kind", KINDS)
def test_classes_colours_and_numbers(kind):
    expected, found = recorded()[kind], DatasetBuilder().get(kind)
    corrected = CORRECTED_NAMES.get(kind, {})
    assert found.num_classes == expected["num_classes"]
    assert list(found.classnames) == [corrected.get(name, name) for name in expected["classnames"]]
    assert [list(colour) for colour in found.palette] == expected["palette"]
    numbers = {int(raw): label for raw, label in expected["clsid2label"].items()}
    assert found.clsid2label == CORRECTED_MAPS.get(kind, numbers)


@pytest.mark.parametrize("mode", ["TRAIN", "TEST", "SERVER"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_read(tmp_path, kind, mode):
    cfg = recorded_tree(tmp_path, kind)
    cfg["test"]["eval_env"] = "server" if mode == "SERVER" else "local"
    modes = recorded()[kind]["tree"]["modes"]
    expected = modes.get(mode, modes["TEST"])
    dataset = BuildDataset("TRAIN" if mode == "TRAIN" else "TEST", None, cfg)
    dataset.check_files()
    assert list(dataset.imageids) == expected["ids"]
    labels = CORRECTED_LABELS.get(kind, expected["labels"]) if mode != "SERVER" else [0]
    for index, imageid in enumerate(expected["ids"]):
        sample = dataset[index]
        assert sample["id"] == imageid
        assert sample["image"].dtype == np.uint8
        assert sample["image"].shape == (sample["height"], sample["width"], 3)
        assert tuple(sample["seg_target"].shape) == (sample["height"], sample["width"])
        assert np.unique(np.asarray(sample["seg_target"])).tolist() == labels


def test_every_type_is_recorded():
    ours = {"BaseDataset", "COCOFileDataset", "FolderDataset", "ListedDataset", "MultipleDataset"}
    assert set(DatasetBuilder().keys()) == {*KINDS, *ours}


def test_overlapping_instances_keep_the_first(tmp_path):
    sample = BuildDataset("TEST", None, recorded_tree(tmp_path, "COCOVOCSUBDataset"))[0]
    labels, counts = np.unique(sample["seg_target"].numpy(), return_counts=True)
    assert dict(zip(labels.tolist(), counts.tolist(), strict=True)) == {0: 600, 12: 800, 15: 1600}
