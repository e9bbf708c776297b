"""Training runs that read their data in faster ways end as the plain one does."""

from pathlib import Path

import pytest

from ssseg.cli.main import main
from ssseg.engine.trainer import train
from ssseg.modules.utils.configparser import load_config
from tests.integration.test_one_process import outcome, same
from tests.tiny import write_config, write_data

STEADY = [("RandomFlip", {"prob": 0.5}), ("RandomCrop", {"crop_size": 24})]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data"))


def config(folder, root, colours, **options):
    """The tiny experiment; with a change of colours, or one whose numbers are the same in every way."""
    folder.mkdir()
    cfg = load_config(write_config(folder, root))
    own = cfg["dataset"]["train"]
    own["data_pipelines"] = [*STEADY, *own["data_pipelines"][1 if colours else 2 :]]
    own.update(options)
    return cfg


def run(cfg):
    train(cfg, device="cpu")
    return outcome(Path(cfg["work_dir"]))


@pytest.fixture(scope="module")
def plain(tmp_path_factory, root):
    return run(config(tmp_path_factory.mktemp("plain") / "run", root, False, fast_pipeline=False))


@pytest.mark.parametrize("option", ["fast", "label_cache", "raw_cache", "workers"])
@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_faster_ways_change_no_result(tmp_path, root, plain, option, capsys):
    cfg = config(tmp_path / "run", root, False)
    if option == "label_cache":
        cfg["dataset"]["train"]["label_cache"] = True
    if option == "raw_cache":
        assert main(["data", "cache", str(root), "--out", str(tmp_path / "raw"), "--workers", "0"]) == 0
        cfg["dataset"]["raw_cache"] = str(tmp_path / "raw")
        assert capsys.readouterr().out.endswith(f"dataset.raw_cache={tmp_path / 'raw'}\n")
    if option == "workers":
        cfg["dataset"]["train"]["label_cache"] = True
        cfg["dataloader"]["train"]["num_workers_per_gpu"] = 2
        cfg["runtime"]["channels_last"] = False
    assert same(run(cfg), plain)


def test_colours_can_change_on_the_device(tmp_path, root):
    cfg = config(tmp_path / "run", root, True)
    (_, expected), other = run(cfg), config(tmp_path / "other", root, True)
    other["runtime"]["device_transforms"] = True
    _, lines = run(other)
    for line, wanted in zip(lines, expected, strict=True):
        if line["kind"] == "train":
            assert line["loss_total"] == pytest.approx(wanted["loss_total"], rel=2e-2)
