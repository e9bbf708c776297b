import pytest
import torch
from torch import nn

from ssseg.modules import BackboneBuilder, BuildBackbone
from ssseg.modules.models.backbones.resnet import DEFAULT_MODEL_URLS, ResNet, convert_resnet
from ssseg.modules.utils import ConfigError, UnknownNameError

SMALL = {"type": "ResNet", "structure_type": "x", "base_channels": 4, "stem_channels": 4, "pretrained": False}


def build(**fields):
    return BuildBackbone({**SMALL, **fields})


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_every_depth_has_its_layers(depth):
    with torch.device("meta"):
        backbone = ResNet("x", depth=depth, use_conv3x3_stem=False, pretrained=False)
    convs = [name for name, m in backbone.named_modules() if isinstance(m, nn.Conv2d) and "downsample" not in name]
    assert len(convs) + 1 == depth  # the classifier is the last layer
    expansion = 1 if depth < 50 else 4
    assert backbone.out_channels == tuple(64 * expansion * 2**i for i in range(4))


@pytest.mark.parametrize(("outstride", "strides"), [(8, (4, 8, 8, 8)), (16, (4, 8, 16, 16)), (32, (4, 8, 16, 32))])
def test_outstride(outstride, strides):
    with torch.no_grad():
        maps = build(depth=18, outstride=outstride).eval()(torch.randn(1, 3, 64, 64))
    assert tuple(64 // x.shape[2] for x in maps) == strides


def test_dilation_of_the_first_block_contracts():
    def dilations(**fields):
        stage = build(depth=50, outstride=8, **fields).layer4
        return [block.conv2.dilation[0] for block in stage]

    assert dilations() == [2, 4, 4]
    assert dilations(contract_dilation=False) == [4, 4, 4]


def test_widths_stem_and_indices():
    backbone = build(depth=18, base_channels=24, stem_channels=24, out_indices=(1, 3))
    assert backbone.out_channels == (48, 192)
    assert backbone.stem[0].out_channels == 12
    assert [x.shape[1] for x in backbone(torch.randn(2, 3, 32, 32))] == [48, 192]


def test_defaults():
    with torch.device("meta"):
        backbone = ResNet("resnet101conv3x3stem", pretrained=False)
    assert (backbone.depth, backbone.use_conv3x3_stem, len(backbone.layer3)) == (101, True, 23)
    assert isinstance(backbone.stem[1], nn.BatchNorm2d)
    assert backbone.layer4[0].conv2.stride == (1, 1)


def test_errors_name_the_choices():
    with pytest.raises(ConfigError, match=r"\['backbone'\]\['depth'\]: is 51, must be one of 18, 34, 50, 101, 152"):
        build(depth=51)
    with pytest.raises(ConfigError, match=r"\['backbone'\]\['outstride'\]: is '16', must be one of 8, 16, 32"):
        build(outstride="16")
    with pytest.raises(ConfigError, match=r"\['out_indices'\]: holds 4, must hold numbers from 0 to 3"):
        build(out_indices=(0, 4))
    with pytest.raises(ConfigError, match=r"\['backbone'\]\['use_conv3x3\w*'\].*Did you mean 'use_conv3x3_stem'"):
        build(use_conv3x3stem=True)
    with pytest.raises(ConfigError, match="needs 'structure_type'"):
        BuildBackbone({"type": "ResNet"})
    with pytest.raises(UnknownNameError, match=r"\['backbone'\]\['type'\].*'Resnet'.*Did you mean 'ResNet'"):
        BuildBackbone({"type": "Resnet"})


def test_the_tutorials_own_backbone():
    class MobileNet(nn.Module):
        def __init__(self, arg1, arg2):
            super().__init__()
            self.args = arg1, arg2

    builder = BackboneBuilder()
    builder.register("MobileNet", MobileNet)
    try:
        cfg = {"type": "MobileNet", "arg1": 1, "arg2": 2, "selected_indices": (0,)}
        assert builder.build(cfg).args == BuildBackbone(cfg).args == (1, 2)
    finally:
        builder.delete("MobileNet")


def test_timms_deep_stem_is_renamed_and_others_are_left_alone():
    ours = build(depth=18).state_dict()
    theirs = {key.replace("stem.7.", "bn1.").replace("stem.", "conv1.", 1): value for key, value in ours.items()}
    assert "bn1.weight" in theirs
    assert list(convert_resnet(theirs)) == list(ours)
    assert convert_resnet(ours) is ours


def test_the_table_of_weights():
    assert {url.split("/")[2] for url in DEFAULT_MODEL_URLS.values()} == {
        "download.pytorch.org",
        "download.openmmlab.com",
    }
    assert all(url.startswith("https://") for url in DEFAULT_MODEL_URLS.values())
