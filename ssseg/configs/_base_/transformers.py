"""The transformers that several experiments share as backbones, as `SEGMENTOR_CFG["backbone"]` takes them."""

from typing import Any

_SWIN = {  # size: file of the weights, window, channels, blocks, heads
    "tiny": ("swin_tiny_patch4_window7_224", 7, 96, [2, 2, 6, 2], [3, 6, 12, 24]),
    "small": ("swin_small_patch4_window7_224", 7, 96, [2, 2, 18, 2], [3, 6, 12, 24]),
    "base": ("swin_base_patch4_window12_384_22k", 12, 128, [2, 2, 18, 2], [4, 8, 16, 32]),
    "large": ("swin_large_patch4_window12_384_22k", 12, 192, [2, 2, 18, 2], [6, 12, 24, 48]),
}
_MIT = {  # size: channels of the first stage, blocks
    "b0": (32, [2, 2, 2, 2]),
    "b1": (64, [2, 2, 2, 2]),
    "b2": (64, [3, 4, 6, 3]),
    "b3": (64, [3, 4, 18, 3]),
    "b4": (64, [3, 8, 27, 3]),
    "b5": (64, [3, 6, 40, 3]),
}
_PCPVT = {"small": ([3, 4, 6, 3], 0.2), "base": ([3, 4, 18, 3], 0.3), "large": ([3, 8, 27, 3], 0.3)}
_SVT = {  # size: channels and heads of the first stage, blocks, drop path rate
    "small": (64, 2, [2, 2, 10, 4], 0.2),
    "base": (96, 3, [2, 2, 18, 2], 0.2),
    "large": (128, 4, [2, 2, 18, 2], 0.3),
}


def swin(size: str) -> dict[str, Any]:
    """Swin Transformer with weights trained on ImageNet (tiny, small) or ImageNet-22k (base, large).

    Args:
        size: "tiny" or "small" (96, 192, 384, 768 channels), "base" (128 to 1024) or "large" (192 to 1536).

    Paper: Liu et al., "Swin Transformer", ICCV 2021, arXiv:2103.14030.
    """
    structure_type, window, channels, depths, heads = _SWIN[size]
    return {
        "type": "SwinTransformer",
        "structure_type": structure_type,
        "pretrained": True,
        "pretrain_img_size": 224 if window == 7 else 384,
        "in_channels": 3,
        "patch_size": 4,
        "window_size": window,
        "embed_dims": channels,
        "depths": list(depths),
        "num_heads": list(heads),
        "mlp_ratio": 4,
        "qkv_bias": True,
        "qk_scale": None,
        "patch_norm": True,
        "drop_rate": 0.0,
        "attn_drop_rate": 0.0,
        "use_abs_pos_embed": False,
        "norm_cfg": {"type": "LayerNorm"},
        "drop_path_rate": 0.3,
        "selected_indices": (0, 1, 2, 3),
    }


def mit(size: str) -> dict[str, Any]:
    """Mix Transformer with weights trained on ImageNet, read from `mit_<size>.pth` where it lies beside the run.

    Args:
        size: "b0" (32, 64, 160, 256 channels), "b1", "b2", "b3", "b4" or "b5" (64, 128, 320, 512).

    Paper: Xie et al., "SegFormer", NeurIPS 2021, arXiv:2105.15203, section 3.1.
    """
    channels, depths = _MIT[size]
    return {
        "type": "MixVisionTransformer",
        "structure_type": f"mit-{size}",
        "pretrained": True,
        "pretrained_model_path": f"mit_{size}.pth",
        "patch_sizes": [7, 3, 3, 3],
        "embed_dims": channels,
        "num_layers": list(depths),
        "num_stages": 4,
        "num_heads": [1, 2, 5, 8],
        "mlp_ratio": 4,
        "sr_ratios": [8, 4, 2, 1],
        "qkv_bias": True,
        "drop_rate": 0.0,
        "attn_drop_rate": 0.0,
        "norm_cfg": {"type": "LayerNorm", "eps": 1e-6},
        "drop_path_rate": 0.1,
        "selected_indices": (0, 1, 2, 3),
    }


def vit_large(img_size: int) -> dict[str, Any]:
    """ViT-Large with patches of 16 pixels and weights trained on ImageNet at 384; four maps of 1024 channels at 1/16.

    Args:
        img_size: side of the training crops; the position embeddings are brought to it.

    Paper: Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021, arXiv:2010.11929.
    """
    return {
        "type": "VisionTransformer",
        "structure_type": "jx_vit_large_p16_384",
        "pretrained": True,
        "img_size": (img_size, img_size),
        "patch_size": 16,
        "embed_dims": 1024,
        "num_layers": 24,
        "num_heads": 16,
        "mlp_ratio": 4,
        "num_fcs": 2,
        "qkv_bias": True,
        "patch_norm": False,
        "with_cls_token": True,
        "output_cls_token": False,
        "drop_rate": 0.0,
        "attn_drop_rate": 0.0,
        "final_norm": False,
        "out_indices": (9, 14, 19, 23),
        "norm_cfg": {"type": "LayerNorm", "eps": 1e-6},
        "drop_path_rate": 0.0,
        "selected_indices": (0, 1, 2, 3),
    }


def pcpvt(size: str) -> dict[str, Any]:
    """Twins-PCPVT with weights trained on ImageNet; 64, 128, 320 and 512 channels.

    Args:
        size: "small", "base" or "large".

    Paper: Chu et al., "Twins", NeurIPS 2021, arXiv:2104.13840, section 3.1.
    """
    depths, drop_path_rate = _PCPVT[size]
    return {
        "type": "PCPVT",
        "structure_type": f"pcpvt_{size}",
        "pretrained": True,
        "depths": list(depths),
        "norm_cfg": {"type": "LayerNorm"},
        "drop_path_rate": drop_path_rate,
        "selected_indices": (0, 1, 2, 3),
    }


def svt(size: str) -> dict[str, Any]:
    """Twins-SVT with weights trained on ImageNet.

    Args:
        size: "small" (64 to 512 channels), "base" (96 to 768) or "large" (128 to 1024).

    Paper: Chu et al., "Twins", NeurIPS 2021, arXiv:2104.13840, section 3.2.
    """
    channels, heads, depths, drop_path_rate = _SVT[size]
    return {
        "type": "SVT",
        "structure_type": f"svt_{size}",
        "pretrained": True,
        "embed_dims": [channels * 2**stage for stage in range(4)],
        "depths": list(depths),
        "num_heads": [heads * 2**stage for stage in range(4)],
        "mlp_ratios": [4, 4, 4, 4],
        "norm_after_stage": True,
        "windiow_sizes": [7, 7, 7, 7],  # the published name of the argument
        "norm_cfg": {"type": "LayerNorm"},
        "drop_path_rate": drop_path_rate,
        "selected_indices": (0, 1, 2, 3),
    }
