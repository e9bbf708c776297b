from collections.abc import Mapping, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from .bricks import BuildActivation, BuildDropout
from .bricks.transformer import (
    PatchEmbed,
    Size,
    SpatialReductionAttention,
    build_token_norm,
    drop_path_rates,
    map_of,
    renamed,
    run_block,
    tokens_of,
    with_joined_projections,
)
from .checks import indices_below
from .weights import State, load_pretrained

_FOLDER = "https://github.com/SegmentationBLWX/modelstore/releases/download/ssseg_segformer"
_DEPTHS = {
    "mit-b0": (2, 2, 2, 2),
    "mit-b1": (2, 2, 2, 2),
    "mit-b2": (3, 4, 6, 3),
    "mit-b3": (3, 4, 18, 3),
    "mit-b4": (3, 8, 27, 3),
    "mit-b5": (3, 6, 40, 3),
}
# Copies of the authors', trained on ImageNet-1k; NVIDIA's licence, not for commercial use.
DEFAULT_MODEL_URLS = {name: f"{_FOLDER}/{name.replace('-', '_')}.pth" for name in _DEPTHS}
AUTO_ASSERT_STRUCTURE_TYPES = {
    name: {"embed_dims": 32 if name == "mit-b0" else 64, "num_layers": depths, "num_heads": (1, 2, 5, 8)}
    for name, depths in _DEPTHS.items()
}


def convert_mit(state: State) -> State:
    """Name the entries of the authors' files as ours; their linear layers become 1x1 convolutions."""
    if "patch_embed1.proj.weight" not in state:
        return state
    rules = (
        (r"^patch_embed(\d)\.(proj\.)?", lambda m: f"layers.{int(m[1]) - 1}.0.{'projection.' if m[2] else ''}"),
        (r"^block(\d)\.", lambda m: f"layers.{int(m[1]) - 1}.1."),
        (r"^norm(\d)\.", lambda m: f"layers.{int(m[1]) - 1}.2."),
        (r"\.mlp\.fc1\.", ".ffn.layers.0."),
        (r"\.mlp\.dwconv\.dwconv\.", ".ffn.layers.1."),
        (r"\.mlp\.fc2\.", ".ffn.layers.4."),
    )
    return {
        key: value[:, :, None, None] if ".ffn." in key and value.ndim == 2 else value
        for key, value in with_joined_projections(renamed(state, rules)).items()
    }


class MixFFN(nn.Module):
    """A perceptron whose hidden map passes a 3x3 depthwise convolution, which tells positions apart.

    Paper: Xie et al., "SegFormer", NeurIPS 2021, arXiv:2105.15203, section 3.1.
    """

    def __init__(self, embed_dims: int, hidden_dims: int, dropout: float, act_cfg: Mapping[str, Any] | None):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(embed_dims, hidden_dims, 1),
            nn.Conv2d(hidden_dims, hidden_dims, 3, padding=1, groups=hidden_dims),
            BuildActivation(act_cfg),
            nn.Dropout(dropout),
            nn.Conv2d(hidden_dims, embed_dims, 1),
            nn.Dropout(dropout),
        )

    def forward(self, x: Tensor, size: Size) -> Tensor:  # (N, h * w, C)
        widen, depthwise, activation, dropout, narrow, last_dropout = list[Any](self.layers)
        x = F.linear(x, widen.weight.flatten(1), widen.bias)  # 1x1 convolutions, without turning tokens into a map
        x = tokens_of(depthwise(x.transpose(1, 2).unflatten(2, size)))
        x = F.linear(dropout(activation(x)), narrow.weight.flatten(1), narrow.bias)
        return last_dropout(x)


class MixBlock(nn.Module):
    """Attention to a reduced map and a perceptron, each after a normalization and added to its input.

    Paper: Xie et al., "SegFormer", NeurIPS 2021, arXiv:2105.15203, section 3.1 and figure 2.
    """

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        hidden_dims: int,
        sr_ratio: int,
        drop_path: float,
        *,
        qkv_bias: bool,
        attn_drop: float,
        drop: float,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()  # the order of the next lines is that of the entries in published checkpoints
        self.norm1 = build_token_norm(embed_dims, norm_cfg)
        self.attn = SpatialReductionAttention(
            embed_dims,
            num_heads,
            sr_ratio=sr_ratio,
            attn_drop=attn_drop,
            proj_drop=drop,
            bias=qkv_bias,
            norm_cfg=norm_cfg,
        )
        self.norm2 = build_token_norm(embed_dims, norm_cfg)
        self.ffn = MixFFN(embed_dims, hidden_dims, drop, act_cfg)
        self.drop_path = BuildDropout({"type": "DropPath", "drop_prob": drop_path})

    def forward(self, x: Tensor, size: Size) -> Tensor:  # (N, h * w, C)
        x = x + self.drop_path(self.attn(self.norm1(x), size))
        return x + self.drop_path(self.ffn(self.norm2(x), size))


