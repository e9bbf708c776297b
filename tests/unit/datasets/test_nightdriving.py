import pytest

from ssseg.modules.datasets.builder import BuildDataset
from ssseg.modules.utils.errors import ConfigError, DataError
from tests.recorded import recorded_tree
from tests.trees import write_list, write_pair

KINDS = ("DarkZurichDataset", "NighttimeDrivingDataset")


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_nothing_to_train_on(tmp_path, kind):
    cfg = recorded_tree(tmp_path, kind)
    with pytest.raises(ConfigError, match=r"\['set'\]='train': must be 'val'\."):
        BuildDataset("TRAIN", None, cfg | {"train": {"set": "train"}})


def test_a_listing_is_sorted(tmp_path):
    cfg = recorded_tree(tmp_path, "NighttimeDrivingDataset")
    images, labels = tmp_path / "leftImg8bit/test/night", tmp_path / "gtCoarse_daytime_trainvaltest/test/night"
    stems = [f"{number}_frame_0001" for number in (3, 9, 1, 5)]
    for stem in stems:
        write_pair(images / f"{stem}_leftImg8bit.png", labels / f"{stem}_gtCoarse_labelTrainIds.png", 0)
    write_list(images / "notes.txt", ["x"])
    dataset = BuildDataset("TEST", None, cfg)
    dataset.check_files()
    assert dataset.imageids == sorted(["0_frame_0057", *stems])


def test_an_empty_or_missing_folder_is_named(tmp_path):
    cfg = {"type": "NighttimeDrivingDataset", "rootdir": str(tmp_path), "set": "val"}
    with pytest.raises(DataError, match=r"NighttimeDrivingDataset: the folder of the images, .* does not exist"):
        BuildDataset("TEST", None, cfg)
    (tmp_path / "leftImg8bit/test/night").mkdir(parents=True)
    with pytest.raises(DataError, match=r"there are no images \*_leftImg8bit\.png"):
        BuildDataset("TEST", None, cfg)
