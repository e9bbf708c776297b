import pytest
import torch

from ssseg.modules import BuildBackbone
from ssseg.modules.models.backbones import mobilenet, mobilenetv3, weights
from ssseg.modules.utils import ConfigError

CFG = {"type": "MobileNetV3", "structure_type": "mobilenetv3_small", "arch_type": "small", "out_indices": (0, 1, 12)}


def build(**fields):
    return BuildBackbone({**CFG, "pretrained": False, **fields}).eval()


def test_it_is_found_where_the_documents_say():
    assert mobilenet.MobileNetV3 is mobilenetv3.MobileNetV3


@pytest.mark.parametrize(("arch", "indices"), [("small", (0, 1, 12)), ("large", (0, 1, 3, 16))])
def test_the_last_map_has_an_eighth_of_the_image(arch, indices):
    backbone = build(arch_type=arch, out_indices=indices)
    with torch.no_grad():
        maps = backbone(torch.randn(1, 3, 61, 90))
    assert [tuple(x.shape[2:]) for x in maps[-2:]] == [(16, 23), (8, 12)]
    assert maps[0].shape[2:] == (31, 45)
    assert tuple(x.shape[1] for x in maps) == backbone.out_channels


def test_late_layers_are_dilated_and_keep_the_shortcuts_of_the_table():
    layers = [getattr(build(), f"layer{i}") for i in range(1, 12)]
    assert [layer.depthwise_conv.conv.dilation[0] for layer in layers] == [1, 1, 1, 2, 2, 2, 2, 2, 4, 4, 4]
    assert [layer.depthwise_conv.conv.stride[0] for layer in layers] == [2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    assert [i for i, layer in enumerate(layers, 1) if layer.has_shortcut] == [3, 5, 6, 8, 10, 11]


def test_reduction_narrows_the_last_layers():
    with torch.device("meta"):
        large = build(arch_type="large", out_indices=(12, 13, 14, 15, 16), reduction_factor=2)
        small = build(out_indices=(8, 9, 11, 12), reduction_factor=2)
    assert large.out_channels == (112, 80, 80, 80, 960)
    assert large.layer14.depthwise_conv.conv.out_channels == 480
    assert small.out_channels == (48, 48, 48, 576)


def test_errors_name_the_choices():
    with pytest.raises(ConfigError, match=r"\['arch_type'\]: is 'larg'.*Did you mean 'large'"):
        build(arch_type="larg")
    with pytest.raises(ConfigError, match=r"\['outstride'\]: is 16, must be one of 8"):
        build(outstride=16)
    with pytest.raises(ConfigError, match=r"\['out_indices'\]: holds 16, must hold numbers from 0 to 12"):
        build(out_indices=(1, 3, 16))
    with pytest.raises(
        ConfigError, match=r"\['reduction_factor'\]: is 2, but the weights of .*'mobilenetv3_small' need 1"
    ):
        BuildBackbone({**CFG, "reduction_factor": 2})


def test_a_published_file(monkeypatch):
    state = build().state_dict()
    file = {f"backbone.{key}": value for key, value in state.items()}
    monkeypatch.setattr(weights, "loadpretrainedweights", lambda *args, **kwargs: file)
    made = BuildBackbone(CFG).state_dict()
    assert all(torch.equal(made[key], value) for key, value in state.items())
