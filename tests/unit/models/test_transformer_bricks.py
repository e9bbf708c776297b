import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from ssseg.modules import BuildBackbone
from ssseg.modules.models.backbones.bricks.transformer import (
    MultiheadAttention,
    PatchEmbed,
    ShiftedWindowAttention,
    SpatialReductionAttention,
    WindowAttention,
    build_token_norm,
    drop_path_rates,
    join_windows,
    pad_to_fit,
    relative_position_index,
    renamed,
    resize_positions,
    run_block,
    split_windows,
    with_joined_projections,
)
from ssseg.modules.models.backbones.bricks.transformer.biastables import (
    relative_position_index_with_class,
    resize_bias_table,
    spline_weights,
)
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import BACKBONES

LAYER_NORM = {"type": "LayerNorm"}
BLOCKS = {"BEiT": 4, "MAE": 4, "MixVisionTransformer": 5, "PCPVT": 6, "SVT": 6, "SwinTransformer": 5}


@pytest.mark.parametrize("name", [*BLOCKS, "VisionTransformer"])
def test_every_attention_is_torchs(name, monkeypatch):
    calls, attention = [], F.scaled_dot_product_attention
    monkeypatch.setattr(F, "scaled_dot_product_attention", lambda *a, **k: calls.append(a) or attention(*a, **k))
    monkeypatch.setattr(F, "softmax", None)
    monkeypatch.setattr(torch.Tensor, "softmax", None)
    BuildBackbone(BACKBONES[name])(torch.randn(1, 3, 48, 64))
    assert len(calls) == BLOCKS.get(name, 4)
    assert all(x.ndim == 4 for call in calls for x in call[:3]), "fused kernels take four dimensions"


@pytest.mark.parametrize("bias", [True, False])
def test_multihead_attention_is_torchs(bias):
    ours, theirs = MultiheadAttention(8, 2, bias=bias), torch.nn.MultiheadAttention(8, 2, bias=bias, batch_first=True)
    theirs.load_state_dict(ours.state_dict())
    query, memory = torch.randn(3, 5, 8), torch.randn(3, 7, 8)
    torch.testing.assert_close(ours(query, memory), theirs(query, memory, memory)[0])


def test_multihead_attention_with_values_of_their_own_and_a_mask():
    ours, theirs = MultiheadAttention(8, 2), torch.nn.MultiheadAttention(8, 2, batch_first=True)
    theirs.load_state_dict(ours.state_dict())
    query, key, value = torch.randn(3, 5, 8), torch.randn(3, 7, 8), torch.randn(3, 7, 8)
    mask = torch.rand(3, 1, 5, 7) < 0.5
    mask[..., 0] = True
    hidden = ~mask.expand(-1, 2, -1, -1).flatten(0, 1)
    torch.testing.assert_close(ours(query, key, value, mask), theirs(query, key, value, attn_mask=hidden)[0])


def test_attention_dropout_is_for_training():
    attention, x = MultiheadAttention(8, 2, dropout=0.5), torch.randn(1, 5, 8)
    assert not torch.equal(attention(x, x), attention(x, x))
    assert torch.equal(attention.eval()(x, x), attention(x, x))


@pytest.mark.parametrize(("size", "tokens"), [((8, 8), 4), ((9, 11), 4), ((2, 9), 2), ((1, 1), 1)])
def test_spatial_reduction_of_any_map(size, tokens):
    attention = SpatialReductionAttention(8, 2, sr_ratio=4, norm_cfg=LAYER_NORM)
    x = torch.randn(2, size[0] * size[1], 8)
    assert attention.reduced(x, size).shape == (2, tokens, 8)
    assert attention(x, size).shape == x.shape


def test_a_rest_of_the_map_counts_for_nothing():
    attention = SpatialReductionAttention(4, 1, sr_ratio=2, norm_cfg=LAYER_NORM)
    x = torch.randn(1, 4, 5, 4)  # the last column is the rest
    changed = x.clone()
    changed[:, :, 4] += 1
    one, other = (attention.reduced(y.flatten(1, 2), (4, 5)) for y in (x, changed))
    assert torch.equal(one, other)


