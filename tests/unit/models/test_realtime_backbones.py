"""CGNet, ERFNet, FastSCNN, BiSeNetV1 and BiSeNetV2: what their options and odd sizes do."""

import pytest
import torch
from torch import nn

from ssseg.modules import BuildBackbone
from ssseg.modules.models.backbones import weights
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import BACKBONES

ODD = (61, 90)


def build(name, **fields):
    return BuildBackbone({**BACKBONES[name], **fields}).eval()


def sizes(backbone, size=ODD):
    with torch.no_grad():
        return [tuple(x.shape[2:]) for x in backbone(torch.randn(1, 3, *size))]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CGNet", [(31, 45), (16, 23), (8, 12)]),
        ("ERFNet", [(32, 48)]),
        ("FastSCNN", [(8, 12), (2, 3), (8, 12)]),
        ("BiSeNetV1", [(8, 12), (4, 6), (8, 12)]),
        ("BiSeNetV2", [(16, 23), (8, 12), (4, 6), (2, 3), (8, 12)]),
    ],
)
def test_sizes_are_rounded_up(name, expected):
    assert sizes(build(name)) == expected


@pytest.mark.parametrize("name", ["FastSCNN", "BiSeNetV1", "BiSeNetV2"])
def test_indices_pick_and_order_the_maps(name):
    every = build(name)
    some = build(name, out_indices=(2, 0))
    some.load_state_dict(every.state_dict())
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        maps, picked = every(image), some(image)
    assert some.out_channels == (every.out_channels[2], every.out_channels[0])
    assert torch.equal(picked[0], maps[2])
    assert torch.equal(picked[1], maps[0])
    with pytest.raises(ConfigError, match=r"\['out_indices'\]: holds 7, must hold numbers from 0 to"):
        build(name, out_indices=(7,))


def test_cgnet_has_one_prelu_parameter_a_channel_and_takes_other_activations():
    backbone = build("CGNet")
    assert backbone.stem[0][2].num_parameters == 8
    assert backbone.level1[1].conv1x1[2].num_parameters == 8
    assert backbone.out_channels == (11, 35, 64)
    other = build("CGNet", act_cfg={"type": "ReLU"})
    assert type(other.stem[0][2]) is nn.ReLU
    assert type(other.norm_prelu_0[1]) is nn.PReLU


def test_erfnet_shares_one_activation_in_a_block():
    block = build("ERFNet", act_cfg={"type": "PReLU"}).encoder[2]
    assert sum(p.numel() for p in block.parameters() if p.numel() == 1) == 1
    keys = [key for key in block.state_dict() if block.state_dict()[key].shape == (1,)]
    assert keys == ["act.weight", "convs_layers.1.weight", "convs_layers.4.weight", "convs_layers.6.weight"]


def test_erfnet_dilates_and_drops_in_the_encoder_only():
    backbone = build("ERFNet", dropout_ratio=0.3)
    assert [block.convs_layers[5].dilation[0] for block in backbone.encoder[8:]] == [2, 4, 8, 16, 2, 4, 8, 16]
    assert {block.convs_layers[9].p for block in backbone.encoder[2:7]} == {0.3}
    assert {backbone.decoder[i].convs_layers[9].p for i in (1, 2, 4, 5)} == {0.0}
    with pytest.raises(ConfigError, match=r"\['enc_stage_non_bottlenecks'\]: its last number is 6, .* multiple of 4"):
        build("ERFNet", enc_stage_non_bottlenecks=(5, 6))


def test_bisenetv1_passes_on_what_its_inner_network_lacks():
    backbone = build("BiSeNetV1", in_channels=4, norm_cfg={"type": "GroupNorm", "num_groups": 4})
    assert backbone.context_path.backbone_net.stem[0].in_channels == 4
    assert isinstance(backbone.context_path.backbone_net.layer1[0].bn1, nn.GroupNorm)
    inner = {**BACKBONES["BiSeNetV1"]["backbone_cfg"], "norm_cfg": {"type": "BatchNorm2d"}}
    backbone = build("BiSeNetV1", backbone_cfg=inner, norm_cfg={"type": "GroupNorm", "num_groups": 4})
    assert isinstance(backbone.context_path.backbone_net.layer1[0].bn1, nn.BatchNorm2d)


def test_widths_that_do_not_fit_together_are_refused():
    with pytest.raises(ConfigError, match=r"\['context_channels_list'\]: is \(16, 32, 60\), but .* have 8, 16, 32, 64"):
        build("BiSeNetV1", context_channels_list=(16, 32, 60))
    with pytest.raises(
        ConfigError, match=r"\['bga_channels'\]: is 24, must be the last number of 'detail_channels', 16"
    ):
        build("BiSeNetV2", bga_channels=24)


@pytest.mark.parametrize("name", ["CGNet", "ERFNet", "FastSCNN", "BiSeNetV1", "BiSeNetV2"])
def test_weights_come_from_a_file_since_none_are_published(name, monkeypatch):
    with pytest.raises(ConfigError, match="None are published"):
        build(name, pretrained=True)
    state = build(name).state_dict()
    monkeypatch.setattr(weights, "loadpretrainedweights", lambda *args, **kwargs: state)
    made = build(name, pretrained=True, pretrained_model_path="x.pth").state_dict()
    assert all(torch.equal(made[key], value) for key, value in state.items())
