import copy

import pytest
import torch
import torch.nn.functional as F

from ssseg.modules import BuildBackbone
from ssseg.modules.models.backbones.bricks.transformer import MLP, sine_positions
from ssseg.modules.models.backbones.hierablocks import HieraBlock, PooledWindowAttention, max_pool
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import BACKBONES, HIERA_WITH_FPN


def build(**fields):
    backbone = BuildBackbone({**BACKBONES["Hiera"], **fields}).eval()
    for table in (backbone.pos_embed, backbone.pos_embed_window):
        torch.nn.init.normal_(table)
    return backbone


def pyramid(scalp=1, **fpn):
    cfg = copy.deepcopy(HIERA_WITH_FPN)
    cfg["fpn_cfg"].update(fpn)
    return BuildBackbone({**cfg, "scalp": scalp}).eval()


def test_positions_are_a_resized_table_and_a_repeated_window():
    backbone = build()
    positions = backbone.positions(6, 9)[0].permute(2, 0, 1)
    grid = F.interpolate(backbone.pos_embed, (6, 9), mode="bicubic")[0]
    window = backbone.pos_embed_window[0]  # 4 x 4
    torch.testing.assert_close(positions[:, 5, 8] - grid[:, 5, 8], window[:, 1, 0])
    torch.testing.assert_close(positions[:, :4, 4:8] - grid[:, :4, 4:8], window)


def test_positions_of_the_learnt_size_are_the_table():
    backbone = build(window_pos_embed_bkg_spatial_size=(4, 8))
    window = backbone.pos_embed_window.tile(1, 1, 1, 2)
    assert torch.equal(backbone.positions(4, 8), (backbone.pos_embed + window).permute(0, 2, 3, 1))


def test_windows_do_not_see_each_other():
    attention = PooledWindowAttention(8, 8, 2, window=4, stride=1)
    x = torch.randn(1, 8, 8, 8)
    changed = x.clone()
    changed[:, 4:] += 1
    one, other = attention(x), attention(changed)
    torch.testing.assert_close(one[:, :4], other[:, :4])
    assert not torch.allclose(one[:, 4:], other[:, 4:])


def test_pooled_windows_equal_attention_of_each_window_alone():
    attention, x = PooledWindowAttention(8, 16, 2, window=4, stride=2), torch.randn(2, 8, 12, 8)
    alone = torch.cat(
        [torch.cat([attention(x[:, i : i + 4, j : j + 4]) for j in range(0, 12, 4)], dim=2) for i in range(0, 8, 4)],
        dim=1,
    )
    torch.testing.assert_close(attention(x), alone)


def test_attention_to_the_whole_map_equals_one_window_of_its_size():
    attention, x = PooledWindowAttention(8, 16, 2, window=6, stride=2), torch.randn(1, 6, 6, 8)
    expected = attention(x)
    attention.window = 0
    torch.testing.assert_close(attention(x), expected)


def test_pooling_keeps_an_odd_rest():
    x = torch.arange(15.0).view(1, 3, 5, 1)
    assert max_pool(x, 2)[0, :, :, 0].tolist() == [[6, 8, 9], [11, 13, 14]]
    block = HieraBlock(4, 8, 1, 4, 2, 0.0, mlp_ratio=2, norm_cfg={"type": "LayerNorm"}, act_cfg={"type": "GELU"})
    assert block(torch.randn(1, 3, 5, 4)).shape == (1, 2, 3, 8)


def test_the_last_map_only():
    every, last = build(), build(return_interm_layers=False)
    last.load_state_dict(every.state_dict())
    x = torch.randn(1, 3, 64, 96)
    (made,) = last(x)
    assert torch.equal(made, every(x)[-1])
    assert last.out_channels == (64,)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"window_spec": (4, 2, 4)}, r"\['window_spec'\]: holds 3 sides, must hold one for each of 4 stages"),
        ({"window_spec": (4, 3, 4, 3)}, r"\['window_spec'\]: holds 3, but windows whose .* Take 4"),
        ({"q_pool": 4}, r"\['q_pool'\]: is 4, must be from 0 to 3"),
        ({"q_stride": (2, 1)}, r"\['q_stride'\]: is \(2, 1\), must be twice the same"),
    ],
)
def test_numbers_that_do_not_fit(fields, message):
    with pytest.raises(ConfigError, match=message):
        build(**fields)


