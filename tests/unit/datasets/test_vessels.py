from pathlib import Path

import numpy as np
import pytest

from ssseg.modules.datasets.builder import BuildDataset
from ssseg.modules.utils.errors import ConfigError
from ssseg.modules.utils.images import read_label
from tests import shared
from tests.trees import drive_tree, make_labels, write_label, write_list, write_pair

RETINA = shared.DATA / "retina/drive"
SAMPLES, DRIVE = shared.DATA / "samples", "DRIVE/training"
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


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"{SAMPLES} is not here")
@pytest.mark.parametrize(
    ("kind", "image", "label", "size"),
    [
        ("ChaseDB1Dataset", "CHASE/CHASEDB1/Image_01L.jpg", "CHASE/CHASEDB1/Image_01L_1stHO.png", (960, 999)),
        ("DRIVEDataset", f"{DRIVE}/images/21_training.tif", f"{DRIVE}/1st_manual/21_manual1.gif", (584, 565)),
        ("STAREDataset", "STARE/stare-images/im0002.ppm", "STARE/labels-ah/im0002.ah.ppm", (605, 700)),
    ],
)
def test_the_original_files_are_read_without_conversion(tmp_path, kind, image, label, size):
    for path, folder in ((image, "images"), (label, "annotations")):
        (tmp_path / folder / "training").mkdir(parents=True)
        name = Path(path).name.replace("21_manual1", "21_training_manual1")
        (tmp_path / folder / "training" / name).symlink_to(SAMPLES / path)
    write_list(tmp_path / "train.txt", [Path(image).name])
    dataset = BuildDataset("TRAIN", None, {"type": kind, "rootdir": str(tmp_path), "set": "train"})
    dataset.check_files()
    sample = dataset[0]
    assert sample["image"].shape == (*size, 3)
    assert np.unique(sample["seg_target"]).tolist() == [0, 1]
    assert 0.03 < sample["seg_target"].mean() < 0.2


def test_vessels_may_be_255_and_are_written_as_1(tmp_path):
    write_pair(tmp_path / "images/validation/01_dr.jpg", tmp_path / "annotations/validation/01_dr.png", 0, 2)
    write_label(tmp_path / "annotations/validation/01_dr.png", make_labels(0, 2) * 255)
    write_list(tmp_path / "val.txt", ["01_dr.jpg"])
    dataset = BuildDataset("TEST", None, {"type": "HRFDataset", "rootdir": str(tmp_path), "set": "val"})
    dataset.check_files()
    sample = dataset[0]
    assert sample["id"] == "01_dr.jpg"
    assert np.array_equal(sample["seg_target"], make_labels(0, 2))
    (path,) = dataset.formatresults([sample["seg_target"].numpy()], [sample["id"]], savedir=str(tmp_path / "out"))
    assert path == str(tmp_path / "out" / "01_dr.png")
    assert np.array_equal(read_label(path), make_labels(0, 2))
