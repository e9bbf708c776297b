from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from .bricks.transformer import (
    PatchEmbed,
    SpatialReductionAttention,
    build_token_norm,
    drop_path_rates,
    map_of,
    renamed,
    with_joined_projections,
)
from .checks import indices_below
from .twinsblocks import ConditionalPositionEncoding, LocalAttention, TwinsBlock
from .weights import State, load_pretrained

_FOLDER = "https://github.com/SegmentationBLWX/modelstore/releases/download/ssseg_twins"
_DEPTHS = {
    "pcpvt_small": (3, 4, 6, 3),
    "pcpvt_base": (3, 4, 18, 3),
    "pcpvt_large": (3, 8, 27, 3),
    "svt_small": (2, 2, 10, 4),
    "svt_base": (2, 2, 18, 2),
    "svt_large": (2, 2, 18, 2),
}
_SVT_WIDTHS = {"svt_small": (64, 128, 256, 512), "svt_base": (96, 192, 384, 768), "svt_large": (128, 256, 512, 1024)}
# Copies of the authors', trained on ImageNet-1k; Apache-2.0.
DEFAULT_MODEL_URLS = {name: f"{_FOLDER}/{name.replace('svt', 'alt_gvt')}.pth" for name in _DEPTHS}
AUTO_ASSERT_STRUCTURE_TYPES = {
    name: {"depths": depths, "embed_dims": _SVT_WIDTHS.get(name, (64, 128, 320, 512))}
    for name, depths in _DEPTHS.items()
}


def convert_twins(state: State) -> State:
    """Name the entries of the authors' files as ours."""
    rules = (
        (r"^(patch_embeds\.\d)\.proj\.", r"\1.projection."),
        (r"^blocks\.", "layers."),
        (r"\.mlp\.fc1\.", ".ffn.layers.0.0."),
        (r"\.mlp\.fc2\.", ".ffn.layers.1."),
        (r"^pos_block\.(\d)\.proj\.0\.", r"position_encodings.\1.proj."),
    )
    return with_joined_projections(renamed(state, rules))


