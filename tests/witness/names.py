"""Entries of transformers' networks, by our names."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from ssseg.modules.models.backbones.bricks.transformer import renamed
from ssseg.modules.models.backbones.swinweights import merged_channels_first

_BLOCK = ((r"\.layernorm_before\.", ".norm1."), (r"\.layernorm_after\.", ".norm2."))
_PLAIN_BLOCK = (
    (r"\.layernorm_before\.", ".ln1."),
    (r"\.layernorm_after\.", ".ln2."),
    (r"\.mlp\.fc1\.", ".ffn.layers.0.0."),
    (r"\.mlp\.fc2\.", ".ffn.layers.1."),
    (r"^embeddings\.patch_embeddings\.", "patch_embed."),
    (r"^embeddings\.cls_token", "cls_token"),
    (r"^embeddings\.position_embeddings", "pos_embed"),
    (r"^layernorm\.", "ln1."),
)


def joined(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return `state` with the projections `q_proj`, `k_proj` and `v_proj` one below the other in `qkv`."""
    result = {}
    for name, value in state.items():
        part = re.search(r"\.([qkv])_proj\.", name)
        if part is None:
            result[name] = value
        elif part[1] == "q":
            parts = [state[name.replace(".q_proj.", f".{letter}_proj.")] for letter in "qkv"]
            result[name.replace(".q_proj.", ".qkv.")] = torch.cat(parts)
    return result


