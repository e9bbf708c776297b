"""The published models of SAM 2: their shapes, and where their weights are."""

from collections.abc import Sequence
from functools import partial
from typing import Any

# Meta's, trained on SA-1B and SA-V, of July 2024; Apache-2.0.
_FOLDER = "https://dl.fbaipublicfiles.com/segment_anything_2/072824"


def positions(channels: int) -> dict[str, Any]:
    """Return the cfg of the positions of a map."""
    return {"type": "PositionEmbeddingSine", "num_pos_feats": channels, "normalize": True, "temperature": 10000}


def hiera_with_fpn(embed_dim: int, **hiera: Any) -> dict[str, Any]:
    """Return the cfg of an image encoder; `hiera` are fields of `Hiera`."""
    return {
        "type": "HieraWithFPN",
        "scalp": 1,
        "hiera_cfg": {"embed_dim": embed_dim, **hiera},
        "fpn_cfg": {
            "position_encoding_cfg": positions(256),
            "d_model": 256,
            "backbone_channel_list": [8 * embed_dim, 4 * embed_dim, 2 * embed_dim, embed_dim],
            "fpn_top_down_levels": [2, 3],
            "fpn_interp_model": "nearest",
        },
    }


def head() -> dict[str, Any]:
    """Return what all published models have on their image encoder."""
    attention = {"type": "RoPEAttention", "embedding_dim": 256, "num_heads": 1, "dropout": 0.1}
    layer = {
        "act_cfg": {"type": "ReLU"},
        "dim_feedforward": 2048,
        "dropout": 0.1,
        "d_model": 256,
        "pos_enc_at_attn": False,
        "pos_enc_at_cross_attn_keys": True,
        "pos_enc_at_cross_attn_queries": False,
        "self_attention_cfg": attention,
        "cross_attention_cfg": {**attention, "kv_in_dim": 64},
    }
    return {
        "memory_attention_cfg": {"d_model": 256, "pos_enc_at_input": True, "num_layers": 4, "layer_cfg": layer},
        "memory_encoder_cfg": {
            "out_dim": 64,
            "in_dim": 256,
            "position_encoding_cfg": positions(64),
            "mask_downsampler_cfg": {"kernel_size": 3, "stride": 2, "padding": 1, "embed_dim": 256},
            "fuser_cfg": {"num_layers": 2, "layer_cfg": {"dim": 256}},
        },
        "sigmoid_scale_for_mem_enc": 20.0,
        "sigmoid_bias_for_mem_enc": -10.0,
        "use_mask_input_as_output_without_sam": True,
        "directly_add_no_mem_embed": True,
        "use_high_res_features_in_sam": True,
        "multimask_output_in_sam": True,
        "multimask_min_pt_num": 0,
        "multimask_output_for_tracking": True,
        "use_multimask_token_for_obj_ptr": True,
        "iou_prediction_use_sigmoid": True,
        "use_obj_ptrs_in_encoder": True,
        "add_tpos_enc_to_obj_ptrs": False,
        "only_obj_ptrs_in_the_past_for_eval": True,
        "pred_obj_scores": True,
        "pred_obj_scores_mlp": True,
        "fixed_no_obj_ptr": True,
        "use_mlp_for_obj_ptr_proj": True,
    }


def samv2(
    file: str, embed_dim: int, stages: Sequence[int], global_att_blocks: Sequence[int], **hiera: Any
) -> dict[str, Any]:
    """Return the cfg of a published SAM 2; the arguments are fields of `Hiera`."""
    backbone = hiera_with_fpn(embed_dim, stages=stages, global_att_blocks=global_att_blocks, **hiera)
    return {"backbone": backbone, "head": head(), "ckptpath": f"{_FOLDER}/{file}"}


_GRID = {"window_pos_embed_bkg_spatial_size": (7, 7)}
SAMV2_CFGS = {
    "use_default_samv2_t": partial(samv2, "sam2_hiera_tiny.pt", 96, (1, 2, 7, 2), (5, 7, 9), num_heads=1, **_GRID),
    "use_default_samv2_s": partial(samv2, "sam2_hiera_small.pt", 96, (1, 2, 11, 2), (7, 10, 13), num_heads=1, **_GRID),
    "use_default_samv2_bplus": partial(samv2, "sam2_hiera_base_plus.pt", 112, (2, 3, 16, 3), (12, 16, 20), num_heads=2),
    "use_default_samv2_l": partial(
        samv2, "sam2_hiera_large.pt", 144, (2, 6, 36, 4), (23, 33, 43), num_heads=2, window_spec=(8, 4, 16, 8), **_GRID
    ),
}