class PCPVT(nn.Module):
    """Pyramid vision transformer whose positions come from convolutions.

    Paper: Chu et al., "Twins: Revisiting the Design of Spatial Attention in Vision Transformers", NeurIPS 2021,
    arXiv:2104.13840, section 3.1.

    Args:
        structure_type: names the pretrained weights, a key of `DEFAULT_MODEL_URLS`.
        in_channels: of the images.
        embed_dims, patch_sizes, strides, num_heads, depths: of each stage.
        mlp_ratios: of each stage, hidden width of the perceptrons over that of the tokens.
        sr_ratios: of each stage, by what the map is divided that tokens attend to.
        out_indices: which stages to return.
        drop_rate, attn_drop_rate: dropout of tokens and of attention.
        drop_path_rate: of the last block; it rises linearly from 0 at the first.
        norm_after_stage: normalize the map of each stage.
        windiow_sizes: of each stage, for the attention of its first, third, ... block; None means no windows. Published
            configs spell it so.
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
        embed_dims: Sequence[int] = (64, 128, 320, 512),
        patch_sizes: Sequence[int] = (4, 2, 2, 2),
        strides: Sequence[int] = (4, 2, 2, 2),
        num_heads: Sequence[int] = (1, 2, 5, 8),
        mlp_ratios: Sequence[float] = (8, 8, 4, 4),
        out_indices: Sequence[int] = (0, 1, 2, 3),
        qkv_bias: bool = True,
        drop_rate: float = 0.0,
        attn_drop_rate: float = 0.0,
        drop_path_rate: float = 0.0,
        norm_cfg: Mapping[str, Any] | None = {"type": "LayerNorm"},
        act_cfg: Mapping[str, Any] | None = {"type": "GELU"},
        depths: Sequence[int] = (3, 4, 6, 3),
        sr_ratios: Sequence[int] = (8, 4, 2, 1),
        norm_after_stage: bool = False,
        windiow_sizes: Sequence[int] | None = None,
        pretrained: bool = True,
        pretrained_model_path: str | None = "",
    ):
        super().__init__()
        self.structure_type, self.depths, self.embed_dims = structure_type, tuple(depths), tuple(embed_dims)
        self.out_indices = indices_below(len(depths), out_indices)
        widths = (in_channels, *embed_dims)
        self.patch_embeds = nn.ModuleList(
            PatchEmbed(widths[i], widths[i + 1], patch_sizes[i], strides[i], norm_cfg=norm_cfg)
            for i in range(len(depths))
        )
        self.position_encodings = nn.ModuleList(map(ConditionalPositionEncoding, embed_dims))
        self.patch_drop = nn.Dropout(drop_rate)
        rates = iter(drop_path_rates(drop_path_rate, sum(depths)))
        self.layers = nn.ModuleList()
        for i, width in enumerate(embed_dims):
            shared: dict[str, Any] = {"attn_drop": attn_drop_rate, "proj_drop": drop_rate, "bias": qkv_bias}
            blocks = nn.ModuleList()
            for j in range(depths[i]):
                attention = (
                    LocalAttention(width, num_heads[i], windiow_sizes[i], **shared)
                    if windiow_sizes and j % 2 == 0
                    else SpatialReductionAttention(
                        width, num_heads[i], sr_ratio=sr_ratios[i], norm_cfg=norm_cfg, **shared
                    )
                )
                hidden = int(mlp_ratios[i] * width)
                blocks.append(
                    TwinsBlock(width, attention, hidden, next(rates), drop_rate, norm_cfg=norm_cfg, act_cfg=act_cfg)
                )
            self.layers.append(blocks)
        if norm_after_stage:
            self.norm_list = nn.ModuleList(build_token_norm(width, norm_cfg) for width in embed_dims)
        self.out_channels = tuple(embed_dims[i] for i in self.out_indices)
        if pretrained:
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls=DEFAULT_MODEL_URLS,
                built_as=AUTO_ASSERT_STRUCTURE_TYPES,
                convert=convert_twins,
                input_key="patch_embeds.0.projection.weight",
                unused=("norm.", "head."),  # the classifier's
                new=("norm_list.",),
            )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # (N, C, H, W)
        maps = []
        for i, blocks in enumerate(self.layers):
            x, size = self.patch_embeds[i](x)
            x = self.patch_drop(x)
            for j, block in enumerate(blocks.children()):
                x = block(x, size)
                if j == 0:
                    x = self.position_encodings[i](x, size)
            if hasattr(self, "norm_list"):
                x = self.norm_list[i](x)
            x = map_of(x, size)
            maps.append(x)
        return tuple(maps[i] for i in self.out_indices)


class SVT(PCPVT):
    """PCPVT whose blocks attend in turn within windows and to all of a reduced map.

    Paper: Chu et al., "Twins: Revisiting the Design of Spatial Attention in Vision Transformers", NeurIPS 2021,
    arXiv:2104.13840, section 3.2.

    The arguments, shapes and errors are those of `PCPVT`.
    """

    def __init__(
        self,
        structure_type: str,
        in_channels: int = 3,
        embed_dims: Sequence[int] = (64, 128, 256, 512),
        patch_sizes: Sequence[int] = (4, 2, 2, 2),
        strides: Sequence[int] = (4, 2, 2, 2),
        num_heads: Sequence[int] = (2, 4, 8, 16),
        mlp_ratios: Sequence[float] = (4, 4, 4, 4),
        out_indices: Sequence[int] = (0, 1, 2, 3),
        qkv_bias: bool = True,
        drop_rate: float = 0.0,
        attn_drop_rate: float = 0.0,
        drop_path_rate: float = 0.2,
        norm_cfg: Mapping[str, Any] | None = {"type": "LayerNorm"},
        act_cfg: Mapping[str, Any] | None = {"type": "GELU"},
        depths: Sequence[int] = (2, 2, 10, 4),
        sr_ratios: Sequence[int] = (8, 4, 2, 1),
        norm_after_stage: bool = True,
        windiow_sizes: Sequence[int] = (7, 7, 7, 7),
        pretrained: bool = True,
        pretrained_model_path: str | None = "",
    ):
        super().__init__(
            structure_type,
            in_channels,
            embed_dims,
            patch_sizes,
            strides,
            num_heads,
            mlp_ratios,
            out_indices,
            qkv_bias,
            drop_rate,
            attn_drop_rate,
            drop_path_rate,
            norm_cfg,
            act_cfg,
            depths,
            sr_ratios,
            norm_after_stage,
            windiow_sizes,
            pretrained,
            pretrained_model_path,
        )
