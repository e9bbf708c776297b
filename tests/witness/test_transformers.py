"""Our backbones and those of the package transformers, with the same weights."""

import pytest
import torch

from ssseg.modules import BuildBackbone, BuildSegmentor
from tests.contracts.small_cfgs import small
from tests.witness import names
from tests.witness.agreement import assert_agree, randomized

PLAIN = {"embed_dims": 16, "num_layers": 3, "num_heads": 2, "out_indices": (0, 1, 2), "img_size": (48, 64)}
THEIR_PLAIN = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "image_size": (48, 64),
}


def loaded(state, may_lack=(), **cfg):
    """A backbone of ours that holds `state`, every entry of it."""
    backbone = BuildBackbone({"structure_type": "small", "pretrained": False, **cfg}).eval()
    result = backbone.load_state_dict(state, strict=False)
    assert not result.unexpected_keys
    assert not [name for name in result.missing_keys if not name.endswith(may_lack)]
    return backbone


def assert_maps_agree(backbone, image, expected):
    with torch.no_grad():
        made = backbone(image)
    assert len(made) == len(expected)
    for x, y in zip(made, expected, strict=True):
        assert_agree(x, y)


def maps_of(hidden_states, grid):
    """Maps of what the blocks give, without the class token; the first state is that before the first block."""
    return [x[:, 1:].transpose(1, 2).unflatten(2, grid) for x in hidden_states[1:]]


MIT = {
    "type": "MixVisionTransformer",
    "structure_type": "small",
    "embed_dims": 4,
    "num_layers": (1, 2, 2, 1),
    "norm_cfg": {"type": "LayerNorm", "eps": 1e-5},
    "pretrained": False,
}
THEIR_MIT = {"hidden_sizes": [4, 8, 20, 32], "depths": [1, 2, 2, 1], "num_attention_heads": [1, 2, 5, 8]}


@pytest.mark.parametrize("size", [(64, 96), (50, 70), (131, 77)])
def test_mit(transformers, size):
    theirs, image = (
        randomized(transformers.SegformerModel(transformers.SegformerConfig(**THEIR_MIT))),
        torch.randn(2, 3, *size),
    )
    ours = loaded(names.segformer(theirs.state_dict()), **MIT)
    with torch.no_grad():
        expected = theirs(image, output_hidden_states=True).hidden_states
    assert_maps_agree(ours, image, expected)


@pytest.mark.parametrize("size", [(64, 96), (75, 101)])
def test_segformer(transformers, size):
    config = transformers.SegformerConfig(**THEIR_MIT, decoder_hidden_size=12, num_labels=4)
    theirs, image = randomized(transformers.SegformerForSemanticSegmentation(config)), torch.randn(2, 3, *size)
    cfg = small("Segformer")
    cfg["backbone"] = {**MIT, "selected_indices": (0, 1, 2, 3)}
    head = {"in_channels_list": [4, 8, 20, 32], "feats_channels": 12, "dropout": 0.1, "linear_levels": True}
    ours = BuildSegmentor({**cfg, "head": head}, "TEST").eval()
    ours.load_state_dict(names.segformer_with_head(theirs.state_dict()))
    with torch.no_grad():
        assert_agree(ours.inference(image), theirs(image).logits)


@pytest.mark.parametrize(
    ("size", "fields"),
    [
        ((64, 96), {}),
        ((70, 50), {}),
        ((33, 47), {"window_size": 5}),
        ((20, 24), {"window_size": 7}),  # maps smaller than a window
        ((64, 64), {"use_absolute_embeddings": True}),
    ],
)
def test_swin(transformers, size, fields):
    config = transformers.SwinConfig(
        embed_dim=8,
        depths=[2, 2, 1],
        num_heads=[1, 2, 4],
        image_size=64,
        out_features=["stage1", "stage2", "stage3"],
        **{"window_size": 4, **fields},
    )
    theirs, image = randomized(transformers.SwinBackbone(config)), torch.randn(2, 3, *size)
    ours = loaded(
        names.swin(theirs.state_dict()),
        may_lack=("relative_position_index",),
        type="SwinTransformer",
        pretrain_img_size=64,
        embed_dims=8,
        depths=(2, 2, 1),
        num_heads=(1, 2, 4),
        out_indices=(0, 1, 2),
        window_size=config.window_size,
        use_abs_pos_embed=config.use_absolute_embeddings,
    )
    with torch.no_grad():
        expected = theirs(image).feature_maps
    assert_maps_agree(ours, image, expected)


@pytest.mark.parametrize("final_norm", [False, True])
def test_vit(transformers, final_norm):
    config = transformers.ViTConfig(**THEIR_PLAIN, layer_norm_eps=1e-6)
    theirs = randomized(transformers.ViTModel(config, add_pooling_layer=False))
    state = names.vit(theirs.state_dict())
    if not final_norm:
        state = {name: value for name, value in state.items() if not name.startswith("ln1.")}
    ours = loaded(state, type="VisionTransformer", final_norm=final_norm, **PLAIN)
    image = torch.randn(2, 3, 48, 64)
    with torch.no_grad():
        result = theirs(image, output_hidden_states=True)
    hidden = [*result.hidden_states[:-1], result.last_hidden_state] if final_norm else result.hidden_states
    assert_maps_agree(ours, image, maps_of(hidden, (3, 4)))


@pytest.mark.parametrize("name", ["BEiT", "MAE"])
def test_beit(transformers, name):
    """MAE for segmentation is BEiT with a table of positions, and biases for the keys too.

    The grid is square: where it is not, transformers exchanges the sides of the table of biases.
    """
    config = transformers.BeitConfig(
        **{**THEIR_PLAIN, "image_size": 64},
        use_relative_position_bias=True,
        use_mean_pooling=False,
        layer_norm_eps=1e-6,
        use_absolute_position_embeddings=name == "MAE",
    )
    theirs = randomized(transformers.BeitModel(config, add_pooling_layer=False))
    state = getattr(names, name.lower())(theirs.state_dict())
    ours = loaded(
        state, may_lack=("relative_position_index",), type=name, final_norm=True, **{**PLAIN, "img_size": (64, 64)}
    )
    image = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        result = theirs(image, output_hidden_states=True)
    assert_maps_agree(ours, image, maps_of([*result.hidden_states[:-1], result.last_hidden_state], (4, 4)))