@given(st.integers(1, 30), st.integers(1, 5), st.integers(1, 5))
def test_padding_fits_windows(length, kernel, stride):
    x = pad_to_fit(torch.ones(1, 1, length, length), kernel, stride)
    padded = x.shape[2]
    steps = -(-length // stride)
    assert padded == max(length, (steps - 1) * stride + kernel)
    assert x.sum() == length**2
    assert x[0, 0, :length, :length].all()


def test_patches_of_any_size():
    patches = PatchEmbed(3, 4, 4, 4, norm_cfg=LAYER_NORM)
    tokens, size = patches(torch.randn(2, 3, 9, 16))
    assert (tokens.shape, size) == ((2, 12, 4), (3, 4))


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4))
def test_windows_come_back(rows, columns, window):
    x = torch.randn(2, 3, rows * window, columns * window)
    windows = split_windows(x, window)
    assert windows.shape == (2, rows * columns, window**2, 3)
    assert torch.equal(windows[:, 0].transpose(1, 2).reshape(2, 3, window, window), x[:, :, :window, :window])
    assert torch.equal(join_windows(windows, (rows * window, columns * window)), x)


def test_relative_positions_are_offsets():
    places = [(y, x) for y in range(2) for x in range(3)]
    expected = [[(y - v + 1) * 5 + (x - u + 2) for v, u in places] for y, x in places]
    assert relative_position_index((2, 3)).tolist() == expected
    index = relative_position_index_with_class((2, 3))
    assert index[1:, 1:].tolist() == expected
    assert (index[0, 0], set(index[0, 1:].tolist()), set(index[1:, 0].tolist())) == (17, {15}, {16})


def test_shifted_windows_keep_apart_what_was_never_near():
    window, shift, size = 4, 2, (8, 12)
    mask = ShiftedWindowAttention(WindowAttention(4, 1, window), window, shift).mask(size, torch.device("cpu"))
    y, x = torch.meshgrid(torch.arange(8), torch.arange(12), indexing="ij")
    before = torch.stack([y, x]).float()[None].roll((-shift, -shift), (2, 3))
    places = split_windows(before, window)[0]  # (windows, L, 2): where each token stood
    apart = (places[:, :, None] - places[:, None]).abs().amax(-1) >= window
    assert torch.equal(mask[:, 0] == -torch.inf, apart)


@pytest.mark.parametrize("shift", [0, 1])
def test_window_attention_by_hand(shift):
    attention = WindowAttention(4, 2, 3, qk_scale=0.3)
    torch.nn.init.normal_(attention.relative_position_bias_table)
    shifted = ShiftedWindowAttention(attention, 3, shift)
    x, size = torch.randn(2, 6 * 3, 4), (6, 3)
    image = x.transpose(1, 2).unflatten(2, size).roll((-shift, -shift), (2, 3))
    windows = split_windows(image, 3)
    q, k, v = attention.qkv(windows).unflatten(3, (3, 2, 2)).unbind(3)
    products = torch.einsum("nwlhd,nwmhd->nwhlm", q, k) * 0.3
    bias = attention.relative_position_bias_table[attention.relative_position_index].permute(2, 0, 1)
    mask = shifted.mask(size, x.device) if shift else 0
    weights = (products + bias + mask).softmax(-1)
    mixed = attention.proj(torch.einsum("nwhlm,nwmhd->nwlhd", weights, v).flatten(3))
    expected = join_windows(mixed, size).roll((shift, shift), (2, 3)).flatten(2).transpose(1, 2)
    torch.testing.assert_close(shifted(x, size), expected)


def test_positions_are_interpolated_and_those_of_a_class_token_stay():
    table = torch.randn(1, 1 + 6, 4)
    assert resize_positions(table, (2, 3), (2, 3), "bilinear", leading=1) is table
    made = resize_positions(table, (2, 3), (4, 5), "bilinear", leading=1)
    grid = table[:, 1:].reshape(1, 2, 3, 4).permute(0, 3, 1, 2)
    expected = F.interpolate(grid, (4, 5), mode="bilinear").permute(0, 2, 3, 1).reshape(1, 20, 4)
    assert torch.equal(made, torch.cat([table[:, :1], expected], dim=1))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9])
def test_splines_are_exact_for_polynomials(count):
    knots = np.cumsum(1 + np.arange(count) % 3) - 2.0
    places = np.linspace(knots[0], knots[-1], 13)
    for power in range(min(count, 4)):
        np.testing.assert_allclose(spline_weights(knots, places) @ knots**power, places**power, atol=1e-9)
    np.testing.assert_allclose(spline_weights(knots, knots), np.eye(count), atol=1e-9)


def biases(size):
    return torch.randn((2 * size[0] - 1) * (2 * size[1] - 1) + 3, 2)


def test_a_smaller_grid_keeps_the_biases_of_its_offsets():
    table = biases((4, 5))
    made = resize_bias_table(table, (4, 5), (3, 2))
    grid = table[:-3].reshape(7, 9, 2)
    torch.testing.assert_close(made[:-3].reshape(5, 3, 2), grid[1:6, 3:6])
    assert torch.equal(made[-3:], table[-3:])


