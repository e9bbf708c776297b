import pytest
import torch
from torch import nn

from ssseg.modules import ActivationBuilder, BuildActivation, BuildDropout, DropoutBuilder
from ssseg.modules.models.backbones import DepthwiseSeparableConv2d, conv_norm_act, makedivisible
from ssseg.modules.utils import UnknownNameError

BN, RELU = {"type": "BatchNorm2d"}, {"type": "ReLU", "inplace": True}
ACTIVATIONS = (
    "ReLU GELU ReLU6 PReLU Sigmoid HardSwish LeakyReLU HardSigmoid Swish ELU Hardshrink Hardtanh LogSigmoid RReLU SELU "
    "CELU SiLU GLU Mish Softplus Softshrink Softsign Tanh Tanhshrink Threshold"
).split()


def test_the_documented_activations_are_there():
    assert set(ACTIVATIONS) == set(ActivationBuilder.REGISTERED_MODULES)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_runs(name):
    options = {"threshold": 0.1, "value": 20.0} if name == "Threshold" else {}
    assert BuildActivation({"type": name, **options})(torch.randn(2, 4)).isfinite().all()


def test_none_is_no_activation_and_no_dropout():
    assert type(BuildActivation(None)) is nn.Identity
    assert type(BuildDropout(None)) is nn.Identity


def test_our_activations_follow_their_formulas():
    x = torch.linspace(-5, 5, 41)
    relu6 = torch.clamp(x + 3, 0, 6)
    torch.testing.assert_close(BuildActivation({"type": "HardSigmoid"})(x), relu6 / 6)
    torch.testing.assert_close(BuildActivation({"type": "HardSwish"})(x), x * relu6 / 6)
    torch.testing.assert_close(BuildActivation({"type": "Swish"})(x), x * x.sigmoid())
    half = BuildActivation({"type": "HardSigmoid", "bias": 1.0, "divisor": 2.0})(x)
    torch.testing.assert_close(half, ((x + 1) / 2).clamp(0, 1))


def test_an_unknown_activation_names_the_nearest():
    with pytest.raises(UnknownNameError, match=r"act_cfg\['type'\].*Did you mean 'LeakyReLU'"):
        BuildActivation({"type": "LeakyRelu"})


def test_dropouts():
    assert set(DropoutBuilder.REGISTERED_MODULES) == {"DropPath", "Dropout", "Dropout2d", "Dropout3d"}
    assert BuildDropout({"type": "Dropout2d", "p": 0.3}).p == 0.3


def test_droppath_drops_whole_samples_and_keeps_the_mean():
    layer, x = BuildDropout({"type": "DropPath", "drop_prob": 0.25}), torch.ones(4000, 3, 2)
    kept = layer(x)
    values = kept.flatten(1)
    assert torch.equal(values, values[:, :1].expand_as(values))
    assert kept.unique().tolist() == pytest.approx([0, 4 / 3])
    assert kept.mean().item() == pytest.approx(1, abs=0.05)
    assert layer.eval()(x) is x
    assert BuildDropout({"type": "DropPath", "drop_prob": 0.0}).train()(x) is x


@pytest.mark.parametrize(
    ("value", "expected"), [(32, 32), (32 * 0.75, 24), (16 * 1.4, 24), (320 * 1.4, 448), (3, 8), (19.9, 24)]
)
def test_makedivisible(value, expected):
    assert makedivisible(value, 8) == expected


def test_conv_norm_act_keeps_the_size_and_lies_flat():
    layers = conv_norm_act(4, 6, 3, dilation=2, norm_cfg=BN, act_cfg=RELU)
    assert [type(layer) for layer in layers] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU]
    assert layers[0].bias is None
    assert nn.Sequential(*layers)(torch.randn(2, 4, 7, 9)).shape == (2, 6, 7, 9)
    assert [type(x) for x in conv_norm_act(4, 6, 1, norm_cfg=None, act_cfg=None)[1:]] == [nn.Identity] * 2


def test_depthwise_separable_convolution():
    layer = DepthwiseSeparableConv2d(4, 6, 3, stride=2, norm_cfg=BN, act_cfg=RELU)
    assert layer(torch.randn(2, 4, 8, 10)).shape == (2, 6, 4, 5)
    assert layer.depthwise_conv.groups == 4
    assert [key for key in layer.state_dict() if key.endswith("weight")] == [
        "depthwise_conv.weight",
        "depthwise_bn.weight",
        "pointwise_conv.weight",
        "pointwise_bn.weight",
    ]
