"""Our Mask2Former and that of the package transformers, with the same weights, and for the losses the same seed."""

import pytest
import torch

from ssseg.modules import BuildSegmentor, SSSegInputStructure
from ssseg.modules.models.backbones.bricks.transformer import renamed
from tests.witness import names
from tests.witness.agreement import assert_agree, randomized

POINTS = 60
BACKBONE = {"embed_dims": 16, "depths": (1, 1, 2, 1), "num_heads": (1, 2, 4, 8), "window_size": 4}
CFG = {
    "type": "Mask2Former",
    "num_classes": 5,
    "align_corners": False,
    "norm_cfg": {"type": "LayerNorm"},
    "act_cfg": {"type": "ReLU"},
    "backbone": {"type": "SwinTransformer", "structure_type": "small", "pretrained": False, **BACKBONE},
    "head": {
        "criterion": {
            "losses": ["labels", "masks"],
            "eos_coef": 0.1,
            "pixelsampler_cfg": {"type": "UGSampler", "num_points": POINTS, "reformat_target": False},
        },
        "matcher": {"cost_class": 2.0, "cost_mask": 5.0, "cost_dice": 5.0, "num_points": POINTS},
        "pixel_decoder": {
            "input_shape": {"in_channels": [16, 32, 64, 128], "strides": [4, 8, 16, 32]},
            "conv_dim": 32,
            "mask_dim": 16,
            "common_stride": 4,
            "transformer_in_features": ["res3", "res4", "res5"],
            "transformer_enc_layers": 2,
            "transformer_nheads": 4,
            "transformer_dim_feedforward": 48,
            "transformer_dropout": 0.0,
            "norm_cfg": {"type": "GroupNorm", "num_groups": 32},
            "act_cfg": {"type": "ReLU"},
        },
        "predictor": {
            "in_channels": 32,
            "mask_dim": 16,
            "hidden_dim": 32,
            "num_queries": 10,
            "nheads": 4,
            "dim_feedforward": 40,
            "dec_layers": 5,
        },
    },
}


def mask2former(state):
    """Entries of transformers' Mask2FormerForUniversalSegmentation, by our names."""
    prefix, layer = "model.pixel_level_module.encoder.", r"^model\.transformer_module\.decoder\.layers\.(\d+)\."
    backbone = names.swin({key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)})
    rules = (
        (r"^model\.pixel_level_module\.decoder\.", "pixel_decoder."),
        (r"^pixel_decoder\.(level_embed|encoder\.)", r"pixel_decoder.transformer.\1"),
        (r"\.input_projections\.", ".input_proj."),
        (r"\.mask_projection\.", ".mask_features."),
        (r"\.adapter_1\.", ".lateral_convs.0."),
        (r"\.layer_1\.", ".output_convs.0."),
        (rf"{layer}self_attn\.qkv\.", r"predictor.transformer_self_attention_layers.\1.self_attn.in_proj_"),
        (rf"{layer}self_attn\.", r"predictor.transformer_self_attention_layers.\1.self_attn."),
        (rf"{layer}self_attn_layer_norm\.", r"predictor.transformer_self_attention_layers.\1.norm."),
        (rf"{layer}cross_attn\.", r"predictor.transformer_cross_attention_layers.\1.multihead_attn."),
        (rf"{layer}cross_attn_layer_norm\.", r"predictor.transformer_cross_attention_layers.\1.norm."),
        (rf"{layer}fc(\d)\.", r"predictor.transformer_ffn_layers.\1.linear\2."),
        (rf"{layer}final_layer_norm\.", r"predictor.transformer_ffn_layers.\1.norm."),
        (r"\.self_attn_layer_norm\.", ".norm1."),
        (r"\.final_layer_norm\.", ".norm2."),
        (r"\.fc(\d)\.", r".linear\1."),
        (r"^model\.transformer_module\.decoder\.layernorm\.", "predictor.decoder_norm."),
        (
            r"^model\.transformer_module\.decoder\.mask_predictor\.mask_embedder\.(\d)\.0\.",
            r"predictor.mask_embed.layers.\1.",
        ),
        (r"^model\.transformer_module\.queries_embedder\.", "predictor.query_embed."),
        (r"^model\.transformer_module\.queries_features\.", "predictor.query_feat."),
        (r"^model\.transformer_module\.level_embed\.", "predictor.level_embed."),
        (r"^class_predictor\.", "predictor.class_embed."),
    )
    head = {key: value for key, value in state.items() if not key.startswith(prefix)}
    return {**{f"backbone_net.{key}": value for key, value in backbone.items()}, **renamed(names.joined(head), rules)}


@pytest.fixture(scope="module")
def both(transformers):
    config = transformers.Mask2FormerConfig(
        backbone_config=transformers.SwinConfig(
            embed_dim=16,
            depths=[1, 1, 2, 1],
            num_heads=[1, 2, 4, 8],
            window_size=4,
            out_features=["stage1", "stage2", "stage3", "stage4"],
        ),
        feature_size=32,
        mask_feature_size=16,
        hidden_dim=32,
        encoder_feedforward_dim=48,
        encoder_layers=2,
        decoder_layers=5,
        num_attention_heads=4,
        dim_feedforward=40,
        num_queries=10,
        num_labels=5,
        train_num_points=POINTS,
    )
    torch.manual_seed(0)
    theirs = randomized(transformers.Mask2FormerForUniversalSegmentation(config))
    ours = BuildSegmentor(CFG, "TRAIN").eval()
    result = ours.load_state_dict(mask2former(theirs.state_dict()), strict=False)
    assert not result.unexpected_keys
    assert all(name.endswith("relative_position_index") for name in result.missing_keys)
    return ours, theirs


@pytest.mark.parametrize("size", [(64, 96), (128, 64)])
def test_every_layer_predicts_the_same(both, size):
    ours, theirs = both
    image = torch.randn(2, 3, *size)
    with torch.no_grad():
        expected = theirs(image, output_auxiliary_logits=True)
        made = ours.predict_masks(ours.transforminputs(ours.backbone_net(image)))
    assert_agree(made[0].class_logits, expected.class_queries_logits)
    assert_agree(made[0].mask_logits, expected.masks_queries_logits)
    assert len(made) == 1 + len(expected.auxiliary_logits)
    for ours_of_layer, theirs_of_layer in zip(made[1:], expected.auxiliary_logits, strict=True):
        assert_agree(ours_of_layer.class_logits, theirs_of_layer["class_queries_logits"])
        assert_agree(ours_of_layer.mask_logits, theirs_of_layer["masks_queries_logits"])


def test_the_losses_are_the_same(both):
    pytest.importorskip("scipy", reason="scipy is not installed, which their matcher needs")
    ours, theirs = both
    image = torch.randn(2, 3, 64, 96)
    labels = torch.randint(0, 5, (2, 8, 12)).repeat_interleave(8, 1).repeat_interleave(8, 2)
    labels[:, :10] = -100
    labels[1, :, 40:] = 2
    classes = [one.unique()[1:] for one in labels]
    masks = [(one == present[:, None, None]).float() for one, present in zip(labels, classes, strict=True)]
    ours.mode = "TRAIN"
    with torch.no_grad():
        torch.manual_seed(1)
        expected = theirs(image, mask_labels=masks, class_labels=classes).loss
        torch.manual_seed(1)
        made = ours(SSSegInputStructure(images=image, seg_targets=labels)).loss
    assert made.item() == pytest.approx(expected.item(), rel=1e-5)
