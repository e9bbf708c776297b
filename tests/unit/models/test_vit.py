import pytest
import torch

from ssseg.modules import BuildBackbone
from ssseg.modules.models.backbones import weights
from ssseg.modules.models.backbones.bricks.transformer import resize_positions
from ssseg.modules.models.backbones.vit import DEFAULT_MODEL_URLS
from ssseg.modules.utils import CheckpointError, ConfigError
from tests.contracts.small_cfgs import VIT

IMAGE = torch.randn(1, 3, 48, 64)


def build(**fields):
    backbone = BuildBackbone({**VIT, **fields}).eval()
    for name, p in backbone.named_parameters():
        if name in ("pos_embed", "cls_token"):
            torch.nn.init.normal_(p)
    return backbone


def maps(backbone, image=IMAGE):
    with torch.no_grad():
        return backbone(image)


def file_of(backbone):
    """The weights of a backbone under timm's names."""
    file = {"head.weight": torch.zeros(1), "norm.weight": torch.ones(16), "norm.bias": torch.zeros(16)}
    for name, value in backbone.state_dict().items():
        for ours, theirs in (
            ("patch_embed.projection.", "patch_embed.proj."),
            ("layers.", "blocks."),
            (".ln", ".norm"),
            (".ffn.blocks.0.0.", ".mlp.fc1."),
            (".ffn.blocks.1.", ".mlp.fc2."),
            (".attn.attn.in_proj_", ".attn.qkv."),
            (".attn.attn.out_proj.", ".attn.proj."),
        ):
            name = name.replace(ours, theirs)  # noqa: PLW2901
        file[name] = value
    return file


def load(monkeypatch, file, **fields):
    monkeypatch.setattr(weights, "loadpretrainedweights", lambda *args, **kwargs: file)
    return BuildBackbone({**VIT, "pretrained": True, "pretrained_model_path": "x.pth", **fields}).eval()


def test_timms_file(monkeypatch):
    given = build()
    file = file_of(given)
    assert "blocks.3.mlp.fc2.weight" in file
    loaded = load(monkeypatch, file).state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in given.state_dict().items())


def test_positions_of_another_size_are_interpolated(monkeypatch):
    given = build(img_size=(80, 80))
    loaded = load(monkeypatch, file_of(given), final_norm=True)
    assert torch.equal(loaded.pos_embed, resize_positions(given.pos_embed, (5, 5), (3, 4), "bilinear", leading=1))
    assert torch.equal(loaded.ln1.weight, torch.ones(16))


def test_a_file_of_positions_that_are_no_square_is_named(monkeypatch):
    with pytest.raises(CheckpointError, match=r"x\.pth: a table of 15 positions, which are no square grid"):
        load(monkeypatch, file_of(build(img_size=(80, 48))))


@pytest.mark.parametrize("size", [(80, 48), (64, 48), (33, 100)])
def test_other_image_sizes_interpolate_the_positions(size):
    """(64, 48) has as many patches as (48, 64), in another grid."""
    backbone, other = build(), build(img_size=size)
    grid = (-(-size[0] // 16), -(-size[1] // 16))
    positions = resize_positions(backbone.pos_embed.detach(), (3, 4), grid, "bilinear", leading=1)
    other.pos_embed, other.grid = torch.nn.Parameter(positions), grid
    other.load_state_dict({**backbone.state_dict(), "pos_embed": positions})
    image = torch.randn(1, 3, *size)
    assert all(torch.equal(x, y) for x, y in zip(maps(backbone, image), maps(other, image), strict=True))


def test_class_tokens():
    given = build()
    plain = maps(given)
    pairs = build(output_cls_token=True)
    pairs.load_state_dict(given.state_dict())
    for x, (y, token) in zip(plain, maps(pairs), strict=True):
        assert torch.equal(x, y)
        assert token.shape == (1, 16)
    without = build(with_cls_token=False)
    without.load_state_dict(given.state_dict())
    assert not torch.allclose(maps(without)[-1], plain[-1])
    with pytest.raises(ConfigError, match=r"\['output_cls_token'\]: needs 'with_cls_token'"):
        build(with_cls_token=False, output_cls_token=True)


def test_which_maps():
    given = build()
    last, origin = build(out_indices=-1), build(out_indices=[-1], out_origin=True)
    for other in (last, origin):
        other.load_state_dict(given.state_dict())
    assert torch.equal(maps(last)[0], maps(given)[-1])
    embedded, final = maps(origin)
    assert torch.equal(final, maps(given)[-1])
    patches = given.patch_embed(IMAGE)[0] + given.pos_embed[:, 1:]
    assert torch.equal(embedded.flatten(2).transpose(1, 2), patches)
    with pytest.raises(ConfigError, match=r"\['out_indices'\]: holds 4"):
        build(out_indices=(1, 4))


def test_final_normalization_is_that_of_the_last_block():
    given, normed = build(), build(final_norm=True)
    normed.load_state_dict(given.state_dict(), strict=False)
    (*early, last), (*same, final) = maps(given), maps(normed)
    assert all(torch.equal(x, y) for x, y in zip(early, same, strict=True))
    torch.testing.assert_close(final, torch.nn.functional.layer_norm(last.movedim(1, -1), (16,)).movedim(-1, 1))


def test_drop_path_leaves_out_attention_and_perceptron():
    block = build().layers[0].train()
    block.drop_path.drop_prob = 1.0
    x = torch.randn(2, 13, 16)
    assert torch.equal(block(x, (3, 4)), x)


def test_the_table_of_weights():
    assert DEFAULT_MODEL_URLS["jx_vit_large_p16_384"].endswith("/v0.1-vitjx/jx_vit_large_p16_384-b3be5167.pth")
    with pytest.raises(ConfigError, match=r"\['embed_dims'\]: is 16, but the weights of .* need 1024"):
        BuildBackbone({**VIT, "structure_type": "jx_vit_large_p16_384", "patch_size": 16, "pretrained": True})