class MixVisionTransformer(nn.Module):
    """Vision transformer with a pyramid of maps, overlapping patches and no table of positions.

    Paper: Xie et al., "SegFormer: Simple and Efficient Design for Semantic Segmentation with Transformers", NeurIPS
    2021, arXiv:2105.15203, section 3.1. Its layer normalizations have `norm_cfg` throughout; in the authors' code those
    of patches and of reduced maps have eps 1e-5.

    Args:
        structure_type: names the pretrained weights, a key of `DEFAULT_MODEL_URLS`.
        in_channels: of the images.
        embed_dims: width of a head; stage i is `num_heads[i]` times as wide.
        num_stages: how many of the stages there are.
        num_layers, num_heads, patch_sizes, strides: of each stage.
        sr_ratios: of each stage, by what the map is divided that tokens attend to.
        out_indices: which stages to return.
        mlp_ratio: hidden width of the perceptrons, over that of the tokens.
        drop_rate, attn_drop_rate: dropout of tokens and of attention.
        drop_path_rate: of the last block; it rises linearly from 0 at the first.
        use_checkpoint: save memory in training by computing each block twice.
        pretrained: load weights, from `pretrained_model_path` or, where that is None or "", fetched.

    Shape:
        (N, in_channels, H, W) to a tuple of maps, at 1/4, 1/8, 1/16 and 1/32, rounded up; `out_channels` wide.

    Raises:
        ConfigError: there is no such stage, or the weights do not fit.
    """

    def __init__(
        self,
        structure_type: str,
        in_channels: int = 3,
        embed_dims: int = 64,
        num_stages: int = 4,
        num_layers: Sequence[int] = (3, 4, 6, 3),
        num_heads: Sequence[int] = (1, 2, 5, 8),
        patch_sizes: Sequence[int] = (7, 3, 3, 3),
        strides: Sequence[int] = (4, 2, 2, 2),
        sr_ratios: Sequence[int] = (8, 4, 2, 1),
        out_indices: Sequence[int] = (0, 1, 2, 3),
        mlp_ratio: float = 4,
        qkv_bias: bool = True,
        drop_rate: float = 0.0,
        attn_drop_rate: float = 0.0,
        drop_path_rate: float = 0.1,
        act_cfg: Mapping[str, Any] | None = {"type": "GELU"},
        norm_cfg: Mapping[str, Any] | None = {"type": "LayerNorm", "eps": 1e-6},
        use_checkpoint: bool = False,
        pretrained: bool = True,
        pretrained_model_path: str | None = "",
    ):
        super().__init__()
        self.embed_dims, self.num_layers, self.num_heads = embed_dims, tuple(num_layers), tuple(num_heads)
        self.structure_type, self.use_checkpoint = structure_type, use_checkpoint
        self.out_indices = indices_below(num_stages, out_indices)
        rates = iter(drop_path_rates(drop_path_rate, sum(num_layers[:num_stages])))
        widths = [embed_dims * heads for heads in num_heads[:num_stages]]
        self.layers = nn.ModuleList()
        for i, width in enumerate(widths):
            patches = PatchEmbed(
                widths[i - 1] if i else in_channels,
                width,
                patch_sizes[i],
                strides[i],
                padding=patch_sizes[i] // 2,
                norm_cfg=norm_cfg,
            )
            blocks = nn.ModuleList(
                MixBlock(
                    width,
                    num_heads[i],
                    int(mlp_ratio * width),
                    sr_ratios[i],
                    next(rates),
                    qkv_bias=qkv_bias,
                    attn_drop=attn_drop_rate,
                    drop=drop_rate,
                    norm_cfg=norm_cfg,
                    act_cfg=act_cfg,
                )
                for _ in range(num_layers[i])
            )
            norm = build_token_norm(width, norm_cfg)
            self.layers.append(nn.ModuleList([patches, blocks, norm]))
        self.out_channels = tuple(widths[i] for i in self.out_indices)
        if pretrained:
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls=DEFAULT_MODEL_URLS,
                built_as=AUTO_ASSERT_STRUCTURE_TYPES,
                convert=convert_mit,
                input_key="layers.0.0.projection.weight",
                unused=("head.",),
            )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # (N, C, H, W)
        maps = []
        for stage in self.layers:
            patches, blocks, norm = stage.children()
            x, size = patches(x)
            for block in blocks.children():
                x = run_block(block, x, size, use_checkpoint=self.use_checkpoint)
            x = map_of(norm(x), size)
            maps.append(x)
        return tuple(maps[i] for i in self.out_indices)
