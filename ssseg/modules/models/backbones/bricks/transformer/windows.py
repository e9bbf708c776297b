"""Attention within windows, that may be shifted, of a map."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .padding import pad_to_fit
from .patchembed import Size, map_of, tokens_of
from .positions import relative_position_index


def split_windows(x: Tensor, window: int) -> Tensor:
    """Return (N, windows, window * window, C) of (N, C, h, w), whose sides are multiples of `window`."""
    n, channels, h, w = x.shape
    x = x.view(n, channels, h // window, window, w // window, window)
    return x.permute(0, 2, 4, 3, 5, 1).reshape(n, -1, window * window, channels)


def join_windows(windows: Tensor, size: Size) -> Tensor:
    """Return (N, C, h, w) of what `split_windows` returns."""
    n, _, area, channels = windows.shape
    side = round(area**0.5)
    x = windows.view(n, size[0] // side, size[1] // side, side, side, channels)
    return x.permute(0, 5, 1, 3, 2, 4).reshape(n, channels, *size)


def mask_between_regions(regions: Tensor, window: int) -> Tensor:
    """Return (windows, 1, L, L): -inf between tokens of a window that are in different regions, else 0.

    Args:
        regions: (h, w) integers; the sides are multiples of `window`.
    """
    inside = split_windows(regions[None, None], window)[0]  # (windows, L, 1)
    return torch.zeros((), device=regions.device).where(inside == inside.transpose(1, 2), -torch.inf)[:, None]


def attend_in_windows(
    qkv: Tensor, num_heads: int, mask: Tensor | None, scale: float | None = None, dropout: float = 0.0
) -> Tensor:
    """Return what each token finds in its window.

    Args:
        qkv: (N, windows, L, 3 * C), the queries' channels first.
        mask: added to the products: (1 or windows, 1 or heads, L, L).
        scale: of the products; None means one over the square root of a head's channels.

    Returns:
        (N, windows, L, C)
    """
    n, windows = qkv.shape[:2]
    q, k, v = qkv.unflatten(3, (3, num_heads, -1)).permute(3, 0, 1, 4, 2, 5)  # each (N, windows, heads, L, d)
    # Windows count as heads: a mask for each is then the same for all images, and is not copied for them.
    if mask is not None:
        mask = mask.to(q.dtype).expand(windows, num_heads, -1, -1).flatten(0, 1)[None].expand(n, -1, -1, -1)
    x = F.scaled_dot_product_attention(q.flatten(1, 2), k.flatten(1, 2), v.flatten(1, 2), mask, dropout, scale=scale)
    return x.unflatten(1, (windows, num_heads)).transpose(2, 3).flatten(3)


class WindowAttention(nn.Module):
    """Attention in each window, with a learnt bias for each offset and head.

    Paper: Liu et al., "Swin Transformer", ICCV 2021, arXiv:2103.14030, section 3.2.

    Args:
        qk_scale: of the products; None means one over the square root of a head's channels.
    """

    relative_position_index: Tensor

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        window_size: int,
        *,
        qkv_bias: bool = True,
        qk_scale: float | None = None,
        attn_drop: float = 0.0,
        proj_drop: float = 0.0,
    ):
        super().__init__()
        self.num_heads, self.scale, self.attn_drop = num_heads, qk_scale, attn_drop
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window_size - 1) ** 2, num_heads))
        self.register_buffer("relative_position_index", relative_position_index((window_size, window_size)))
        self.qkv = nn.Linear(embed_dims, 3 * embed_dims, bias=qkv_bias)
        self.proj = nn.Linear(embed_dims, embed_dims)
        self.proj_drop = nn.Dropout(proj_drop)

    def forward(self, windows: Tensor, mask: Tensor | None) -> Tensor:  # (N, windows, L, C)
        """Attend; `mask` (windows, 1, L, L) is added to the products."""
        bias = self.relative_position_bias_table[self.relative_position_index].permute(2, 0, 1)[None]
        both = bias if mask is None else bias + mask
        dropout = self.attn_drop * self.training
        x = attend_in_windows(self.qkv(windows), self.num_heads, both, self.scale, dropout)
        return self.proj_drop(self.proj(x))


class ShiftedWindowAttention(nn.Module):
    """Window attention on a map, padded with zeros until windows fit, and shifted by half a window or not.

    Paper: Liu et al., "Swin Transformer", ICCV 2021, arXiv:2103.14030, section 3.2 and figure 4.
    """

    def __init__(self, attention: WindowAttention, window_size: int, shift: int):
        super().__init__()
        self.w_msa, self.window_size, self.shift = attention, window_size, shift

    def forward(self, x: Tensor, size: Size) -> Tensor:  # (N, h * w, C)
        x = pad_to_fit(map_of(x, size), self.window_size, self.window_size)
        padded, mask = (x.shape[2], x.shape[3]), None
        if self.shift:
            x = x.roll((-self.shift, -self.shift), (2, 3))
            mask = self.mask(padded, x.device)
        x = join_windows(self.w_msa(split_windows(x, self.window_size), mask), padded)
        if self.shift:
            x = x.roll((self.shift, self.shift), (2, 3))
        return tokens_of(x[:, :, : size[0], : size[1]])

    def mask(self, size: Size, device: torch.device) -> Tensor:
        """Return (windows, 1, L, L): -inf between tokens that only the shift around the border made neighbours."""
        bands = []
        for length in size:
            places = torch.arange(length, device=device)
            bands.append((places >= length - self.window_size).int() + (places >= length - self.shift).int())
        return mask_between_regions(3 * bands[0][:, None] + bands[1], self.window_size)
