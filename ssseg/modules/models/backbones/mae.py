from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .beit import BEiT, BEiTAttention
from .bricks.transformer import Size, resize_positions
from .vit import fit_pos_embed
from .weights import State

# The authors', trained on ImageNet-1k without labels; CC-BY-NC-4.0.
DEFAULT_MODEL_URLS = {"mae_pretrain_vit_base": "https://dl.fbaipublicfiles.com/mae/pretrain/mae_pretrain_vit_base.pth"}
AUTO_ASSERT_STRUCTURE_TYPES = {"mae_pretrain_vit_base": {"embed_dims": 768, "num_layers": 12, "num_heads": 12}}


class MAE(BEiT):
    """Plain vision transformer, trained by painting hidden patches, with BEiT's biases and scales for segmentation.

    Paper: He et al., "Masked Autoencoders Are Scalable Vision Learners", CVPR 2022, arXiv:2111.06377; section 5 adds
    the biases when segmentation is learnt.

    Args:
        img_size: (H, W) for which there are positions and biases; those of other sizes are interpolated.
        qkv_bias: give queries, keys and values a bias.

    The other arguments, the shapes and the errors are those of `BEiT`.
    """

    urls = DEFAULT_MODEL_URLS
    built_as = AUTO_ASSERT_STRUCTURE_TYPES
    may_lack = ("relative_position_index", "relative_position_bias_table", "gamma_1", "gamma_2")

    def __init__(
        self,
        structure_type: str,
        img_size: Sequence[int] = (512, 512),
        patch_size: int = 16,
        in_channels: int = 3,
        embed_dims: int = 768,
        num_layers: int = 12,
        num_heads: int = 12,
        mlp_ratio: float = 4,
        out_indices: int | Sequence[int] = (3, 5, 7, 11),
        attn_drop_rate: float = 0.0,
        drop_path_rate: float = 0.1,
        norm_cfg: Mapping[str, Any] | None = {"type": "LayerNorm", "eps": 1e-6},
        act_cfg: Mapping[str, Any] | None = {"type": "GELU"},
        patch_norm: bool = False,
        final_norm: bool = False,
        num_fcs: int = 2,
        init_values: float = 1.0,
        qkv_bias: bool = True,
        pretrained: bool = True,
        pretrained_model_path: str | None = "",
    ):
        super().__init__(
            structure_type,
            img_size,
            patch_size,
            in_channels,
            embed_dims,
            num_layers,
            num_heads,
            mlp_ratio,
            out_indices,
            qkv_bias,
            attn_drop_rate,
            drop_path_rate,
            norm_cfg,
            act_cfg,
            patch_norm,
            final_norm,
            num_fcs,
            init_values,
            pretrained,
            pretrained_model_path,
        )

    def add_positions(self) -> None:
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + self.grid[0] * self.grid[1], self.embed_dims))

    def build_attention(self, bias: bool, attn_drop: float) -> BEiTAttention:
        return BEiTAttention(self.embed_dims, self.num_heads, self.grid, "qkv" if bias else "", attn_drop)

    def convert(self, state: State) -> State:
        return fit_pos_embed(super().convert(state), self.grid, "bicubic")

    def embed(self, tokens: Tensor, size: Size) -> Tensor:
        return tokens + resize_positions(self.pos_embed, self.grid, size, "bicubic", leading=1)
