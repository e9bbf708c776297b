"""Every experiment builds: the model, without memory for its weights, and an optimizer whose rules fit it."""

import json
from pathlib import Path

import pytest

import ssseg.configs
from ssseg.engine.configcheck import check_config
from ssseg.modules.utils.configparser import load_config

FOLDERS = sorted(
    folder for folder in Path(ssseg.configs.__file__).parent.iterdir() if folder.is_dir() and folder.name[0] != "_"
)
MODEL = ("type", "num_classes", "backbone", "head", "auxiliary", "losses", "norm_cfg", "act_cfg", "scheduler")


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_experiment_builds_without_a_complaint(folder):
    built = set()
    for path in sorted(folder.glob("*.py")):
        if path.name.startswith("_"):
            continue
        cfg = load_config(path)
        model = json.dumps([cfg.get(name) for name in MODEL], default=str)
        if model not in built:  # data sets differ more often than models
            assert check_config(cfg, build=True) == [], path.stem
        built.add(model)
    assert built
