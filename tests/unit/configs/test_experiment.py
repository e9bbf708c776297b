import os

import pytest

from ssseg.configs._base_ import REGISTERED_SEGMENTOR_CONFIGS, DatasetConfig, experiment
from ssseg.configs._base_.backbones import mobilenetv2, resnet
from ssseg.configs._base_.datasets import NUM_CLASSES, REGISTERED_DATASET_CONFIGS
from ssseg.configs._base_.inference import slide, whole
from ssseg.configs._base_.schedules import sgd


def fcn(**changes):
    fields = {"dataset": "VOCAUG_512x512", "dataloader": "BS16", "max_epochs": 60}
    return experiment("/somewhere/fcn_mine_voc.py", "FCN", **{**fields, **changes})


def test_it_fills_in_what_every_experiment_repeats():
    cfg = fcn()
    assert cfg["dataset"]["type"] == "VOCDataset"
    assert cfg["dataloader"]["expected_total_train_bs_for_assert"] == 16
    assert cfg["num_classes"] == 21
    assert cfg["scheduler"]["max_epochs"] == 60
    assert cfg["work_dir"] == "fcn_mine_voc"
    assert cfg["logger_handle_cfg"]["logfilepath"] == os.path.join("fcn_mine_voc", "fcn_mine_voc.log")
    base = REGISTERED_SEGMENTOR_CONFIGS["FCN_SEGMENTOR_CFG"]
    assert {name: cfg[name] for name in ("backbone", "head", "inference")} == {
        name: base[name] for name in ("backbone", "head", "inference")
    }


def test_it_replaces_what_is_given():
    cfg = fcn(backbone=resnet(50, outstride=16), optimizer=sgd(0.1, weight_decay=0.0), inference=slide((512, 1024)))
    assert (cfg["backbone"]["depth"], cfg["backbone"]["outstride"]) == (50, 16)
    assert cfg["backbone"]["structure_type"] == "resnet50conv3x3stem"
    assert cfg["scheduler"]["optimizer"]["lr"] == 0.1
    assert cfg["scheduler"]["power"] == 0.9
    assert cfg["inference"]["forward"] == {"mode": "slide", "cropsize": (512, 1024), "stride": (341, 341)}
    assert cfg["inference"]["evaluate"] == {"metric_list": ["iou", "miou"]}


def test_a_data_set_of_ones_own_needs_its_number_of_classes():
    mine = DatasetConfig("MineDataset", "mine")
    cfg = fcn(dataset=mine, num_classes=7)
    assert (cfg["dataset"], cfg["num_classes"]) == (mine, 7)
    with pytest.raises(ValueError, match=r"num_classes.*'MineDataset'"):
        fcn(dataset=mine)


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(KeyError, match="Did you mean 'FCN_SEGMENTOR_CFG'"):
        experiment("x.py", "FCNN", dataset="VOCAUG_512x512", dataloader="BS16", max_epochs=1)
    with pytest.raises(KeyError, match="Did you mean 'DATASET_CFG_VOCAUG_512x512'"):
        fcn(dataset="VOCAUG_512x511")
    with pytest.raises(KeyError, match="Did you mean 'DATALOADER_CFG_BS"):
        fcn(dataloader="BS17")


def test_presets_agree_with_the_base_configs():
    assert resnet(101, outstride=8) == REGISTERED_SEGMENTOR_CONFIGS["FCN_SEGMENTOR_CFG"]["backbone"]
    assert mobilenetv2(outstride=8) == REGISTERED_SEGMENTOR_CONFIGS["MOBILENETV2_SEGMENTOR_CFG"]["backbone"]
    assert sgd() == REGISTERED_SEGMENTOR_CONFIGS["FCN_SEGMENTOR_CFG"]["scheduler"]["optimizer"]
    inference = REGISTERED_SEGMENTOR_CONFIGS["FCN_SEGMENTOR_CFG"]["inference"]
    assert whole() == {"forward": inference["forward"], "tta": inference["tta"]}


def test_windows_move_by_two_thirds_and_average_probabilities():
    assert slide(480)["forward"] == {"mode": "slide", "cropsize": (480, 480), "stride": (320, 320)}
    assert slide(1024, stride=768)["forward"]["stride"] == (768, 768)
    assert slide(480)["tta"]["use_probs_before_resize"] is True
    assert slide(480, probs_first=False)["tta"]["use_probs_before_resize"] is False


def test_every_registered_data_set_has_its_number_of_classes():
    assert {cfg["type"] for cfg in REGISTERED_DATASET_CONFIGS.values()} <= set(NUM_CLASSES)


def test_numbers_of_classes_are_those_of_the_data_set_classes():
    from ssseg.modules import DatasetBuilder

    classes = DatasetBuilder().items()
    fixed = {name: kind.num_classes for name, kind in classes if name in NUM_CLASSES}
    assert fixed == {name: NUM_CLASSES[name] for name in fixed}
    assert "VOCDataset" in fixed
