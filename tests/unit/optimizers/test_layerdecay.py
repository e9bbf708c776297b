"""Layer-wise rates on models with the names of the backbones; ids and multipliers are those recorded."""

import pytest
from torch import nn

from ssseg.modules import BuildOptimizer
from ssseg.modules.utils import ConfigError

from .standins import MAE, BEiT, ConvNeXt

WHERE = r"SEGMENTOR_CFG\['scheduler'\]\['optimizer'\]\['params_rules'\]"


class Large(MAE):
    """A class of a user's: the kind is that of its base."""


def built(backbone, **rules):
    model = nn.Module()
    model.backbone_net, model.decoder = backbone, nn.Conv2d(2, 3, 1)
    rules = {"type": "LearningRateDecayParamsConstructor", "decay_rate": 0.5, **rules}
    cfg = {"type": "AdamW", "lr": 1.0, "weight_decay": 0.05, "params_rules": rules}
    optimizer = BuildOptimizer(model, cfg)
    names = {parameter: name for name, parameter in model.named_parameters()}
    return {group["name"]: (group, [names[p] for p in group["params"]]) for group in optimizer.param_groups}


def layers(groups):
    """Layer id -> the modules in it, without their last part."""
    found = {}
    for title, (_, names) in groups.items():
        found.setdefault(int(title.split("_")[1]), set()).update(name.rpartition(".")[0] for name in names)
    return found


def test_convnext_by_layers():
    groups = built(ConvNeXt(), num_layers=6, decay_type="layer_wise")
    found = layers(groups)
    assert found[0] == {"backbone_net.downsample_layers.0.0", "backbone_net.downsample_layers.0.1"}
    assert {name for name in found[2] if "downsample" in name} == {
        f"backbone_net.downsample_layers.1.{i}" for i in (0, 1)
    }
    assert {name.split(".")[2] for name in found[3] if "stages" in name} == {"2"}
    blocks = {layer: {name for name in found[layer] if ".stages.2." in name} for layer in (3, 4, 5)}
    for layer, first in ((3, 0), (4, 3), (5, 6)):
        assert blocks[layer] == {f"backbone_net.stages.2.{b}.{i}" for b in range(first, first + 3) for i in (0, 1)}
    assert {name.split(".")[1] for name in found[6]} == {"downsample_layers", "stages"}
    assert found[7] == {"backbone_net.norm0", "decoder"}


def test_convnext_by_stages():
    found = layers(built(ConvNeXt(), num_layers=6, decay_type="stage_wise"))
    assert sorted(found) == [0, 1, 2, 3, 4, 7]
    assert all("downsample_layers" in name for name in found[0])
    assert len(found[3]) == 18


@pytest.mark.parametrize("kind", [BEiT, MAE, Large])
def test_transformers_by_layers(kind):
    groups = built(kind(), num_layers=3, decay_type="layer_wise_vit")
    order = "0_no_decay 0_decay 1_decay 1_no_decay 2_decay 2_no_decay 3_decay 3_no_decay 4_no_decay 4_decay"
    assert list(groups) == [f"layer_{name}" for name in order.split()]
    for title, (group, _) in groups.items():
        scale = 0.5 ** (4 - int(title.split("_")[1]))
        assert group["lr"] == group["lr_multiplier"] == scale
        assert group["weight_decay"] == (0.0 if title.endswith("no_decay") else 0.05)
    assert groups["layer_0_no_decay"][1] == [
        "backbone_net.cls_token",
        "backbone_net.pos_embed",
        "backbone_net.patch_embed.bias",
    ]


def test_frozen_parameters_are_left_out():
    backbone = BEiT()
    backbone.layers[0].requires_grad_(False)
    assert 1 not in layers(built(backbone, num_layers=3))


@pytest.mark.parametrize(
    ("backbone", "rules", "message"),
    [
        (BEiT, {"num_layers": 0}, rf"{WHERE}\['num_layers'\]=0 must be a positive integer"),
        (BEiT, {"num_layers": 3, "decay_rate": 1.5}, rf"{WHERE}\['decay_rate'\]=1\.5 must be in \(0, 1\]"),
        (BEiT, {"num_layers": 3, "decay_rate": "x"}, rf"{WHERE}\['decay_rate'\]='x' must be a number"),
        (BEiT, {"num_layers": 3, "decay_type": "wise"}, rf"{WHERE}\['decay_type'\]='wise' must be 'layer_wise' or"),
        (BEiT, {"num_layer": 3}, rf"{WHERE}\['num_layer'\]: .* Did you mean 'num_layers'"),
        (BEiT, {}, rf"{WHERE}: LayerDecay needs 'num_layers'"),
        (BEiT, {"num_layers": 1}, rf"{WHERE}\['num_layers'\]=1, but backbone_net\.layers\.2\.weight is in layer 3"),
        (
            BEiT,
            {"num_layers": 3, "decay_type": "stage_wise"},
            r"stage_wise knows the layers of ConvNeXt, .*not those of BEiT",
        ),
        (
            nn.ReLU,
            {"num_layers": 3},
            r"layer_wise knows the layers of ConvNeXt, ConvNeXtV2, BEiT, MAE, not those of ReLU",
        ),
    ],
)
def test_what_cannot_work_is_named(backbone, rules, message):
    with pytest.raises(ConfigError, match=message):
        built(backbone(), **rules)
