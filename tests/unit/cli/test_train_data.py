"""`ssseg train CONFIG --data PATH`."""

import numpy as np
import pytest

from ssseg.cli.main import main
from ssseg.cli.train import refuse_contradictions
from ssseg.modules.utils.configparser import load_config
from ssseg.modules.utils.errors import ConfigError
from ssseg.modules.utils.images import read_label
from tests.tiny import CONFIG, write_data
from tests.trees import COLOURS, write_label


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "tiny.py"
    path.write_text(CONFIG.format(work_dir=str(tmp_path / "run"), root=str(tmp_path / "none")))
    return str(path)


def test_nothing_but_a_path_is_needed(config, tmp_path, capsys):
    root = write_data(tmp_path / "data")
    (root / "classes.txt").unlink()
    (root / "images").rename(root / "photos")
    (root / "labels").rename(root / "masks")
    for path in sorted((root / "masks").rglob("*.png")):
        write_label(path, np.array(COLOURS, np.uint8)[read_label(path)])
    assert main(["train", config, "--data", str(root), "--device", "cpu", "scheduler.max_epochs=1"]) == 0
    printed = capsys.readouterr().out
    assert "layout   images and label maps of the same names (ListedDataset)" in printed
    assert "train    12 images from train" in printed
    saved = load_config(tmp_path / "run" / "configs" / "run.py")
    assert saved["dataset"]["classes"][2] == [2, "#dc2828", 220, 40, 40]
    assert saved["num_classes"] == 3
    checkpoint = str(tmp_path / "run" / "checkpoints-epoch-latest.pth")
    resolved = str(tmp_path / "run" / "configs" / "run.py")
    assert main(["test", resolved, "--ckptspath", checkpoint, "--device", "cpu"]) == 0


@pytest.mark.parametrize("override", ["num_classes=4", "dataset.rootdir=/x", "~dataset.type"])
def test_overrides_that_contradict(config, tmp_path, capsys, override):
    with pytest.raises(ConfigError, match=r"--data decides on (num_classes|dataset\.\w+); give one of the two"):
        refuse_contradictions([override])
    assert main(["train", config, "--data", str(tmp_path), "num_classes=4"]) == 2
    assert "--data decides on num_classes" in capsys.readouterr().err
