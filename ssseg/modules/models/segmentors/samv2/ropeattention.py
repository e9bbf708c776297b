import torch
import torch.nn.functional as F
from torch import Tensor, nn


def rotation_angles(side: int, channels: int, theta: float, device: torch.device) -> Tensor:
    """Return the angle by which each pair of channels is turned at each place of a square grid, row by row.

    The first half of the pairs tells the column, the second half the row.

    Paper: Heo et al., "Rotary Position Embedding for Vision Transformer", ECCV 2024, arXiv:2403.13298, section 3.2.

    Args:
        channels: of a head, a multiple of 4.

    Returns:
        (side * side, channels / 2)
    """
    frequency = theta ** -(torch.arange(0, channels, 4, device=device, dtype=torch.float32) / channels)
    place = torch.arange(side * side, device=device)
    axes = (place % side, place // side)
    return torch.cat([axis.float()[:, None] * frequency for axis in axes], dim=1)


def rotate(x: Tensor, angles: Tensor) -> Tensor:
    """Turn each pair of neighbouring channels of (..., L, C) by its angle, (L, C / 2)."""
    a, b = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    cos, sin = angles.cos(), angles.sin()
    return torch.stack([a * cos - b * sin, a * sin + b * cos], dim=-1).flatten(-2).to(x.dtype)


class RoPEAttention(nn.Module):
    """Attention whose queries and keys are turned by their place, so that their product tells the offset.

    Paper: Ravi et al., "SAM 2", arXiv:2408.00714, section 4 and appendix D.1, memory attention.

    Args:
        downsample_rate: the channels that attend are fewer by this factor.
        dropout: share of the weights that is dropped while training.
        kv_in_dim: channels of keys and values; None means `embedding_dim`.
        rope_theta: the longest wavelength, in places, over 2 pi.
        rope_k_repeat, feat_sizes: not needed; the grid is that of the queries, and repeats for every map of keys.
    """

    def __init__(
        self,
        embedding_dim: int,
        num_heads: int,
        downsample_rate: int = 1,
        dropout: float = 0.0,
        kv_in_dim: int | None = None,
        rope_theta: float = 10000.0,
        rope_k_repeat: bool = False,
        feat_sizes: tuple[int, int] = (32, 32),
    ):
        super().__init__()
        inner = embedding_dim // downsample_rate
        self.num_heads, self.dropout, self.theta = num_heads, dropout, rope_theta
        self.q_proj = nn.Linear(embedding_dim, inner)
        self.k_proj = nn.Linear(kv_in_dim or embedding_dim, inner)
        self.v_proj = nn.Linear(kv_in_dim or embedding_dim, inner)
        self.out_proj = nn.Linear(inner, embedding_dim)

    def forward(self, q: Tensor, k: Tensor, v: Tensor, num_unplaced: int = 0) -> Tensor:
        """Return (N, L, embedding_dim).

        Args:
            q: (N, L, embedding_dim), a square map, row by row.
            k, v: (N, S, kv_in_dim), one or more maps of that size, then `num_unplaced` tokens that have no place.
        """
        q, k, v = (
            projection(x).unflatten(2, (self.num_heads, -1)).transpose(1, 2)  # (N, heads, L or S, channels)
            for projection, x in ((self.q_proj, q), (self.k_proj, k), (self.v_proj, v))
        )
        length = q.shape[2]
        angles = rotation_angles(round(length**0.5), q.shape[3], self.theta, q.device)
        placed, unplaced = k.split([k.shape[2] - num_unplaced, num_unplaced], dim=2)
        placed = rotate(placed.unflatten(2, (-1, length)), angles).flatten(2, 3)
        k = torch.cat([placed, unplaced], dim=2) if num_unplaced else placed
        x = F.scaled_dot_product_attention(rotate(q, angles), k, v, dropout_p=self.dropout * self.training)
        return self.out_proj(x.transpose(1, 2).flatten(2))