def with_zero_key_biases(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return `state` with a bias of zeros for keys wherever queries have a bias."""
    biases = {name: value for name, value in state.items() if name.endswith(".q_proj.bias")}
    return {**state, **{name.replace(".q_", ".k_"): torch.zeros_like(value) for name, value in biases.items()}}


def segformer(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    rules = (
        *_BLOCK,
        (r"^stages\.(\d)\.patch_embeddings\.proj\.", r"layers.\1.0.projection."),
        (r"^stages\.(\d)\.patch_embeddings\.layer_norm\.", r"layers.\1.0.norm."),
        (r"^stages\.(\d)\.blocks\.", r"layers.\1.1."),
        (r"^stages\.(\d)\.layer_norm\.", r"layers.\1.2."),
        (r"\.attention\.qkv\.", ".attn.attn.in_proj_"),
        (r"\.attention\.o_proj\.", ".attn.attn.out_proj."),
        (r"\.attention\.sequence_reduction\.sequence_reduction\.", ".attn.sr."),
        (r"\.attention\.sequence_reduction\.layer_norm\.", ".attn.norm."),
        (r"\.mlp\.fc1\.", ".ffn.layers.0."),
        (r"\.mlp\.dwconv\.dwconv\.", ".ffn.layers.1."),
        (r"\.mlp\.fc2\.", ".ffn.layers.4."),
    )
    return {
        name: value[:, :, None, None] if ".ffn." in name and value.ndim == 2 else value
        for name, value in renamed(joined(state), rules).items()
    }


def segformer_with_head(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    rules = (
        (r"^(?=layers)", "backbone_net."),
        (r"^decode_head\.linear_projections\.(\d)\.proj\.", r"convs.\1.0."),
        (r"^decode_head\.linear_fuse\.", "decoder.0."),
        (r"^decode_head\.batch_norm\.", "decoder.1."),
        (r"^decode_head\.classifier\.", "decoder.4."),
    )
    plain = {name.removeprefix("segformer."): value for name, value in state.items()}
    return {
        name: value[:, :, None, None] if name.startswith("convs.") and value.ndim == 2 else value
        for name, value in renamed(segformer(plain), rules).items()
    }


def swin(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    rules = (
        *_BLOCK,
        (r"^swin\.embeddings\.patch_embeddings\.", "patch_embed."),
        (r"^swin\.embeddings\.norm\.", "patch_embed.norm."),
        (r"^swin\.embeddings\.position_embeddings", "absolute_pos_embed"),
        (r"^swin\.encoder\.layers\.", "stages."),
        (r"^hidden_states_norms\.stage(\d)\.", lambda m: f"norm{int(m[1]) - 1}."),
        (r"\.attention\.relative_position_bias\.", ".attn.w_msa."),
        (r"\.attention\.qkv\.", ".attn.w_msa.qkv."),
        (r"\.attention\.o_proj\.", ".attn.w_msa.proj."),
        (r"\.mlp\.fc1\.", ".ffn.layers.0.0."),
        (r"\.mlp\.fc2\.", ".ffn.layers.1."),
    )
    return {
        name: merged_channels_first(value) if ".downsample." in name else value
        for name, value in renamed(joined(state), rules).items()
        if not name.startswith("swin.layernorm.")  # of the classifier
    }


def vit(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    rules = (
        *_PLAIN_BLOCK,
        (r"\.attention\.qkv\.", ".attn.attn.in_proj_"),
        (r"\.attention\.o_proj\.", ".attn.attn.out_proj."),
    )
    return renamed(joined(state), rules)


def beit(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The entries of BEiT, whose queries and values alone have biases."""
    biases = (r"\.attention\.([qv])_proj\.bias$", r".attn.\1_bias")
    kept = {name: value for name, value in state.items() if not name.endswith("_proj.bias") or ".o_" in name}
    apart = {name: value for name, value in state.items() if name not in kept}
    return renamed({**joined(kept), **apart}, (biases, *_BEIT_RULES))


def mae(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return renamed(joined(with_zero_key_biases(state)), _BEIT_RULES)


_BEIT_RULES = (
    *_PLAIN_BLOCK,
    (r"\.attention\.qkv\.", ".attn.qkv."),
    (r"\.attention\.o_proj\.", ".attn.proj."),
    (r"\.relative_position_bias\.", ".attn."),
    (r"\.lambda_(\d)$", r".gamma_\1"),
)


def sam(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    perceptron = r"(mlps\.\d|head)\."
    positions = "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"
    rules = (
        (r"^vision_encoder\.", "image_encoder."),
        (r"^image_encoder\.patch_embed\.projection\.", "image_encoder.patch_embed.proj."),
        (r"^image_encoder\.layers\.", "image_encoder.blocks."),
        (r"\.neck\.(conv|layer_norm)(\d)\.", lambda m: f".neck.{2 * int(m[2]) - 2 + (m[1] != 'conv')}."),
        (r"\.mask_embed\.conv(\d)\.", lambda m: f".mask_downscaling.{3 * int(m[1]) - 3}."),
        (r"\.mask_embed\.layer_norm(\d)\.", lambda m: f".mask_downscaling.{3 * int(m[1]) - 2}."),
        (r"\.layer_norm(\d|_final_attn)\.", r".norm\1."),
        (r"^shared_image_embedding\.positional_embedding", positions),
        (r"\.point_embed\.", ".point_embeddings."),
        (r"\.upscale_conv(\d)\.", lambda m: f".output_upscaling.{3 * int(m[1]) - 3}."),
        (r"\.upscale_layer_norm\.", ".output_upscaling.1."),
        (rf"{perceptron}layers\.0\.", r"\1.layers.1."),
        (rf"{perceptron}proj_in\.", r"\1.layers.0."),
        (rf"{perceptron}proj_out\.", r"\1.layers.2."),
    )
    return renamed({name: value for name, value in state.items() if ".shared_embedding." not in name}, rules)


def samv2(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    kept = dict(state)
    kinds = kept.pop("prompt_encoder.point_embed.weight")
    kept |= {f"prompt_encoder.point_embeddings.{i}.weight": kind[None] for i, kind in enumerate(kinds)}
    rules = (
        (r"^no_memory_embedding", "no_mem_embed"),
        (r"^(prompt_encoder|mask_decoder)\.", r"sam_\1."),
        (r"^image_encoder\.backbone\.", "image_encoder.trunk."),
        (r"\.neck\.convs\.(\d)\.", r".neck.convs.\1.conv."),
        (r"\.patch_embed\.projection\.", ".patch_embed.proj."),
        (r"\.o_proj\.", ".out_proj."),
        (r"\.mlp\.proj_in\.", ".mlp.layers.0."),
        (r"\.mlp\.proj_out\.", ".mlp.layers.1."),
    )
    return renamed(sam(kept), rules)
