"""Sheets of samples."""

import numpy as np
import pytest
import torch

from ssseg.cli.main import main
from ssseg.engine.browse import as_seen, letterbox, sample_row
from ssseg.modules import BuildDataset
from ssseg.modules.datasets.pipelines.normalize import Normalize
from ssseg.modules.utils.drawing import PAPER
from ssseg.modules.utils.images import read_image
from tests.trees import COLOURS, folder_tree

NORMALIZE = {"mean": [100.0, 110.0, 120.0], "std": [50.0, 60.0, 70.0]}
FLIPPED = [("RandomFlip", {"prob": 1.0}), ("Normalize", NORMALIZE), ("ToTensor", {})]


@pytest.fixture
def root(tmp_path):
    return folder_tree(tmp_path / "data", train=8, ext=".png", size=(12, 16))


def built(root, pipelines=FLIPPED, mode="TRAIN"):
    return BuildDataset(mode, None, {"type": "FolderDataset", "rootdir": str(root), "data_pipelines": pipelines})


def test_a_row_shows_the_sample_before_and_after(root):
    dataset = built(root)
    (image, painted, seen, seen_painted), caption, pixels = sample_row(dataset, 0, seed=0, epoch=1)
    np.testing.assert_array_equal(image, read_image(root / "images" / "train" / "train_0.png")[..., ::-1])
    np.testing.assert_array_equal(seen, image[:, ::-1])
    np.testing.assert_array_equal(seen_painted, painted[:, ::-1])
    assert caption == "train_0   16 x 12"
    assert pixels.sum() == 12 * 16


def test_columns_without_transforms_and_in_test_mode(root):
    assert len(sample_row(built(root, []), 0, 0, 1)[0]) == 2
    assert len(sample_row(built(root, mode="TEST"), 0, 0, 1)[0]) == 3


def test_the_same_seed_and_epoch_draw_the_same(root):
    dataset = built(root, [("RandomCrop", {"crop_size": (4, 4)}), *FLIPPED[1:]])
    crops = [sample_row(dataset, 0, seed, 1)[0][2] for seed in (3, 3, *range(4, 12))]
    np.testing.assert_array_equal(crops[0], crops[1])
    assert any((crops[0] != crop).any() for crop in crops[2:])


@pytest.mark.parametrize("to_rgb", [True, False])
def test_normalize_is_undone(to_rgb):
    image = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    normalize = Normalize(**NORMALIZE, to_rgb=to_rgb)
    array = normalize({"image": image.copy()})["image"]
    np.testing.assert_array_equal(as_seen(array, [normalize]), image[..., ::-1])
    tensor = torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))
    np.testing.assert_array_equal(as_seen(tensor, [normalize]), image[..., ::-1])
    np.testing.assert_array_equal(as_seen(image, []), image[..., ::-1])


def test_margins_keep_the_shape_of_things():
    framed = letterbox(np.zeros((4, 4, 3), np.uint8), (10, 20, 3))
    assert framed.shape == (4, 8, 3)
    assert (framed[:, 2:6] == 0).all()
    assert (framed[:, [0, 1, 6, 7]] == PAPER).all()


def test_the_command_draws_sheets_of_six(root, tmp_path, capsys):
    assert main(["data", "browse", str(root), "--out", str(tmp_path / "sheets"), "--number", "7"]) == 0
    printed = capsys.readouterr().out
    assert "layout   images and label maps in folders (FolderDataset)" in printed
    first, second = (read_image(tmp_path / "sheets" / f"samples_0{number}.png") for number in (1, 2))
    assert first.shape[1] == second.shape[1]
    assert first.shape[0] > 5 * second.shape[0] / 2
    assert (first[..., ::-1] == COLOURS[1]).all(axis=2).any()  # in the legend


def test_the_command_takes_transforms_from_a_config(root, tmp_path, capsys):
    model = "camvid/fcn_compactunet_camvid"
    out = str(tmp_path / "sheets")
    arguments = ["data", "browse", model, "--data", str(root), "--out", out, "--split", "val", "losses={}"]
    assert main(arguments) == 0
    assert "samples_01.png" in capsys.readouterr().out
    assert main(["data", "browse", model, "--out", out, "--number", "0"]) == 2
    assert "--number 0: must be 1 or more" in capsys.readouterr().err
