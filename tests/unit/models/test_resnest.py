import pytest
import torch
from torch import nn

from ssseg.modules import BuildBackbone
from ssseg.modules.models.backbones import weights
from ssseg.modules.models.backbones.resnest import ResNeSt, SplitAttentionConv2d
from ssseg.modules.utils import ConfigError

SMALL = {"type": "ResNeSt", "structure_type": "resnest50", "depth": 50, "base_channels": 8, "stem_channels": 8}


def build(**fields):
    return BuildBackbone({**SMALL, "pretrained": False, **fields}).eval()


@pytest.mark.parametrize("depth", [50, 101, 152, 200])
def test_every_depth_has_its_layers(depth):
    with torch.device("meta"):
        backbone = ResNeSt("x", depth=depth, use_conv3x3_stem=False, pretrained=False)
    skipped = ("downsample", "fc1", "fc2")
    convs = [
        name
        for name, m in backbone.named_modules()
        if isinstance(m, nn.Conv2d) and not any(part in name for part in skipped)
    ]
    assert len(convs) + 1 == depth  # the classifier is the last layer
    assert backbone.depth == depth
    assert backbone.out_channels == (256, 512, 1024, 2048)


@pytest.mark.parametrize(("outstride", "strides"), [(8, (4, 8, 8, 8)), (16, (4, 8, 16, 16)), (32, (4, 8, 16, 32))])
@pytest.mark.parametrize("average", [True, False])
def test_outstride(outstride, strides, average):
    with torch.no_grad():
        maps = build(outstride=outstride, use_avg_after_block_conv2=average)(torch.randn(1, 3, 64, 64))
    assert tuple(64 // x.shape[2] for x in maps) == strides


@pytest.mark.parametrize(("radix", "groups"), [(1, 1), (2, 1), (4, 1), (1, 2), (2, 2), (2, 4)])
def test_the_weights_of_the_splits_add_up_to_one(radix, groups):
    layers = {"norm_cfg": None, "act_cfg": None}
    conv = SplitAttentionConv2d(8, stride=1, dilation=1, radix=radix, groups=groups, reduction_factor=4, **layers)
    shares = conv._weights(torch.randn(2, radix * 8))
    assert shares.shape == (2, radix, 8)
    if radix > 1:
        torch.testing.assert_close(shares.sum(dim=1), torch.ones(2, 8))
    else:
        assert ((shares > 0) & (shares < 1)).all()


def test_equal_splits_are_averaged():
    layers = {"norm_cfg": None, "act_cfg": None}
    conv = SplitAttentionConv2d(4, stride=1, dilation=1, radix=2, groups=1, reduction_factor=4, **layers)
    with torch.no_grad():
        conv.fc2.weight.zero_()
        conv.fc2.bias.zero_()
        x = torch.randn(1, 4, 5, 6)
        torch.testing.assert_close(conv(x), conv.conv(x).unflatten(1, (2, 4)).mean(dim=1))


def test_groups_have_a_width_of_their_own():
    backbone = build(groups=2, base_width=10)
    assert backbone.layer1[0].conv1.out_channels == 20
    assert backbone.layer3[0].conv1.out_channels == 80
    assert backbone.out_channels == (32, 64, 128, 256)


def test_errors_name_the_choices():
    with pytest.raises(ConfigError, match=r"\['depth'\]: is 18, must be one of 50, 101, 152, 200"):
        build(depth=18)
    with pytest.raises(ConfigError, match=r"\['reduction_facto'\].*Did you mean 'reduction_factor'"):
        build(reduction_facto=2)
    with pytest.raises(ConfigError, match=r"\['radix'\]: .*splits the channels into 3 parts, but a block has 8"):
        build(radix=3)
    with pytest.raises(
        ConfigError, match=r"\['depth'\]: is 50, but the weights of structure_type 'resnest101' need 101"
    ):
        BuildBackbone({**SMALL, "structure_type": "resnest101"})


def test_the_authors_names_are_understood(monkeypatch):
    state = build().state_dict()
    theirs = {key.replace("stem.7.", "bn1.").replace("stem.", "conv1.", 1): value for key, value in state.items()}
    theirs["fc.weight"] = torch.zeros(10, 4)
    monkeypatch.setattr(weights, "loadpretrainedweights", lambda *args, **kwargs: theirs)
    made = BuildBackbone({**SMALL, "pretrained_model_path": "x.pth"}).state_dict()
    assert all(torch.equal(made[key], value) for key, value in state.items())
