from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...utils.errors import ConfigError
from .bricks import BuildActivation, BuildNormalization
from .bricks.normalization.layernorm import LayerNorm2d
from .bricks.transformer import Size, join_windows, pad_to_fit, resize_positions, run_block, split_windows
from .bricks.transformer.decomposedpositions import attend_with_positions
from .checks import indices_below


class MLPBlock(nn.Module):
    """Two linear layers with an activation between them, at each token."""

    def __init__(self, embedding_dim: int, mlp_dim: int, act_cfg: Mapping[str, Any] | None):
        super().__init__()
        self.lin1 = nn.Linear(embedding_dim, mlp_dim)
        self.lin2 = nn.Linear(mlp_dim, embedding_dim)
        self.act = BuildActivation(act_cfg)

    def forward(self, x: Tensor) -> Tensor:  # (..., embedding_dim)
        return self.lin2(self.act(self.lin1(x)))


class PositionedAttention(nn.Module):
    """Attention within maps, with learnt biases for the vertical and the horizontal distance.

    Paper: Li et al., "Exploring Plain Vision Transformer Backbones for Object Detection", ECCV 2022, arXiv:2203.16527,
    appendix A; the biases: Li et al., "MViTv2", CVPR 2022, arXiv:2112.01526, section 4.1.

    Args:
        input_size: (h, w) of the maps that the tables of biases are for; other maps take interpolated ones.
    """

    def __init__(self, dim: int, num_heads: int, qkv_bias: bool, use_rel_pos: bool, input_size: Size):
        super().__init__()
        self.num_heads, self.use_rel_pos = num_heads, use_rel_pos
        if use_rel_pos:
            self.rel_pos_h = nn.Parameter(torch.zeros(2 * input_size[0] - 1, dim // num_heads))
            self.rel_pos_w = nn.Parameter(torch.zeros(2 * input_size[1] - 1, dim // num_heads))
        self.qkv = nn.Linear(dim, 3 * dim, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, size: Size) -> Tensor:  # (N, h * w, C), size (h, w)
        qkv = self.qkv(x).unflatten(2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)  # (3, N, heads, L, d)
        if self.use_rel_pos:
            q, k, v = qkv.flatten(1, 2).unbind(0)  # each (N * heads, L, d)
            y = attend_with_positions(q, k, v, self.rel_pos_h, self.rel_pos_w, size)
            y = y.unflatten(0, (len(x), self.num_heads))
        else:
            q, k, v = qkv.unbind(0)
            y = F.scaled_dot_product_attention(q, k, v)
        return self.proj(y.transpose(1, 2).flatten(2))


class SAMBlock(nn.Module):
    """Attention, in windows or within the whole map, and a perceptron, each after a normalization and added.

    Paper: Li et al., "Exploring Plain Vision Transformer Backbones for Object Detection", ECCV 2022, arXiv:2203.16527,
    section 3.

    Args:
        window_size: 0 means the whole map.
        input_size: (h, w) of the map.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        mlp_ratio: float,
        *,
        qkv_bias: bool,
        use_rel_pos: bool,
        window_size: int,
        input_size: Size,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()  # the order of the next lines is that of the entries in published checkpoints
        attended = (window_size, window_size) if window_size else input_size
        self.norm1 = BuildNormalization(placeholder=dim, norm_cfg=norm_cfg)
        self.attn = PositionedAttention(dim, num_heads, qkv_bias, use_rel_pos, attended)
        self.norm2 = BuildNormalization(placeholder=dim, norm_cfg=norm_cfg)
        self.mlp = MLPBlock(dim, int(dim * mlp_ratio), act_cfg)
        self.window_size = window_size

    def forward(self, x: Tensor) -> Tensor:  # (N, h, w, C)
        x = x + self.attend(self.norm1(x))
        return x + self.mlp(self.norm2(x))

    def attend(self, x: Tensor) -> Tensor:
        """Return what each place of (N, h, w, C) finds, in its window or anywhere."""
        n, h, w, _ = x.shape
        window = self.window_size
        if not window:
            return self.attn(x.flatten(1, 2), (h, w)).unflatten(1, (h, w))
        padded = pad_to_fit(x.permute(0, 3, 1, 2), window, window)
        tokens = self.attn(split_windows(padded, window).flatten(0, 1), (window, window)).unflatten(0, (n, -1))
        joined = join_windows(tokens, (padded.shape[2], padded.shape[3]))
        return joined[:, :, :h, :w].permute(0, 2, 3, 1)


class PatchGrid(nn.Module):
    """Embeds patches (N, C, H, W) as a map (N, h, w, embed_dim); the last ones are filled up with zeros."""

    def __init__(self, in_channels: int, embed_dim: int, patch_size: int):
        super().__init__()
        self.proj = nn.Conv2d(in_channels, embed_dim, patch_size, stride=patch_size)

    def forward(self, x: Tensor) -> Tensor:
        size = self.proj.kernel_size[0]
        return self.proj(pad_to_fit(x, size, size)).permute(0, 2, 3, 1)


class SAMViT(nn.Module):
    """Plain vision transformer, most blocks of which attend in windows: the image encoder of SAM.

    Papers: Kirillov et al., "Segment Anything", ICCV 2023, arXiv:2304.02643, appendix A; Li et al., "Exploring Plain
    Vision Transformer Backbones for Object Detection", ECCV 2022, arXiv:2203.16527.

    Args:
        img_size: side of the images that positions are for; those of other sizes are interpolated.
        in_channels: of the images.
        mlp_ratio: hidden width of the perceptrons, over that of the tokens.
        out_chans: width of the result.
        use_abs_pos, use_rel_pos: learn positions, and biases for distances.
        window_size: of the attention; 0 means that all blocks attend to the whole map.
        global_attn_indexes: the blocks that attend to the whole map, from 0.
        use_checkpoint: save memory in training by computing each block twice.

    Shape:
        (N, in_channels, H, W) to (N, out_chans, H / patch_size, W / patch_size), rounded up. With
        `return_interm_embeddings` also the outputs of the blocks that attend to the whole map, a list of (N, h, w,
        embed_dim).

    Raises:
        ConfigError: there is no such block, or the heads do not share out the width.
    """

    def __init__(
        self,
        img_size: int = 1024,
        patch_size: int = 16,
        in_channels: int = 3,
        embed_dim: int = 768,
        depth: int = 12,
        num_heads: int = 12,
        mlp_ratio: float = 4,
        out_chans: int = 256,
        qkv_bias: bool = True,
        norm_cfg: Mapping[str, Any] | None = {"type": "LayerNorm", "eps": 1e-6},
        act_cfg: Mapping[str, Any] | None = {"type": "GELU"},
        use_abs_pos: bool = True,
        use_rel_pos: bool = False,
        window_size: int = 0,
        global_attn_indexes: Sequence[int] = (),
        use_checkpoint: bool = False,
    ):
        super().__init__()
        if embed_dim % num_heads:
            raise ConfigError(
                f"SEGMENTOR_CFG['backbone']['num_heads']: {num_heads} heads do not share out embed_dim={embed_dim}."
            )
        self.img_size, self.patch_size, self.use_checkpoint = img_size, patch_size, use_checkpoint
        self.global_attn_indexes = indices_below(depth, global_attn_indexes, "global_attn_indexes")
        self.grid: Size = (img_size // patch_size, img_size // patch_size)
        self.pos_embed = nn.Parameter(torch.zeros(1, *self.grid, embed_dim)) if use_abs_pos else None
        self.patch_embed = PatchGrid(in_channels, embed_dim, patch_size)
        self.blocks = nn.ModuleList(
            SAMBlock(
                embed_dim,
                num_heads,
                mlp_ratio,
                qkv_bias=qkv_bias,
                use_rel_pos=use_rel_pos,
                window_size=0 if i in self.global_attn_indexes else window_size,
                input_size=self.grid,
                norm_cfg=norm_cfg,
                act_cfg=act_cfg,
            )
            for i in range(depth)
        )
        self.neck = build_neck(embed_dim, out_chans)
        self.out_channels = (out_chans,)
        self.interm_channels = embed_dim if any(block.window_size == 0 for block in self.blocks) else None

    def forward(self, x: Tensor, return_interm_embeddings: bool = False) -> Any:  # (N, C, H, W)
        x = self.patch_embed(x)
        if self.pos_embed is not None:
            size = (x.shape[1], x.shape[2])
            x = x + resize_positions(self.pos_embed.flatten(1, 2), self.grid, size, "bicubic").unflatten(1, size)
        whole = []
        for block in self.blocks:
            x = run_block(block, x, use_checkpoint=self.use_checkpoint)
            if block.window_size == 0:
                whole.append(x)
        x = self.neck(x.permute(0, 3, 1, 2))
        return (x, whole) if return_interm_embeddings else x


def build_neck(in_channels: int, out_channels: int) -> nn.Sequential:
    """Build what ends the image encoders of the SAM family: a 1x1 and a 3x3 convolution, each normalized."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 1, bias=False),
        LayerNorm2d(out_channels, eps=1e-6),
        nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
        LayerNorm2d(out_channels, eps=1e-6),
    )
