import os

import pytest

from ssseg.configs._base_ import REGISTERED_SEGMENTOR_CONFIGS, DatasetConfig, experiment
from ssseg.configs._base_.backbones import convnext, mobilenetv2, mobilenetv3, resnest, resnet
from ssseg.configs._base_.datasets import NUM_CLASSES, REGISTERED_DATASET_CONFIGS
from ssseg.configs._base_.inference import slide, whole
from ssseg.configs._base_.joined import joined
from ssseg.configs._base_.losses import cross_entropy, dice
from ssseg.configs._base_.schedules import (
    adamw,
    backbone_tenth,
    layer_decay,
    linear_after_warmup,
    mask2former_rules,
    no_decay_in_swin,
    sgd,
)
from ssseg.configs._base_.transformers import mit, pcpvt, swin, vit_large


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
    base = {name.split("_")[0]: cfg for name, cfg in REGISTERED_SEGMENTOR_CONFIGS.items()}
    backbones = {
        "LRASPPNET": mobilenetv3("large"),
        "RESNEST": resnest(101, outstride=8),
        "CONVNEXT": convnext("base"),
        "SWIN": swin("base"),
        "SEGFORMER": mit("b0"),
        "SETR": vit_large(512),
        "TWINS": pcpvt("base"),
    }
    for name, backbone in backbones.items():
        assert backbone == base[name]["backbone"], name
    optimizers = {
        "CONVNEXT": adamw(1e-4, weight_decay=0.05, params_rules=layer_decay("stage_wise", 12, 0.9)),
        "MASKFORMER": adamw(params_rules=no_decay_in_swin()),
    }
    for name, optimizer in optimizers.items():
        assert optimizer == base[name]["scheduler"]["optimizer"], name
    assert mask2former_rules((2, 2, 18, 2)) == base["MASK2FORMER"]["scheduler"]["optimizer"]["params_rules"]
    assert linear_after_warmup().items() <= base["SWIN"]["scheduler"].items()
    assert cross_entropy() == base["FCN"]["losses"]["loss_cls"]
    assert dice(3.0) == {**cross_entropy(3.0), "type": "DiceLoss"}
    assert sgd() == REGISTERED_SEGMENTOR_CONFIGS["FCN_SEGMENTOR_CFG"]["scheduler"]["optimizer"]
    inference = REGISTERED_SEGMENTOR_CONFIGS["FCN_SEGMENTOR_CFG"]["inference"]
    assert whole() == {"forward": inference["forward"], "tta": inference["tta"]}


@pytest.mark.parametrize(
    "preset",
    [backbone_tenth, no_decay_in_swin, linear_after_warmup, lambda: mask2former_rules([2, 2]), lambda: swin("tiny")],
)
def test_presets_share_nothing(preset):
    first, expected = preset(), preset()
    for value in first.values():
        if isinstance(value, dict | list):
            value.clear()
    assert preset() == expected != first


def test_the_schedule_is_filled_in_and_keeps_the_rest():
    cfg = fcn(scheduler=linear_after_warmup(500))
    assert cfg["scheduler"]["warmup_cfg"] == {"type": "linear", "ratio": 1e-6, "iters": 500}
    assert (cfg["scheduler"]["power"], cfg["scheduler"]["max_epochs"]) == (1.0, 60)
    assert cfg["scheduler"]["optimizer"] == sgd()


def test_joined_data_sets_keep_their_labels():
    cfg = joined(train={"a": "VOCAUG_512x512", "b": "COCOVOCSUB_512x512"}, test={"a": "VOCAUG_512x512"})
    assert [member["type"] for member in cfg["train"].values()] == ["VOCDataset", "COCOVOCSUBDataset"]
    assert cfg["test"]["a"]["seg_target_remapper"] == {label: label for label in range(21)}
    assert "seg_target_remapper" not in REGISTERED_DATASET_CONFIGS["DATASET_CFG_VOCAUG_512x512"]
    assert fcn(dataset=cfg, num_classes=21)["num_classes"] == 21


def test_averages_over_scales():
    tta = slide(512, scales=[0.5, 1.0], flip=True)["tta"]
    assert tta == {"multiscale": [0.5, 1.0], "flip": True, "use_probs_before_resize": True}


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