@pytest.mark.parametrize("size", [(64, 64), (33, 47), (96, 32)])
@pytest.mark.parametrize("scalp", [0, 1, 2])
def test_the_pyramid_of_any_size(size, scalp):
    backbone = pyramid(scalp)
    with torch.no_grad():
        made = backbone(torch.randn(2, 3, *size))
    trunk = backbone.trunk(torch.randn(2, 3, *size))
    assert [x.shape[2:] for x in made["backbone_fpn"]] == [x.shape[2:] for x in trunk[: 4 - scalp]]
    assert made["vision_features"] is made["backbone_fpn"][-1]
    assert tuple(x.shape[1] for x in made["backbone_fpn"]) == backbone.out_channels == (16,) * (4 - scalp)
    assert [x.shape for x in made["vision_pos_enc"]] == [x.shape for x in made["backbone_fpn"]]


@pytest.mark.parametrize(("fuse", "share"), [("sum", 1), ("avg", 0.5)])
@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_coarser_maps_are_added_where_that_is_wanted(fuse, share, mode):
    backbone = pyramid(0, fpn_top_down_levels=[1], fuse_type=fuse, fpn_interp_model=mode)
    x = torch.randn(1, 3, 64, 64)
    lateral = [conv(y) for conv, y in zip(backbone.neck.convs, reversed(backbone.trunk(x)), strict=True)][::-1]
    made = backbone(x)["backbone_fpn"]
    for i in (0, 2, 3):
        assert torch.equal(made[i], lateral[i])
    above = F.interpolate(lateral[2], scale_factor=2, mode=mode)
    torch.testing.assert_close(made[1], (lateral[1] + above) * share)


def test_every_parameter_of_the_pyramid_gets_a_gradient():
    backbone = pyramid(1).train()
    sum(x.square().mean() for x in backbone(torch.randn(2, 3, 64, 64))["backbone_fpn"]).backward()
    assert [key for key, p in backbone.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"fpn": {"backbone_channel_list": [64, 32, 16, 4]}},
            r"\['backbone_channel_list'\].*\[64, 32, 16, 8\] channels",
        ),
        ({"fpn": {"fpn_interp_model": "bilinaer"}}, r"\['fpn_interp_model'\].*Did you mean 'bilinear'"),
        ({"fpn": {"fuse_type": "mean"}}, r"\['fuse_type'\]: is 'mean', must be one of sum, avg"),
        ({"fpn": {"position_encoding_cfg": {"type": "Learnt"}}}, r"\['position_encoding_cfg'\]\['type'\]: is 'Learnt'"),
        ({"fpn": {"d_modle": 3}}, r"\['fpn_cfg'\]\['d_modle'\].*Did you mean 'd_model'"),
        ({"scalp": 4}, r"\['scalp'\]: is 4, must be a whole number from 0 to 3"),
        ({"scalp": 0.5}, r"\['scalp'\]: is 0.5, must be a whole number"),
    ],
)
def test_a_pyramid_that_does_not_fit(change, message):
    with pytest.raises(ConfigError, match=message):
        pyramid(change.get("scalp", 1), **change.get("fpn", {}))


def test_sine_positions():
    table = sine_positions((3, 5), 8, temperature=100, normalize=False)
    assert table.shape == (8, 3, 5)
    assert torch.equal(table[:4, 1, 0], table[:4, 1, 4]), "rows first"
    expected = torch.tensor([2.0, 2.0, 0.2, 0.2])
    torch.testing.assert_close(
        table[:4, 1, 0], torch.stack([f(x) for f, x in zip([torch.sin, torch.cos] * 2, expected, strict=True)])
    )
    scaled = sine_positions((3, 5), 8, scale=1.0)
    torch.testing.assert_close(scaled[0, :, 0], torch.sin(torch.tensor([1.0, 2, 3]) / 3), rtol=0, atol=1e-6)


def test_mlp():
    mlp, x = MLP(3, 5, 2, 3, sigmoid_output=True), torch.randn(4, 3)
    first, second, third = mlp.layers
    torch.testing.assert_close(mlp(x), third(second(first(x).relu()).relu()).sigmoid())
