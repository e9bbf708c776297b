"""BEiT and MAE."""

import pytest
import torch

from ssseg.modules import BuildBackbone
from ssseg.modules.models.backbones import beit, mae, weights
from ssseg.modules.models.backbones.bricks.transformer import resize_positions
from ssseg.modules.models.backbones.bricks.transformer.biastables import resize_bias_table
from tests.contracts.small_cfgs import BACKBONES

TABLE = "layers.1.attn.relative_position_bias_table"


def build(name, **fields):
    backbone = BuildBackbone({**BACKBONES[name], **fields}).eval()
    for key, p in backbone.named_parameters():
        if key in ("pos_embed", "cls_token") or key.endswith("table"):
            torch.nn.init.normal_(p)
    return backbone


def file_of(backbone, *left_out):
    """The weights of a backbone under the authors' names."""
    file = {"head.weight": torch.zeros(1), "norm.weight": torch.full((16,), 2.0), "norm.bias": torch.zeros(16)}
    for name, value in backbone.state_dict().items():
        if name.endswith(left_out):
            continue
        for ours, theirs in (
            ("patch_embed.projection.", "patch_embed.proj."),
            ("ffn.layers.0.0.", "mlp.fc1."),
            ("ffn.layers.1.", "mlp.fc2."),
            ("layers.", "blocks."),
            (".ln", ".norm"),
        ):
            name = name.replace(ours, theirs)  # noqa: PLW2901
        file[name] = value
    return file


def load(monkeypatch, name, file, **fields):
    monkeypatch.setattr(weights, "loadpretrainedweights", lambda *args, **kwargs: file)
    return BuildBackbone({**BACKBONES[name], "pretrained": True, "pretrained_model_path": "x.pth", **fields})


@pytest.mark.parametrize("name", ["BEiT", "MAE"])
def test_the_authors_file(monkeypatch, name):
    given = build(name)
    file = file_of(given)
    assert {"blocks.2.mlp.fc1.weight", "blocks.0.attn.relative_position_index"} <= file.keys()
    loaded = load(monkeypatch, name, file, final_norm=True).state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in given.state_dict().items())
    assert torch.equal(loaded["ln1.weight"], torch.full((16,), 2.0))


def test_tables_of_another_grid_are_interpolated(monkeypatch):
    given = build("BEiT", img_size=(32, 32))
    loaded = load(monkeypatch, "BEiT", file_of(given))
    expected = resize_bias_table(given.get_parameter(TABLE), (2, 2), (3, 4))
    assert torch.equal(loaded.get_parameter(TABLE), expected)


def test_mae_has_neither_biases_nor_scales(monkeypatch):
    given = build("MAE", img_size=(48, 48))
    file = file_of(given, "relative_position_index", "relative_position_bias_table", "gamma_1", "gamma_2")
    loaded = load(monkeypatch, "MAE", file)
    assert not loaded.get_parameter(TABLE).any()
    assert (loaded.layers[0].gamma_1 == 1).all()
    expected = resize_positions(given.pos_embed, (3, 3), (3, 4), "bicubic", leading=1)
    assert torch.equal(loaded.pos_embed, expected)


@pytest.mark.parametrize("name", ["BEiT", "MAE"])
@pytest.mark.parametrize("size", [(64, 48), (96, 80), (20, 130)])
def test_other_image_sizes_interpolate_what_is_learnt_about_positions(name, size):
    grid = (-(-size[0] // 16), -(-size[1] // 16))
    given, other = build(name), build(name, img_size=(16 * grid[0], 16 * grid[1]))
    state = other.state_dict()
    for key, value in given.state_dict().items():
        if key.endswith("table"):
            state[key] = resize_bias_table(value, (3, 4), grid)
        elif key == "pos_embed":
            state[key] = resize_positions(value, (3, 4), grid, "bicubic", leading=1)
        elif not key.endswith("index"):
            state[key] = value
    other.load_state_dict(state)
    image = torch.randn(1, 3, *size)
    with torch.no_grad():
        for x, y in zip(given(image), other(image), strict=True):
            torch.testing.assert_close(x, y)


@pytest.mark.parametrize("name", ["BEiT", "MAE"])
def test_attention_by_hand(name):
    backbone = build(name)
    attention, x = backbone.layers[0].attn, torch.randn(2, 13, 16)
    torch.nn.init.normal_(attention.q_bias if name == "BEiT" else attention.qkv.bias)
    bias = attention.qkv.bias
    if name == "BEiT":
        assert bias is None
        bias = torch.cat([attention.q_bias, torch.zeros(16), attention.v_bias])
    q, k, v = (x @ attention.qkv.weight.T + bias).unflatten(2, (3, 2, 8)).permute(2, 0, 3, 1, 4)
    table = attention.relative_position_bias_table[attention.relative_position_index].permute(2, 0, 1)
    mixed = (q @ k.transpose(2, 3) / 8**0.5 + table).softmax(-1) @ v
    torch.testing.assert_close(attention(x, (3, 4)), attention.proj(mixed.transpose(1, 2).flatten(2)))


def test_without_biases_of_projections():
    plain = build("BEiT", qv_bias=False)
    assert not [key for key, _ in plain.named_parameters() if key.endswith(("q_bias", "v_bias", "qkv.bias"))]
    plain = build("MAE", qkv_bias=False)
    assert not [key for key, _ in plain.named_parameters() if key.endswith("qkv.bias")]


@pytest.mark.parametrize("name", ["BEiT", "MAE"])
def test_final_normalization(name):
    given, normed = build(name), build(name, final_norm=True)
    normed.load_state_dict(given.state_dict(), strict=False)
    image = torch.randn(1, 3, 48, 64)
    with torch.no_grad():
        last, final = given(image)[-1], normed(image)[-1]
    expected = torch.nn.functional.layer_norm(last.movedim(1, -1), (16,), eps=1e-6).movedim(-1, 1)
    torch.testing.assert_close(final, expected)


def test_initial_values():
    backbone = BuildBackbone({**BACKBONES["BEiT"], "init_values": 0.25})
    assert (backbone.layers[0].gamma_2 == 0.25).all()
    assert 0.01 < backbone.get_parameter(TABLE).std() < 0.03
    assert not BuildBackbone(BACKBONES["MAE"]).get_parameter(TABLE).any()


def test_the_tables_of_weights():
    assert beit.DEFAULT_MODEL_URLS["beit_large_patch16_224_pt22k_ft22k"].endswith("_patch16_224_pt22k_ft22k.pth")
    assert mae.DEFAULT_MODEL_URLS["mae_pretrain_vit_base"].endswith("/mae/pretrain/mae_pretrain_vit_base.pth")
    assert beit.AUTO_ASSERT_STRUCTURE_TYPES.keys() == beit.DEFAULT_MODEL_URLS.keys()
    assert mae.AUTO_ASSERT_STRUCTURE_TYPES.keys() == mae.DEFAULT_MODEL_URLS.keys()
