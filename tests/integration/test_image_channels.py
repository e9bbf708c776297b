"""Images of many channels or of 16 bits, from a path to a label map."""

import cv2
import numpy as np
import pytest
import tifffile
import torch

from ssseg import Predictor
from ssseg.cli.main import main
from ssseg.engine.build import build_segmentor
from ssseg.engine.configcheck import check_config
from ssseg.modules.utils.checkpoint import loadckpts
from ssseg.modules.utils.configparser import load_config
from ssseg.modules.utils.errors import ConfigError
from tests.tiny import write_config, write_data


@pytest.fixture
def experiment(tmp_path):
    return write_config(tmp_path, tmp_path / "data")


def rewrite(folder, make):
    """Turn the colour images of `write_data` into others."""
    for path in sorted((folder / "images").rglob("*.png")):
        image = make(cv2.imread(str(path)))
        path.unlink()
        if image.shape[2] in (1, 3, 4):
            cv2.imwrite(str(path), image)
        else:
            tifffile.imwrite(path.with_suffix(".tif"), image, photometric="minisblack", planarconfig="contig")


def five_channels(bgr):
    return np.concatenate([bgr, 255 - bgr[..., :2]], axis=2).astype(np.uint16) * 200


def test_a_path_to_images_of_five_channels_is_enough(tmp_path, experiment, capsys):
    rewrite(write_data(tmp_path / "data"), five_channels)
    status = main(["train", str(experiment), "--data", str(tmp_path / "data"), "--device", "cpu"])
    screen = capsys.readouterr().out
    assert status == 0
    assert "5 channels of 16 bits; read with dataset.in_channels=5" in screen
    assert "Normalize takes mean [" in screen
    checkpoint = tmp_path / "run" / "checkpoints-epoch-latest.pth"
    weights = loadckpts(checkpoint)["model"]
    assert next(value for value in weights.values() if value.ndim == 4).shape[1] == 5
    predictor = Predictor(None, checkpoint, device="cpu")
    image = sorted((tmp_path / "data" / "images" / "val").iterdir())[0]
    prediction = predictor(image)
    assert prediction.labels.shape == (32, 32)
    assert prediction.overlay().shape == (32, 32, 3)
    stored = tifffile.imread(image)
    np.testing.assert_array_equal(predictor(stored).labels, prediction.labels)


def test_16_bit_grey_of_one_channel(tmp_path, experiment):
    rewrite(write_data(tmp_path / "data"), lambda bgr: bgr[..., :1].astype(np.uint16) * 256 + 7)
    arguments = ["train", str(experiment), "--data", str(tmp_path / "data"), "--device", "cpu"]
    assert main([*arguments, "dataset.in_channels=1"]) == 0
    weights = loadckpts(tmp_path / "run" / "checkpoints-epoch-latest.pth")["model"]
    assert next(value for value in weights.values() if value.ndim == 4).shape[1] == 1


def test_alpha_as_a_fourth_channel(tmp_path, experiment):
    rewrite(write_data(tmp_path / "data"), lambda bgr: np.concatenate([bgr, bgr[..., :1] // 2], axis=2))
    cfg = load_config(str(experiment))
    cfg["dataset"]["in_channels"] = 4
    assert next(build_segmentor(cfg, "TRAIN", torch.device("cpu")).parameters()).shape[1] == 4


def test_a_backbone_of_other_channels_is_told_before_anything_runs(tmp_path, experiment):
    write_data(tmp_path / "data")
    cfg = load_config(str(experiment))
    cfg["backbone"]["in_channels"] = 4
    places = [f"{problem.place}: {problem.message}" for problem in check_config(cfg)]
    assert places == [
        "SEGMENTOR_CFG['backbone']['in_channels']: is 4, but SEGMENTOR_CFG['dataset']['in_channels'] is not set, which "
        "reads 3; both are the channels of the images"
    ]
    with pytest.raises(ConfigError, match=r"SEGMENTOR_CFG\['backbone'\]\['in_channels'\]: is 4, but "):
        build_segmentor(cfg, "TRAIN", torch.device("cpu"))


def test_a_mean_of_other_length_is_told_before_anything_runs(tmp_path, experiment):
    write_data(tmp_path / "data")
    cfg = load_config(str(experiment))
    cfg["dataset"]["in_channels"] = 5
    problems = check_config(cfg)
    assert [problem.place for problem in problems] == [
        "SEGMENTOR_CFG['dataset']['test']['data_pipelines'][0]",
        "SEGMENTOR_CFG['dataset']['train']['data_pipelines'][2]",
    ]
    assert "the mean has 3 numbers, but images have 5 channels" in problems[0].message


def test_images_that_differ_in_their_channels(tmp_path, experiment, capsys):
    rewrite(write_data(tmp_path / "data"), five_channels)
    odd = tmp_path / "data" / "images" / "train" / "000.tif"
    tifffile.imwrite(odd, np.zeros((32, 32, 6), np.uint16), photometric="minisblack", planarconfig="contig")
    assert main(["train", str(experiment), "--data", str(tmp_path / "data"), "--device", "cpu"]) == 3
    assert "the images differ in the number of their channels: 5 in " in " ".join(capsys.readouterr().err.split())


def test_stats_and_browse_read_all_channels(tmp_path, experiment, capsys):
    rewrite(write_data(tmp_path / "data"), five_channels)
    target = [str(tmp_path / "data"), "dataset.in_channels=5"]
    assert main(["data", "stats", *target, "--workers", "0"]) == 0
    mean = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("mean"))
    assert mean.endswith("(5 channels)")
    assert len(mean.split(",")) == 5
    assert main(["data", "check", *target, "--workers", "0"]) == 0
    arguments = ["data", "browse", str(experiment), "dataset.in_channels=5", "--data", str(tmp_path / "data")]
    assert main([*arguments, "--out", str(tmp_path / "sheets"), "--number", "2"]) == 0
    assert (tmp_path / "sheets" / "samples_01.png").is_file()
