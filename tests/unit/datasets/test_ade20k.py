from pathlib import Path

import numpy as np
import pytest

from ssseg.modules.datasets.builder import BuildDataset
from ssseg.modules.utils.errors import ConfigError, LabelError
from ssseg.modules.utils.images import read_label, write_png
from tests import shared
from tests.recorded import recorded_tree
from tests.trees import write_list

SAMPLES = shared.DATA / "samples/ADE20k/ADEChallengeData2016"


def test_the_server_takes_the_numbers_of_the_files(tmp_path):
    cfg = recorded_tree(tmp_path, "ADE20kDataset") | {"eval_env": "server"}
    dataset = BuildDataset("TEST", None, cfg)
    labels = np.array([[0, 1], [148, 149]])
    (path,) = dataset.formatresults([labels], ["ADE_val_00000001"], savedir=str(tmp_path / "out"))
    assert Path(path).name == "ADE_val_00000001.png"
    assert read_label(path).tolist() == [[1, 2], [149, 150]]


def test_255_is_no_number_of_ade20k(tmp_path):
    cfg = recorded_tree(tmp_path, "ADE20kDataset")
    path = tmp_path / "ADEChallengeData2016/annotations/validation/ADE_val_00000001.png"
    write_png(path, np.full((6, 8), 255))
    with pytest.raises(LabelError, match=r"ADE_val_00000001\.png: holds the ids 255 \(48 pixels\)"):
        BuildDataset("TEST", None, cfg)[0]


def test_without_a_list_all_images_count(tmp_path):
    cfg = recorded_tree(tmp_path, "ADE20kDataset")
    listed = BuildDataset("TEST", None, cfg).imageids
    (tmp_path / "ADEChallengeData2016/val.txt").unlink()
    dataset = BuildDataset("TEST", None, cfg)
    dataset.check_files()
    assert list(dataset.imageids) == sorted(listed)


def test_sets_have_folders(tmp_path):
    cfg = recorded_tree(tmp_path, "ADE20kDataset")
    with pytest.raises(ConfigError, match=r"\['set'\]='validation': must be 'train' or 'val' or 'test'"):
        BuildDataset("TEST", None, cfg | {"test": {"set": "validation"}})


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"{SAMPLES} is not here")
def test_real_label_maps_lose_their_zero_and_move_down(tmp_path):
    root = tmp_path / "ADEChallengeData2016"
    for name in ("images", "annotations"):
        root.mkdir(exist_ok=True)
        (root / name).symlink_to(SAMPLES / name)
    write_list(root / "train.txt", ["ADE_train_00000001"])
    write_list(root / "val.txt", [f"ADE_val_0000000{number}" for number in (1, 2, 3)])
    cfg = {"type": "ADE20kDataset", "rootdir": str(tmp_path), "train": {"set": "train"}, "test": {"set": "val"}}
    train = BuildDataset("TRAIN", None, cfg)
    train.check_files()
    raw = read_label(SAMPLES / "annotations/training/ADE_train_00000001.png").astype(int)
    expected = np.where(raw == 0, -100, raw - 1)
    assert expected.max() == 149
    assert np.array_equal(train[0]["seg_target"], expected)
    assert len(BuildDataset("TEST", None, cfg)) == 3
