from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .bricks import BuildDropout
from .bricks.transformer import (
    FFN,
    PatchEmbed,
    ShiftedWindowAttention,
    Size,
    WindowAttention,
    build_token_norm,
    drop_path_rates,
    map_of,
    pad_to_fit,
    resize_positions,
    run_block,
)
from .checks import indices_below
from .swinweights import AUTO_ASSERT_STRUCTURE_TYPES, DEFAULT_MODEL_URLS, convert_swin, fit_position_tables
from .weights import load_pretrained


class PatchMerging(nn.Module):
    """Joins the channels of 2 x 2 positions and projects them to half as many.

    Paper: Liu et al., "Swin Transformer", ICCV 2021, arXiv:2103.14030, section 3.1.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, norm_cfg: Mapping[str, Any] | None):
        super().__init__()
        self.stride = stride
        self.norm = build_token_norm(4 * in_channels, norm_cfg)
        self.reduction = nn.Linear(4 * in_channels, out_channels, bias=False)

    def forward(self, x: Tensor, size: Size) -> tuple[Tensor, Size]:  # (N, h * w, C)
        """Return tokens (N, h' * w', out_channels) and (h', w')."""
        x = pad_to_fit(map_of(x, size), 2, self.stride)
        h, w = ((length - 2) // self.stride + 1 for length in x.shape[2:])
        return self.reduction(self.norm(F.unfold(x, 2, stride=self.stride).transpose(1, 2))), (h, w)


class SwinBlock(nn.Module):
    """Attention in windows and a perceptron, each after a normalization and added to its input.

    Paper: Liu et al., "Swin Transformer", ICCV 2021, arXiv:2103.14030, section 3.1 and figure 3b.

    Args:
        shifted: shift the windows by half their size.
        drop_path: probability of leaving a sample out.
    """

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        mlp_ratio: float,
        window_size: int,
        shifted: bool,
        drop_path: float,
        *,
        qkv_bias: bool,
        qk_scale: float | None,
        attn_drop: float,
        drop: float,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()  # the order of the next lines is that of the entries in published checkpoints
        attention = WindowAttention(
            embed_dims,
            num_heads,
            window_size,
            qkv_bias=qkv_bias,
            qk_scale=qk_scale,
            attn_drop=attn_drop,
            proj_drop=drop,
        )
        self.norm1 = build_token_norm(embed_dims, norm_cfg)
        self.attn = ShiftedWindowAttention(attention, window_size, window_size // 2 if shifted else 0)
        self.drop_path = BuildDropout({"type": "DropPath", "drop_prob": drop_path})
        self.norm2 = build_token_norm(embed_dims, norm_cfg)
        self.ffn = FFN(embed_dims, int(mlp_ratio * embed_dims), dropout=drop, act_cfg=act_cfg)

    def forward(self, x: Tensor, size: Size) -> Tensor:  # (N, h * w, C)
        x = x + self.drop_path(self.attn(self.norm1(x), size))
        return x + self.drop_path(self.ffn(self.norm2(x)))


class SwinStage(nn.Module):
    """Blocks, every other of them shifted, and what shrinks their map; that is None in the last stage."""

    def __init__(self, blocks: Sequence[nn.Module], downsample: PatchMerging | None, use_checkpoint: bool):
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.downsample = downsample
        self.use_checkpoint = use_checkpoint

    def forward(self, x: Tensor, size: Size) -> tuple[Tensor, Tensor, Size]:  # (N, h * w, C)
        """Return the blocks' tokens, and those for the next stage with their (h', w')."""
        for block in self.blocks:
            x = run_block(block, x, size, use_checkpoint=self.use_checkpoint)
        return x, *((x, size) if self.downsample is None else self.downsample(x, size))


