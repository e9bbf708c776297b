"""Blocks of Hiera: attention in windows whose queries may be pooled. Maps are (N, H, W, C) here."""

from collections.abc import Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from .bricks import BuildDropout
from .bricks.transformer import MLP, attend, build_token_norm, join_windows, split_windows


def max_pool(x: Tensor, stride: int) -> Tensor:
    """Return the largest value in every stride x stride places of (N, H, W, C); a smaller rest counts as well."""
    if stride == 1:
        return x
    return F.max_pool2d(x.permute(0, 3, 1, 2), stride, stride, ceil_mode=True).permute(0, 2, 3, 1)


def _pad(x: Tensor, height: int, width: int) -> Tensor:
    """Return (N, height, width, C): zeros at the right and bottom of (N, H, W, C)."""
    return F.pad(x, (0, 0, 0, width - x.shape[2], 0, height - x.shape[1]))


class PooledWindowAttention(nn.Module):
    """Self-attention in windows, or of the whole map; with pooled queries the result is a smaller map.

    Paper: Ryali et al., "Hiera: A Hierarchical Vision Transformer without the Bells-and-Whistles", ICML 2023,
    arXiv:2306.00989, section 3; Bolya et al., "Window Attention is Bugged", arXiv:2311.05613.

    Args:
        window: side of the windows, a multiple of `stride`; 0 attends to the whole map.
        stride: of the pooling of queries.
    """

    def __init__(self, in_channels: int, out_channels: int, num_heads: int, window: int, stride: int):
        super().__init__()
        self.num_heads, self.window, self.stride = num_heads, window, stride
        self.qkv = nn.Linear(in_channels, 3 * out_channels)
        self.proj = nn.Linear(out_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:  # (N, H, W, in_channels)
        h, w = x.shape[1:3]
        padded_h, padded_w = (-(-length // self.window) * self.window if self.window else length for length in (h, w))
        q, k, v = self.qkv(_pad(x, padded_h, padded_w)).chunk(3, dim=-1)  # zeros are attended to, as in training
        q = max_pool(q[:, :h, :w], self.stride)
        h, w = q.shape[1:3]
        if not self.window:
            tokens = attend(q.flatten(1, 2), k.flatten(1, 2), v.flatten(1, 2), num_heads=self.num_heads)
            return self.proj(tokens.unflatten(1, (h, w)))
        small_h, small_w, window = padded_h // self.stride, padded_w // self.stride, self.window // self.stride
        n = len(x)
        q, k, v = (
            split_windows(y.permute(0, 3, 1, 2), side).flatten(0, 1)  # (N * windows, side * side, out_channels)
            for y, side in ((_pad(q, small_h, small_w), window), (k, self.window), (v, self.window))
        )
        windows = attend(q, k, v, num_heads=self.num_heads).unflatten(0, (n, -1))
        joined = join_windows(windows, (small_h, small_w)).permute(0, 2, 3, 1)
        return self.proj(joined[:, :h, :w])


class HieraBlock(nn.Module):
    """Attention and a perceptron, each after a normalization and added to its input.

    Where the width changes, the input that attention is added to is the normalized one, projected and pooled.

    Args:
        window, stride: see `PooledWindowAttention`.
        drop_path: probability of leaving a sample out.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_heads: int,
        window: int,
        stride: int,
        drop_path: float,
        *,
        mlp_ratio: float,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()  # the order of the next lines is that of the entries in published checkpoints
        self.stride = stride
        self.norm1 = build_token_norm(in_channels, norm_cfg)
        self.attn = PooledWindowAttention(in_channels, out_channels, num_heads, window, stride)
        self.drop_path = BuildDropout({"type": "DropPath", "drop_prob": drop_path})
        self.norm2 = build_token_norm(out_channels, norm_cfg)
        self.mlp = MLP(out_channels, int(mlp_ratio * out_channels), out_channels, 2, act_cfg=act_cfg)
        self.proj = nn.Linear(in_channels, out_channels) if in_channels != out_channels else None

    def forward(self, x: Tensor) -> Tensor:  # (N, H, W, in_channels)
        normed = self.norm1(x)
        if self.proj is not None:
            x = max_pool(self.proj(normed), self.stride)
        x = x + self.drop_path(self.attn(normed))
        return x + self.drop_path(self.mlp(self.norm2(x)))  # (N, H / stride, W / stride, out_channels)
