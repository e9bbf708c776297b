"""What PCPVT and SVT are made of."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .bricks import BuildDropout
from .bricks.transformer import (
    FFN,
    Size,
    attend_in_windows,
    build_token_norm,
    join_windows,
    map_of,
    mask_between_regions,
    pad_to_fit,
    split_windows,
    tokens_of,
)


class LocalAttention(nn.Module):
    """Attention in windows of a map that is padded with zeros at the right and bottom until they fit.

    Paper: Chu et al., "Twins", NeurIPS 2021, arXiv:2104.13840, section 3.2.
    """

    def __init__(
        self, embed_dims: int, num_heads: int, window_size: int, *, bias: bool, attn_drop: float, proj_drop: float
    ):
        super().__init__()
        self.num_heads, self.window_size, self.attn_drop = num_heads, window_size, attn_drop
        self.qkv = nn.Linear(embed_dims, 3 * embed_dims, bias=bias)
        self.proj = nn.Linear(embed_dims, embed_dims)
        self.proj_drop = nn.Dropout(proj_drop)

    def forward(self, x: Tensor, size: Size) -> Tensor:  # (N, h * w, C)
        x = pad_to_fit(map_of(x, size), self.window_size, self.window_size)
        padded: Size = (x.shape[2], x.shape[3])
        qkv = self.qkv(split_windows(x, self.window_size))
        dropout = self.attn_drop * self.training
        x = attend_in_windows(qkv, self.num_heads, self.mask(size, padded, x.device), dropout=dropout)
        return self.proj_drop(self.proj(tokens_of(join_windows(x, padded)[:, :, : size[0], : size[1]])))

    def mask(self, size: Size, padded: Size, device: torch.device) -> Tensor | None:
        """Return what keeps padding and map apart; None where only one side or none is padded.

        The authors' code, with which published weights were trained, lets the tokens attend to padding then.
        """
        if padded[0] == size[0] or padded[1] == size[1]:
            return None
        rows, columns = (
            torch.arange(length, device=device) >= given for length, given in zip(padded, size, strict=True)
        )
        return mask_between_regions((rows[:, None] | columns).int(), self.window_size)


class TwinsBlock(nn.Module):
    """Attention and a perceptron, each after a normalization and added to its input.

    Paper: Chu et al., "Twins", NeurIPS 2021, arXiv:2104.13840, section 3.
    """

    def __init__(
        self,
        embed_dims: int,
        attention: nn.Module,
        hidden_dims: int,
        drop_path: float,
        drop: float,
        *,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()  # the order of the next lines is that of the entries in published checkpoints
        self.norm1 = build_token_norm(embed_dims, norm_cfg)
        self.attn = attention
        self.norm2 = build_token_norm(embed_dims, norm_cfg)
        self.ffn = FFN(embed_dims, hidden_dims, dropout=drop, act_cfg=act_cfg)
        self.drop_path = BuildDropout({"type": "DropPath", "drop_prob": drop_path})

    def forward(self, x: Tensor, size: Size) -> Tensor:  # (N, h * w, C)
        x = x + self.drop_path(self.attn(self.norm1(x), size))
        return x + self.drop_path(self.ffn(self.norm2(x)))


class ConditionalPositionEncoding(nn.Module):
    """Adds to each channel of a map its 3x3 convolution, which tells positions apart at the zeros of the border.

    Paper: Chu et al., "Conditional Positional Encodings for Vision Transformers", ICLR 2023, arXiv:2102.10882.
    """

    def __init__(self, embed_dims: int):
        super().__init__()
        self.proj = nn.Conv2d(embed_dims, embed_dims, 3, padding=1, groups=embed_dims)

    def forward(self, x: Tensor, size: Size) -> Tensor:  # (N, h * w, C)
        return x + tokens_of(self.proj(map_of(x, size)))
