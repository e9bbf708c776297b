import pytest
import torch

from ssseg.modules import BuildBackbone
from ssseg.modules.utils import ConfigError

SMALL = {"type": "MobileNetV2", "structure_type": "mobilenetv2", "widen_factor": 0.25, "pretrained": False}


def build(**fields):
    return BuildBackbone({**SMALL, **fields})


@pytest.mark.parametrize(("outstride", "strides"), [(8, (4, 8, 8, 8)), (16, (4, 8, 16, 16)), (32, (4, 8, 16, 32))])
def test_outstride(outstride, strides):
    with torch.no_grad():
        maps = build(outstride=outstride).eval()(torch.randn(1, 3, 64, 64))
    assert tuple(64 // x.shape[2] for x in maps) == strides


def test_widths_are_multiples_of_eight():
    assert build().out_channels == (8, 8, 24, 80)
    assert build(widen_factor=1.0).out_channels == (24, 32, 96, 320)
    assert build(widen_factor=1.0, out_indices=(0, 5)).out_channels == (16, 160)


def test_only_the_first_block_of_a_group_is_dilated():
    groups = build(outstride=8).layer4, build(outstride=8).layer6
    assert [[block.conv[1].conv.dilation[0] for block in group] for group in groups] == [[2, 1, 1, 1], [4, 1, 1]]


def test_errors_name_the_choices():
    with pytest.raises(ConfigError, match=r"\['outstride'\]: is 4, must be one of 8, 16, 32"):
        build(outstride=4)
    with pytest.raises(ConfigError, match=r"\['out_indices'\]: holds 7, must hold numbers from 0 to 6"):
        build(out_indices=(1, 7))
