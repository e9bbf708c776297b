import pytest
import torch

from ssseg.modules import BuildBackbone
from ssseg.modules.models.backbones import weights
from ssseg.modules.models.backbones.bricks.transformer import resize_positions
from ssseg.modules.models.backbones.swin import AUTO_ASSERT_STRUCTURE_TYPES, DEFAULT_MODEL_URLS, PatchMerging
from ssseg.modules.models.backbones.swinweights import convert_swin
from ssseg.modules.utils import CheckpointError, ConfigError

SMALL = {
    "type": "SwinTransformer",
    "structure_type": "small",
    "embed_dims": 8,
    "depths": (2, 1),
    "num_heads": (1, 2),
    "window_size": 4,
    "out_indices": (0, 1),
    "pretrained_model_path": "x.pth",
}
THEIRS = (
    ("stages.", "layers."),
    (".attn.w_msa.", ".attn."),
    (".ffn.layers.0.0.", ".mlp.fc1."),
    (".ffn.layers.1.", ".mlp.fc2."),
    ("patch_embed.projection.", "patch_embed.proj."),
)


def build(**fields):
    return BuildBackbone({**SMALL, "pretrained": False, **fields}).eval()


def file_of(backbone):
    """The weights of a backbone under the authors' names, but for the order of merged channels."""
    file = {}
    for name, value in backbone.state_dict().items():
        if not name.startswith("norm"):
            for ours, theirs in THEIRS:
                name = name.replace(ours, theirs)  # noqa: PLW2901
            file[name] = value
    classifier = {"norm.weight": torch.ones(16), "head.weight": torch.ones(1), "head.bias": torch.ones(1)}
    return {**file, "layers.0.blocks.1.attn_mask": torch.zeros(4, 16, 16), **classifier}


def load(monkeypatch, file, **fields):
    monkeypatch.setattr(weights, "loadpretrainedweights", lambda *args, **kwargs: file)
    return BuildBackbone({**SMALL, **fields}).eval()


def authors_merging(x, file):
    """The authors' patch merging: quarters joined column by column, normalized, projected."""
    quarters = [x[:, :, i::2, j::2] for j in (0, 1) for i in (0, 1)]
    joined = torch.cat(quarters, dim=1).permute(0, 2, 3, 1)
    norm = torch.nn.functional.layer_norm(joined, (32,), file["norm.weight"], file["norm.bias"])
    return (norm @ file["reduction.weight"].T).flatten(1, 2)


def test_merged_patches_are_the_authors():
    prefix = "layers.0.downsample."
    file = {"norm.weight": torch.randn(32), "norm.bias": torch.randn(32), "reduction.weight": torch.randn(16, 32)}
    merging = PatchMerging(8, 16, 2, {"type": "LayerNorm"})
    converted = convert_swin({prefix + key: value for key, value in file.items()})
    merging.load_state_dict({key.removeprefix("stages.0.downsample."): value for key, value in converted.items()})
    x = torch.randn(2, 8, 4, 6)
    made, size = merging(x.flatten(2).transpose(1, 2), (4, 6))
    assert size == (2, 3)
    torch.testing.assert_close(made, authors_merging(x, file))


def test_the_authors_file(monkeypatch):
    given = build()
    loaded = load(monkeypatch, file_of(given)).state_dict()
    for key, value in given.state_dict().items():
        if ".downsample." in key:
            assert torch.equal(loaded[key].sort().values, value.sort().values)
        elif not key.startswith("norm"):
            assert torch.equal(loaded[key], value), key


def test_our_names_stay():
    state = build().state_dict()
    assert convert_swin(state) is state


def test_tables_of_another_window_are_interpolated(monkeypatch):
    given = build(window_size=5)
    key = "stages.0.blocks.0.attn.w_msa.relative_position_bias_table"
    torch.nn.init.normal_(given.get_parameter(key))
    loaded = load(monkeypatch, file_of(given))
    expected = resize_positions(given.get_parameter(key)[None], (9, 9), (7, 7), "bicubic")[0]
    assert torch.equal(loaded.get_parameter(key), expected)


def test_positions_of_another_size_are_interpolated(monkeypatch):
    given = build(use_abs_pos_embed=True, pretrain_img_size=24)
    torch.nn.init.normal_(given.absolute_pos_embed)
    loaded = load(monkeypatch, file_of(given), use_abs_pos_embed=True, pretrain_img_size=32)
    assert torch.equal(loaded.absolute_pos_embed, resize_positions(given.absolute_pos_embed, (6, 6), (8, 8), "bicubic"))
    loaded = load(monkeypatch, file_of(given), use_abs_pos_embed=True, pretrain_img_size=(16, 24))
    assert torch.equal(loaded.absolute_pos_embed, resize_positions(given.absolute_pos_embed, (6, 6), (4, 6), "bicubic"))


def test_absolute_positions_for_any_image():
    backbone = build(use_abs_pos_embed=True, pretrain_img_size=(16, 24))
    torch.nn.init.normal_(backbone.absolute_pos_embed)
    positions, image = backbone.absolute_pos_embed.detach(), torch.randn(1, 3, 24, 40)
    other = build(use_abs_pos_embed=True, pretrain_img_size=(24, 40))
    state = {**backbone.state_dict(), "absolute_pos_embed": resize_positions(positions, (4, 6), (6, 10), "bicubic")}
    other.load_state_dict(state)
    with torch.no_grad():
        assert all(torch.equal(x, y) for x, y in zip(backbone(image), other(image), strict=True))


def test_only_returned_maps_have_a_normalization():
    assert not hasattr(build(out_indices=(1,)), "norm0")
    assert isinstance(build(patch_norm=False).patch_embed.norm, torch.nn.Identity)


def test_a_file_of_another_network(monkeypatch):
    with pytest.raises(CheckpointError, match=r"not the weights of this SwinTransformer\. \d+ missing: patch_embed"):
        load(monkeypatch, {"conv1.weight": torch.zeros(1)})


def test_errors_name_the_place():
    with pytest.raises(ConfigError, match=r"\['out_indices'\]: holds 2, must hold numbers from 0 to 1"):
        build(out_indices=(2,))
    fields = {"structure_type": "swin_tiny_patch4_window7_224", "pretrained_model_path": ""}
    with pytest.raises(ConfigError, match=r"\['embed_dims'\]: is 8, but the weights of .* need 96"):
        BuildBackbone({**SMALL, **fields})


def test_the_table_of_weights():
    assert len(DEFAULT_MODEL_URLS) == 8
    large = AUTO_ASSERT_STRUCTURE_TYPES["swin_large_patch4_window12_384_22kto1k"]
    assert (large["embed_dims"], large["window_size"], large["num_heads"]) == (192, 12, (6, 12, 24, 48))
    assert DEFAULT_MODEL_URLS["swin_tiny_patch4_window7_224"].endswith("/v1.0.0/swin_tiny_patch4_window7_224.pth")
