from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from .padding import pad_to_fit
from .tokennorm import build_token_norm

Size = tuple[int, int]


class PatchEmbed(nn.Module):
    """Turns a map into tokens, one for each patch, row by row.

    Paper: Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021, arXiv:2010.11929, section 3.1.

    Args:
        patch_size, stride: of the convolution; patches overlap where the stride is smaller.
        padding: of the convolution; None pads at the right and bottom until every pixel is in a patch.
    """

    def __init__(
        self,
        in_channels: int,
        embed_dims: int,
        patch_size: int,
        stride: int,
        *,
        padding: int | None = None,
        bias: bool = True,
        norm_cfg: Mapping[str, Any] | None = None,
    ):
        super().__init__()
        self.pads_to_fit = padding is None
        self.projection = nn.Conv2d(in_channels, embed_dims, patch_size, stride, padding or 0, bias=bias)
        self.norm = build_token_norm(embed_dims, norm_cfg)

    def forward(self, x: Tensor) -> tuple[Tensor, Size]:
        """Return tokens (N, h * w, embed_dims) of (N, C, H, W), and (h, w)."""
        if self.pads_to_fit:
            x = pad_to_fit(x, self.projection.kernel_size[0], self.projection.stride[0])
        x = self.projection(x)  # (N, embed_dims, h, w)
        return self.norm(tokens_of(x)), (x.shape[2], x.shape[3])


def tokens_of(x: Tensor) -> Tensor:
    """Return (N, h * w, C) of (N, C, h, w)."""
    return x.flatten(2).transpose(1, 2)


def map_of(tokens: Tensor, size: Size) -> Tensor:
    """Return (N, C, h, w) of (N, h * w, C)."""
    return tokens.transpose(1, 2).unflatten(2, size).contiguous()
