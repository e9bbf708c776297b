import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ssseg.engine import classweights
from ssseg.engine.classweights import FILE, resolve_class_weights
from ssseg.engine.configcheck import check_config
from ssseg.engine.trainer import train
from ssseg.modules.utils.configparser import load_config
from ssseg.modules.utils.errors import ConfigError, DataError
from ssseg.modules.utils.images import read_label, write_png
from tests.tiny import write_config, write_data

AUTO = "losses.loss_cls.class_weight=auto:sqrt_inverse"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("tiny")
    write_data(home / "data", train=4, val=2)
    return home


def config(folder, *overrides):
    return load_config(write_config(folder, folder / "data"), [f"+{override}" for override in overrides])


def test_formulae_become_the_weights_of_the_training_set(folder, tmp_path):
    cfg = config(folder, AUTO)
    resolved = resolve_class_weights(cfg, tmp_path)
    labels = np.concatenate([read_label(path).ravel() for path in (folder / "data/labels/train").iterdir()])
    shares = np.bincount(labels) / labels.size
    expected = shares**-0.5 / (shares * shares**-0.5).sum()
    assert resolved["losses"]["loss_cls"]["class_weight"] == pytest.approx(expected.tolist(), rel=1e-4)
    assert "class_weight" not in resolved["losses"]["loss_aux"]
    assert cfg["losses"]["loss_cls"]["class_weight"] == "auto:sqrt_inverse"


def test_losses_in_a_list_are_resolved_too(folder, tmp_path):
    cfg = config(folder)
    loss = cfg["losses"]["loss_cls"]
    cfg["losses"]["loss_cls"] = [loss, {**loss, "class_weight": "auto:enet"}]
    first, second = resolve_class_weights(cfg, tmp_path)["losses"]["loss_cls"]
    assert "class_weight" not in first
    assert len(second["class_weight"]) == 3


def test_configs_without_formulae_stay_and_read_nothing(folder, tmp_path):
    cfg = config(folder)
    assert resolve_class_weights(cfg, tmp_path) is cfg
    assert not (tmp_path / FILE).exists()


def test_pixels_are_counted_once_while_the_label_maps_stay(folder, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    shutil.copytree(folder / "data", home / "data")
    cfg = config(home, AUTO)
    first = resolve_class_weights(cfg, tmp_path)
    assert json.loads((tmp_path / FILE).read_text())["counts"]["images"] == [4, 4, 4]
    counted = []
    examine_all = classweights.examine_all
    monkeypatch.setattr(classweights, "examine_all", lambda *a, **k: counted.append(1) or examine_all(*a, **k))
    assert resolve_class_weights(cfg, tmp_path) == first
    assert not counted
    write_png(home / "data/labels/train/000.png", np.ones((32, 32), np.uint8))
    assert resolve_class_weights(cfg, tmp_path) != first
    assert counted == [1]


def test_a_damaged_record_of_counts_is_written_anew(folder, tmp_path):
    (tmp_path / FILE).write_text("{")
    resolve_class_weights(config(folder, AUTO), tmp_path)
    assert "counts" in json.loads((tmp_path / FILE).read_text())


def test_label_maps_that_cannot_be_used_are_named(folder, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    shutil.copytree(folder / "data", home / "data")
    (home / "data/labels/train/001.png").unlink()
    with pytest.raises(DataError, match=r"1 cannot be used\. The first: .*001\.png: the label map of '001'"):
        resolve_class_weights(config(home, AUTO), tmp_path)
    write_png(home / "data/labels/train/001.png", np.full((32, 32), 9, np.uint8))
    with pytest.raises(DataError, match=r"001\.png: holds the ids 9"):
        resolve_class_weights(config(home, AUTO), tmp_path)


def test_a_misspelt_formula_is_found_before_anything_is_read(folder):
    cfg = config(folder, "losses.loss_cls.class_weight=auto:sqrt_invers")
    (problem,) = check_config(cfg)
    assert problem.place == "SEGMENTOR_CFG['losses']['loss_cls']['class_weight']"
    assert "Did you mean 'sqrt_inverse'?" in problem.message
    with pytest.raises(ConfigError, match="'sqrt_invers' is no formula"):
        train(cfg)


def test_a_config_with_a_formula_is_in_order(folder):
    assert check_config(config(folder, AUTO), build=True) == []


def test_a_run_trains_with_the_weights_and_keeps_them_in_its_config(folder):
    cfg = config(folder, AUTO, "scheduler.max_epochs=1")
    train(cfg, device="cpu")
    work_dir = Path(cfg["work_dir"])
    saved = load_config(work_dir / "configs" / f"{work_dir.name}.py")
    expected = resolve_class_weights(cfg, work_dir)["losses"]["loss_cls"]["class_weight"]
    assert saved["losses"]["loss_cls"]["class_weight"] == expected
    assert len(expected) == 3


@pytest.mark.parametrize(("option", "prob"), [("auto", 0.5), ({"prob": 0.25, "shares": "auto"}, 0.25), (None, None)])
def test_crops_of_rare_classes_get_the_shares_of_the_training_set(folder, tmp_path, option, prob):
    cfg = config(folder)
    cfg["dataset"]["train"]["rare_class_crop"] = option
    assert check_config(cfg) == []
    resolved = resolve_class_weights(cfg, tmp_path)["dataset"]["train"]["rare_class_crop"]
    assert (resolved and resolved["prob"]) == prob
    if resolved:
        assert sum(resolved["shares"]) == pytest.approx(1, rel=1e-4)
        again = cfg.copy()
        again["dataset"]["train"]["rare_class_crop"] = resolved
        assert resolve_class_weights(again, tmp_path / "elsewhere") is again
