from pathlib import Path

import numpy as np
import pytest

from ssseg.modules.datasets.builder import BuildDataset
from ssseg.modules.utils.errors import ConfigError
from tests.trees import drive_tree, make_labels, write_list

RETINA = Path("/work/shared/data/retina/drive")
CFG = {"type": "DRIVEDataset", "train": {"set": "train"}, "test": {"set": "val"}}


@pytest.mark.parametrize(("mode", "ids"), [("TRAIN", ["21_training", "22_training"]), ("TEST", ["01_validation"])])
def test_the_documented_layout_is_read(tmp_path, mode, ids):
    dataset = BuildDataset(mode, None, {**CFG, "rootdir": str(drive_tree(tmp_path))})
    dataset.check_files()
    assert dataset.imageids == ids
    assert dataset.image_ext == ".png"
    assert np.array_equal(dataset[0]["seg_target"], make_labels(0, 2))
    assert dataset[0]["image"].shape == (6, 8, 3)


def test_other_sets_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"\['set'\]='vla': must be 'train' or 'val'\. Did you mean 'val'\?"):
        BuildDataset("TRAIN", None, {**CFG, "rootdir": str(drive_tree(tmp_path)), "train": {"set": "vla"}})


@pytest.mark.skipif(not RETINA.is_dir(), reason=f"{RETINA} is not here")
def test_the_real_images_are_read_alike_in_both_layouts(tmp_path):
    for split, folder in (("train", "training"), ("val", "validation")):
        for kind, name, ending in (("images", "images", ""), ("labels", "annotations", "_manual1")):
            (tmp_path / name / folder).mkdir(parents=True)
            for path in (RETINA / kind / split).iterdir():
                (tmp_path / name / folder / f"{path.stem}{ending}.png").symlink_to(path)
        write_list(tmp_path / f"{split}.txt", sorted(path.name for path in (RETINA / "images" / split).iterdir()))
    plain = BuildDataset("TRAIN", None, {"type": "FolderDataset", "rootdir": str(RETINA)})
    drive = BuildDataset("TRAIN", None, {**CFG, "rootdir": str(tmp_path)})
    drive.check_files()
    plain.check_files()
    assert len(drive) == len(plain) == 16
    assert len(BuildDataset("TEST", None, {**CFG, "rootdir": str(tmp_path)})) == 4
    for index in (0, 7, 15):
        ours, theirs = drive[index], plain[index]
        assert ours["id"] == theirs["id"]
        assert ours["image"].shape == (584, 565, 3)
        assert np.array_equal(ours["image"], theirs["image"])
        assert np.array_equal(ours["seg_target"], theirs["seg_target"])
        assert 0.05 < ours["seg_target"].mean() < 0.2
