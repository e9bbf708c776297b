"""Backbones of a config, the one inside of another included."""

import pytest
import torch

from ssseg.engine.backbonecfg import change_backbones, without_pretrained
from ssseg.engine.build import load_segmentor
from ssseg.engine.modelinfo import describe
from ssseg.modules import BuildSegmentor, saveckpts
from ssseg.modules.models.backbones import weights
from tests.contracts.small_cfgs import BACKBONES, small

RESNET = {"type": "ResNet", "depth": 18}


def test_every_backbone_stops_looking_for_weights():
    inner = {**RESNET, "pretrained": True}
    cfg = {"backbone": {"type": "BiSeNetV1", "pretrained": False, "backbone_cfg": inner}, "head": {}}
    bare = without_pretrained(cfg)
    assert bare == {"backbone": {**cfg["backbone"], "backbone_cfg": {**inner, "pretrained": False}}, "head": {}}
    assert inner["pretrained"]  # the config stays as it is


def test_what_a_backbone_does_when_nothing_is_said_counts():
    assert without_pretrained({"backbone": RESNET})["backbone"] == {**RESNET, "pretrained": False}
    without = {"backbone": {"type": "SAMViT"}}
    assert without_pretrained(without) == without
    custom = {"backbone": {"type": "Mine"}}  # registered later, or nothing at all
    assert without_pretrained(custom) == custom
    assert without_pretrained({"type": "FCN"}) == {"type": "FCN"}


def test_changes_reach_both():
    cfg = {"backbone": {"type": "BiSeNetV1", "backbone_cfg": RESNET}}
    changed = change_backbones(cfg, lambda backbone: {"in_channels": 5})["backbone"]
    assert changed["in_channels"] == changed["backbone_cfg"]["in_channels"] == 5


@pytest.mark.parametrize("inner", [{"pretrained": True}, {}], ids=["asked for", "by default"])
def test_a_checkpoint_needs_no_pretrained_weights_of_an_inner_backbone(tmp_path, monkeypatch, inner):
    def fail(*args, **kwargs):
        raise AssertionError("weights were looked for")

    cfg = small("FCN")
    cfg["backbone"] = {**BACKBONES["BiSeNetV1"], "selected_indices": (0,), "norm_cfg": {"type": "BatchNorm2d"}}
    cfg["head"], cfg["auxiliary"] = {"in_channels": 16, "feats_channels": 8, "dropout": 0}, None
    cfg["losses"] = {"loss_cls": cfg["losses"]["loss_cls"]}
    saveckpts({"model": BuildSegmentor(cfg, "TRAIN").state_dict()}, tmp_path / "weights.pth", make_soft_link=False)
    nested = {name: value for name, value in cfg["backbone"]["backbone_cfg"].items() if name != "pretrained"}
    cfg["backbone"] = {**cfg["backbone"], "backbone_cfg": {**nested, **inner}}
    monkeypatch.setattr(weights, "loadpretrainedweights", fail)
    segmentor, _ = load_segmentor(cfg, tmp_path / "weights.pth", torch.device("cpu"))
    assert segmentor.mode == "TEST"


def test_the_size_of_a_network_for_images_of_many_channels():
    cfg = {**small("FCN"), "dataset": {"type": "FolderDataset", "in_channels": 5}}
    assert describe(cfg, (1, 5, 64, 64)).input_shape == (1, 5, 64, 64)
