import pytest
import torch

from ssseg.modules import BuildBackbone
from ssseg.modules.utils import ConfigError

SMALL = {
    "type": "CompactUNet",
    "structure_type": "compactunet",
    "channels": (4, 4, 8, 8, 12),
    "num_blocks": (0, 1, 1, 1, 3),
    "decoder_channels": (8, 6, 4),
    "norm_cfg": {"type": "BatchNorm2d"},
}


def build(**fields):
    return BuildBackbone({**SMALL, **fields}).eval()


def sizes(backbone, height, width):
    with torch.no_grad():
        return [tuple(x.shape[2:]) for x in backbone(torch.randn(1, 3, height, width))]


def test_maps_run_from_the_deepest_to_a_quarter_of_the_image():
    backbone = build()
    assert backbone.out_channels == (12, 8, 6, 4)
    assert sizes(backbone, 64, 96) == [(2, 3), (4, 6), (8, 12), (16, 24)]


def test_odd_sides_are_rounded_up_when_halved():
    assert sizes(build(), 33, 47) == [(2, 2), (3, 3), (5, 6), (9, 12)]


def test_fewer_maps_of_the_decoder_end_coarser_and_none_with_the_encoder():
    assert sizes(build(decoder_channels=(8,)), 64, 96) == [(2, 3), (4, 6)]
    assert sizes(build(decoder_channels=()), 64, 96) == [(2, 3)]


def test_the_last_stage_takes_the_dilations_in_turns():
    *others, last = build(dilations=(1, 2)).encoder
    assert [block.conv1.dilation[0] for block in last[1:]] == [1, 2, 1]
    assert {block.conv1.dilation[0] for stage in others for block in stage[1:]} == {1}


def test_a_residual_block_begins_with_its_shortcut():
    block = build().encoder[1][1]
    x = torch.rand(1, 4, 8, 8)
    with torch.no_grad():
        assert torch.equal(block(x), x)


def test_every_pixel_of_the_deepest_map_sees_the_whole_image():
    backbone = build(num_blocks=(0, 0, 0, 0, 0))
    image = torch.randn(1, 3, 256, 256, requires_grad=True)
    backbone(image)[0][0, :, 0, 0].sum().backward()
    assert image.grad[:, :, -32:, -32:].abs().sum() > 0


def test_errors_name_the_place():
    with pytest.raises(ConfigError, match=r"num_blocks has 4 values and decoder_channels 3; with 5 channels they must"):
        build(num_blocks=(1, 1, 1, 1))
    with pytest.raises(ConfigError, match=r"decoder_channels 5; with 5 channels they must have 5 and at most 4"):
        build(decoder_channels=(8, 8, 8, 8, 8))
    with pytest.raises(ConfigError, match=r"no pretrained weights for 'compactunet'\. None are published"):
        build(pretrained=True)
