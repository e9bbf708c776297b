import pytest
import torch

from ssseg.modules import BuildBackbone
from ssseg.modules.models.backbones import weights
from ssseg.modules.models.backbones.twins import AUTO_ASSERT_STRUCTURE_TYPES, DEFAULT_MODEL_URLS
from ssseg.modules.models.backbones.twinsblocks import LocalAttention, TwinsBlock
from tests.contracts.small_cfgs import BACKBONES


def file_of(backbone):
    """The weights of a backbone as the authors keep them."""
    file = {"head.weight": torch.zeros(1), "norm.weight": torch.ones(32)}
    for name, value in backbone.state_dict().items():
        if name.startswith("norm_list"):
            continue
        for ours, theirs in (
            ("ffn.layers.0.0.", "mlp.fc1."),
            ("ffn.layers.1.", "mlp.fc2."),
            ("layers.", "blocks."),
            (".projection.", ".proj."),
            ("attn.attn.out_proj.", "attn.proj."),
        ):
            name = name.replace(ours, theirs)  # noqa: PLW2901
        if name.startswith("position_encodings."):
            name = name.replace("position_encodings.", "pos_block.").replace(".proj.", ".proj.0.")  # noqa: PLW2901
        owner, inner, kind = name.partition("attn.attn.in_proj_")
        if inner:
            third = len(value) // 3
            file |= {f"{owner}attn.q.{kind}": value[:third], f"{owner}attn.kv.{kind}": value[third:]}
        else:
            file[name] = value
    return file


@pytest.mark.parametrize("name", ["PCPVT", "SVT"])
def test_the_authors_file(monkeypatch, name):
    given = BuildBackbone(BACKBONES[name])
    file = file_of(given)
    assert {"blocks.0.1.attn.kv.bias", "pos_block.3.proj.0.weight"} <= file.keys()
    assert ("blocks.0.0.attn.qkv.weight" in file) == (name == "SVT")
    monkeypatch.setattr(weights, "loadpretrainedweights", lambda *args, **kwargs: file)
    loaded = BuildBackbone({**BACKBONES[name], "pretrained": True, "pretrained_model_path": "x.pth"}).state_dict()
    assert loaded.keys() == given.state_dict().keys()
    assert all(torch.equal(loaded[key], value) for key, value in given.state_dict().items())


def local_attention():
    attention = LocalAttention(4, 2, 4, bias=True, attn_drop=0.0, proj_drop=0.0)
    torch.nn.init.normal_(attention.qkv.bias)
    return attention


def test_tokens_do_not_see_padding_of_both_sides():
    attention, x = local_attention(), torch.randn(1, 5 * 6, 4)
    made = attention(x, (5, 6)).reshape(5, 6, 4)
    corner = x.reshape(1, 5, 6, 4)[:, 4:, 4:].reshape(1, 2, 4)  # all that is real in the last window
    q, k, v = attention.qkv(corner).unflatten(2, (3, 2, 2)).permute(2, 0, 3, 1, 4)
    mixed = (q @ k.transpose(2, 3) / 2**0.5).softmax(-1) @ v
    torch.testing.assert_close(made[4, 4:], attention.proj(mixed.transpose(1, 2).flatten(2))[0])


@pytest.mark.parametrize("size", [(8, 6), (5, 8), (8, 8)])
def test_padding_of_one_side_is_seen_as_in_the_authors_code(size):
    attention = local_attention()
    assert attention.mask(size, (8, 8), torch.device("cpu")) is None
    x = torch.randn(1, size[0] * size[1], 4)
    padded = torch.zeros(1, 8, 8, 4)
    padded[:, : size[0], : size[1]] = x.reshape(1, *size, 4)
    expected = attention(padded.reshape(1, 64, 4), (8, 8)).reshape(1, 8, 8, 4)[:, : size[0], : size[1]]
    torch.testing.assert_close(attention(x, size), expected.reshape(x.shape))


def test_drop_path_scales_each_branch_once():
    attention = local_attention()
    block = TwinsBlock(4, attention, 8, 0.5, 0.0, norm_cfg={"type": "LayerNorm"}, act_cfg={"type": "GELU"}).train()
    torch.nn.init.zeros_(block.ffn.layers[1].weight)
    torch.nn.init.zeros_(block.ffn.layers[1].bias)
    x = torch.randn(1, 16, 4).expand(32, -1, -1)
    added, branch = block(x, (4, 4)) - x, attention(block.norm1(x), (4, 4))
    kept = added.flatten(1).any(dim=1)
    assert 0 < kept.sum() < 32
    torch.testing.assert_close(added[kept], 2 * branch[kept])


def test_stages_are_normalized_or_not():
    image = torch.randn(1, 3, 32, 32)
    normed = BuildBackbone(BACKBONES["SVT"])(image)
    assert all(x.mean(dim=1).abs().max() < 1e-5 for x in normed)
    assert not hasattr(BuildBackbone({**BACKBONES["SVT"], "norm_after_stage": False}), "norm_list")
    assert not hasattr(BuildBackbone(BACKBONES["PCPVT"]), "norm_list")


def test_the_table_of_weights():
    assert DEFAULT_MODEL_URLS["svt_base"].endswith("/ssseg_twins/alt_gvt_base.pth")
    assert DEFAULT_MODEL_URLS["pcpvt_large"].endswith("/ssseg_twins/pcpvt_large.pth")
    assert AUTO_ASSERT_STRUCTURE_TYPES["svt_base"] == {"depths": (2, 2, 18, 2), "embed_dims": (96, 192, 384, 768)}
