"""The published models of SAM: their shapes, and where their weights are."""

from collections.abc import Sequence
from functools import partial
from typing import Any

# Meta's, trained on SA-1B; Apache-2.0.
_FOLDER = "https://dl.fbaipublicfiles.com/segment_anything"


def sam_vit(embed_dim: int, depth: int, num_heads: int, global_attn_indexes: Sequence[int]) -> dict[str, Any]:
    """Return the cfg of an image encoder for 1024 x 1024 pixels."""
    return {
        "type": "SAMViT",
        "img_size": 1024,
        "patch_size": 16,
        "embed_dim": embed_dim,
        "depth": depth,
        "num_heads": num_heads,
        "global_attn_indexes": tuple(global_attn_indexes),
        "window_size": 14,
        "use_rel_pos": True,
        "out_chans": 256,
    }


VITS = {
    "h": partial(sam_vit, 1280, 32, 16, (7, 15, 23, 31)),
    "l": partial(sam_vit, 1024, 24, 16, (5, 11, 17, 23)),
    "b": partial(sam_vit, 768, 12, 12, (2, 5, 8, 11)),
}


def promptable(backbone: dict[str, Any], ckptpath: str, **head: Any) -> dict[str, Any]:
    """Return the cfg of a model with an image encoder for 1024 x 1024 pixels; `head` are fields beside the usual."""
    transformer = {"depth": 2, "embedding_dim": 256, "mlp_dim": 2048, "num_heads": 8}
    return {
        "backbone": backbone,
        "prompt": {
            "embed_dim": 256,
            "image_embedding_size": (64, 64),
            "input_image_size": (1024, 1024),
            "mask_in_chans": 16,
        },
        "head": {"num_multimask_outputs": 3, "transformer_cfg": transformer, "transformer_dim": 256, **head},
        "ckptpath": ckptpath,
    }


def sam(size: str, file: str) -> dict[str, Any]:
    """Return the cfg of a published SAM, with the encoder `size`."""
    return promptable(VITS[size](), f"{_FOLDER}/{file}")


DIGESTS = {  # SHA-256 of files whose names do not tell it; the digits there are of MD5
    "sam_vit_h_4b8939.pth": "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
    "sam_vit_l_0b3195.pth": "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
    "sam_vit_b_01ec64.pth": "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
    "sam2_hiera_tiny.pt": "65b50056e05bcb13694174f51bb6da89c894b57b75ccdf0ba6352c597c5d1125",
    "sam2_hiera_small.pt": "95949964d4e548409021d47b22712d5f1abf2564cc0c3c765ba599a24ac7dce3",
    "sam2_hiera_base_plus.pt": "d0bb7f236400a49669ffdd1be617959a8b1d1065081789d7bbff88eded3a8071",
    "sam2_hiera_large.pt": "7442e4e9b732a508f80e141e7c2913437a3610ee0c77381a66658c3a445df87b",
}
SAM_CFGS = {
    "use_default_sam_h": partial(sam, "h", "sam_vit_h_4b8939.pth"),
    "use_default_sam_l": partial(sam, "l", "sam_vit_l_0b3195.pth"),
    "use_default_sam_b": partial(sam, "b", "sam_vit_b_01ec64.pth"),
}

TINY_VIT = {
    "type": "MobileSAMTinyViT",
    "structure_type": "tiny_vit_5m_22kto1k_distill",
    "img_size": 1024,
    "embed_dims": (64, 128, 160, 320),
    "depths": (2, 2, 6, 2),
    "num_heads": (2, 4, 5, 10),
    "window_sizes": (7, 7, 14, 7),
    "drop_path_rate": 0.0,
    "pretrained": False,
}
