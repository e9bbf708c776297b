import copy

import pytest
import torch

from ssseg.modules import BuildBackbone
from ssseg.modules.utils import ConfigError, ShapeError

SMALL = {"type": "UNet", "structure_type": "unets5os16", "base_channels": 4}


def build(**fields):
    return BuildBackbone({**SMALL, **fields}).eval()


def sizes(backbone, height, width):
    with torch.no_grad():
        return [tuple(x.shape[2:]) for x in backbone(torch.randn(1, 3, height, width))]


def test_maps_run_from_the_deepest_to_the_size_of_the_image():
    backbone = build()
    assert backbone.out_channels == (64, 32, 16, 8, 4)
    assert sizes(backbone, 32, 48) == [(2, 3), (4, 6), (8, 12), (16, 24), (32, 48)]


@pytest.mark.parametrize("upsample", ["InterpConv", "DeconvModule"])
@pytest.mark.parametrize("size", [(33, 47), (16, 31), (50, 64)])
def test_sides_need_not_be_multiples(size, upsample):
    maps = sizes(build(upsample_cfg={"type": upsample}), *size)
    assert maps[-1] == size
    assert maps[0] == (size[0] // 16, size[1] // 16)


def test_an_image_that_vanishes_on_the_way_is_refused():
    with pytest.raises(ShapeError, match="the images are 15 x 40 pixels; this one needs at least 16 x 16"):
        build()(torch.randn(1, 3, 15, 40))


def test_every_block_gets_the_upsampling_of_the_cfg_which_stays_as_it_is():
    cfg = {**SMALL, "upsample_cfg": {"type": "DeconvModule"}}
    before = copy.deepcopy(cfg)
    backbone = BuildBackbone(cfg)
    assert [type(block.upsample).__name__ for block in backbone.decoder] == ["DeconvModule"] * 4
    assert cfg == before


def test_interpolation_can_come_second():
    first = build(upsample_cfg={"type": "InterpConv", "conv_first": True})
    keys = [key for key in first.state_dict() if "interp_upsample" in key and key.endswith("0.weight")]
    assert keys == [f"decoder.{i}.upsample.interp_upsample.0.0.weight" for i in range(4)]
    assert sizes(first, 32, 48)[-1] == (32, 48)


def test_without_normalization_the_order_of_interpolation_and_convolution_does_not_matter():
    options = {"norm_cfg": None, "act_cfg": None}
    second = build(**options)
    first = build(upsample_cfg={"type": "InterpConv", "conv_first": True}, **options)
    first.load_state_dict({k.replace("upsample.1.0", "upsample.0.0"): v for k, v in second.state_dict().items()})
    image = torch.randn(1, 3, 32, 48)
    with torch.no_grad():
        for one, other in zip(first(image), second(image), strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=1e-5)  # both are linear and act on other axes


def test_stages_can_stride_or_keep_their_size():
    backbone = build(num_stages=3, strides=(1, 2, 1), downsamples=(True, False), enc_num_convs=(1, 2, 3),
                     dec_num_convs=(1, 2), enc_dilations=(1, 1, 2), dec_dilations=(1, 1))  # fmt: skip
    assert sizes(backbone, 16, 20) == [(8, 10), (8, 10), (16, 20)]
    assert [len(stage[-1].convs) for stage in backbone.encoder] == [1, 2, 3]
    assert [conv[0].dilation[0] for conv in backbone.encoder[2][-1].convs] == [1, 2, 2]


def test_errors_name_the_place():
    with pytest.raises(ConfigError, match=r"\['strides'\]: holds 5 values, must hold 4, as 'num_stages' says"):
        build(num_stages=4)
    with pytest.raises(ConfigError, match=r"\['dec_num_convs'\]: holds 2 values, must hold 4"):
        build(dec_num_convs=(1, 1))
    with pytest.raises(ConfigError, match=r"\['upsample_cfg'\]: is 'InterpConvs'.*Did you mean 'InterpConv'"):
        build(upsample_cfg={"type": "InterpConvs"})
    with pytest.raises(ConfigError, match=r"\['upsample_cfg'\]\['conv_frist'\].*Did you mean 'conv_first'"):
        build(upsample_cfg={"type": "InterpConv", "conv_frist": True})
    with pytest.raises(ConfigError, match=r"no pretrained weights for 'unets5os16'\. None are published"):
        build(pretrained=True)