class SwinTransformer(nn.Module):
    """Vision transformer whose attention stays in windows, with a pyramid of four maps.

    Paper: Liu et al., "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows", ICCV 2021,
    arXiv:2103.14030.

    Args:
        structure_type: names the pretrained weights, a key of `DEFAULT_MODEL_URLS`.
        pretrain_img_size: side, or height and width, of the images for which `use_abs_pos_embed` has positions; those
            of other sizes are interpolated.
        in_channels: of the images.
        embed_dims: width of the first stage; each next one is twice as wide.
        patch_size, strides: of the patches, and by what the map is divided before each stage.
        mlp_ratio: hidden width of the perceptrons, over that of the tokens.
        depths, num_heads: blocks and heads of each stage.
        out_indices: which stages to return.
        qk_scale: see `WindowAttention`.
        patch_norm: normalize patches and merged patches.
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
        pretrain_img_size: int | Sequence[int] = 224,
        in_channels: int = 3,
        embed_dims: int = 96,
        patch_size: int = 4,
        window_size: int = 7,
        mlp_ratio: float = 4,
        depths: Sequence[int] = (2, 2, 6, 2),
        num_heads: Sequence[int] = (3, 6, 12, 24),
        strides: Sequence[int] = (4, 2, 2, 2),
        out_indices: Sequence[int] = (0, 1, 2, 3),
        qkv_bias: bool = True,
        qk_scale: float | None = None,
        patch_norm: bool = True,
        drop_rate: float = 0.0,
        attn_drop_rate: float = 0.0,
        drop_path_rate: float = 0.1,
        use_abs_pos_embed: bool = False,
        act_cfg: Mapping[str, Any] | None = {"type": "GELU"},
        norm_cfg: Mapping[str, Any] | None = {"type": "LayerNorm"},
        use_checkpoint: bool = False,
        pretrained: bool = True,
        pretrained_model_path: str | None = "",
    ):
        super().__init__()
        self.embed_dims, self.depths, self.num_heads = embed_dims, tuple(depths), tuple(num_heads)
        self.structure_type, self.window_size = structure_type, window_size
        self.out_indices = indices_below(len(depths), out_indices)
        patch_norm_cfg = norm_cfg if patch_norm else None
        self.patch_embed = PatchEmbed(in_channels, embed_dims, patch_size, strides[0], norm_cfg=patch_norm_cfg)
        sides = [pretrain_img_size] * 2 if isinstance(pretrain_img_size, int) else pretrain_img_size
        self.positions: Size = (sides[0] // patch_size, sides[1] // patch_size)
        if use_abs_pos_embed:
            self.absolute_pos_embed = nn.Parameter(torch.zeros(1, self.positions[0] * self.positions[1], embed_dims))
        self.drop_after_pos = nn.Dropout(drop_rate)
        rates = iter(drop_path_rates(drop_path_rate, sum(depths)))
        widths = [embed_dims * 2**i for i in range(len(depths))]
        self.stages = nn.ModuleList()
        for i, depth in enumerate(depths):
            blocks = [
                SwinBlock(
                    widths[i],
                    num_heads[i],
                    mlp_ratio,
                    window_size,
                    shifted=j % 2 == 1,
                    drop_path=next(rates),
                    qkv_bias=qkv_bias,
                    qk_scale=qk_scale,
                    attn_drop=attn_drop_rate,
                    drop=drop_rate,
                    norm_cfg=norm_cfg,
                    act_cfg=act_cfg,
                )
                for j in range(depth)
            ]
            last = i == len(depths) - 1
            merging = None if last else PatchMerging(widths[i], widths[i + 1], strides[i + 1], patch_norm_cfg)
            self.stages.append(SwinStage(blocks, merging, use_checkpoint))
        for i in self.out_indices:
            self.add_module(f"norm{i}", build_token_norm(widths[i], norm_cfg))
        self.out_channels = tuple(widths[i] for i in self.out_indices)
        if pretrained:
            own = self.state_dict()
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls=DEFAULT_MODEL_URLS,
                built_as=AUTO_ASSERT_STRUCTURE_TYPES,
                convert=lambda state: fit_position_tables(convert_swin(state), own, self.positions),
                input_key="patch_embed.projection.weight",
                unused=("norm.", "head."),  # the classifier's
                new=(
                    *(f"norm{i}." for i in self.out_indices),
                    *(key for key in own if key.endswith("relative_position_index")),
                ),
            )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # (N, C, H, W)
        x, size = self.patch_embed(x)
        if hasattr(self, "absolute_pos_embed"):
            x = x + resize_positions(self.absolute_pos_embed, self.positions, size, "bicubic")
        x = self.drop_after_pos(x)
        maps = {}
        for i, stage in enumerate(self.stages):
            tokens, x, next_size = stage(x, size)
            if i in self.out_indices:
                maps[i] = map_of(getattr(self, f"norm{i}")(tokens), size)
            size = next_size
        return tuple(maps[i] for i in self.out_indices)