@pytest.mark.parametrize(("old", "new"), [(4, 9), (2, 6), (14, 40)])
def test_a_larger_grid_keeps_the_middle_and_the_ends(old, new):
    table = biases((old, old))
    made = resize_bias_table(table, (old, old), (new, new))
    before, after = table[:-3].reshape(2 * old - 1, -1, 2), made[:-3].reshape(2 * new - 1, -1, 2)
    for i, j in ((0, 0), (old - 1, new - 1), (-1, -1)):
        torch.testing.assert_close(after[j, j], before[i, i], atol=1e-4, rtol=1e-4)
    assert resize_bias_table(table, (old, old), (old, old)) is table


def test_biases_of_a_single_position_are_everywhere():
    table = biases((1, 1))
    made = resize_bias_table(table, (1, 1), (2, 3))
    assert torch.allclose(made[:-3], table[0])


def test_a_block_computed_twice_has_the_same_gradients():
    block, x = torch.nn.Linear(3, 3), torch.randn(2, 3)
    run_block(block, x, use_checkpoint=False).square().sum().backward()
    once = block.weight.grad.clone()
    block.weight.grad = None
    run_block(block, x, use_checkpoint=True).square().sum().backward()
    assert torch.equal(block.weight.grad, once)


def test_a_block_computed_twice_learns_its_averages_once():
    once, twice = torch.nn.BatchNorm2d(3), torch.nn.BatchNorm2d(3)
    x = torch.randn(2, 3, 4, 4, requires_grad=True)
    run_block(once, x, use_checkpoint=False).square().sum().backward()
    run_block(twice, x, use_checkpoint=True).square().sum().backward()
    assert twice.num_batches_tracked == 1
    assert torch.equal(once.running_mean, twice.running_mean)
    assert torch.equal(once.running_var, twice.running_var)
    assert torch.equal(once.weight.grad, twice.weight.grad)
    assert twice.momentum == once.momentum


@pytest.mark.parametrize("name", ["SwinTransformer", "MixVisionTransformer", "VisionTransformer"])
def test_networks_computed_twice_give_the_same_maps(name):
    one, other = BuildBackbone(BACKBONES[name]), BuildBackbone({**BACKBONES[name], "use_checkpoint": True})
    other.load_state_dict(one.state_dict())
    image = torch.randn(1, 3, 48, 64)
    assert all(torch.equal(x, y) for x, y in zip(one(image), other(image), strict=True))


def test_rates_rise_linearly():
    assert drop_path_rates(0.2, 3) == pytest.approx([0, 0.1, 0.2])


def test_renaming():
    assert renamed({"a.b": 1, "b.a": 2}, [("^a", "c"), ("^c", "d"), ("b$", "e")]) == {"d.e": 1, "b.a": 2}
    state = {
        "x.attn.q.bias": torch.zeros(1),
        "x.attn.q.weight": torch.zeros(1, 1),
        "x.attn.kv.bias": torch.ones(2),
        "x.attn.kv.weight": torch.ones(2, 1),
        "x.attn.proj.bias": torch.ones(1),
        "x.attn.sr.bias": torch.ones(1),
        "y.attn.proj.bias": torch.ones(1),
    }
    made = with_joined_projections(state)
    assert list(made) == [
        "x.attn.attn.in_proj_bias",
        "x.attn.attn.in_proj_weight",
        "x.attn.attn.out_proj.bias",
        "x.attn.sr.bias",
        "y.attn.proj.bias",
    ]
    assert made["x.attn.attn.in_proj_bias"].tolist() == [0, 1, 1]
    assert made["x.attn.attn.in_proj_weight"].tolist() == [[0], [1], [1]]


@pytest.mark.parametrize("name", [*BLOCKS, "VisionTransformer"])
@pytest.mark.parametrize("norm", [{"type": "SyncBatchNorm"}, {"type": "GroupNorm", "num_groups": 1}])
def test_normalizations_of_maps_are_refused(name, norm):
    with pytest.raises(ConfigError, match=r"\['backbone'\]\['norm_cfg'\]: is .* needs one of tokens, .*'LayerNorm'"):
        BuildBackbone({**BACKBONES[name], "norm_cfg": norm})


def test_any_normalization_of_tokens_is_taken():
    assert isinstance(build_token_norm(4, {"type": "LayerNorm", "eps": 0.1}), torch.nn.LayerNorm)
    assert isinstance(build_token_norm(4, None), torch.nn.Identity)
