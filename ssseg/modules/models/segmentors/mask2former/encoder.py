import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...backbones.bricks.transformer import Size, map_of, tokens_of
from ..maskclassification import add_branch, init_xavier, sine_tokens
from .deformable import deformable_attention


class MultiScaleDeformableAttention(nn.Module):
    """Attention to a few places of each of several maps, that each token chooses around its own place.

    Paper: Zhu et al., "Deformable DETR", ICLR 2021, arXiv:2010.04159, section 4.1; the first offsets: appendix A.4.
    """

    def __init__(self, dim: int, num_maps: int, num_heads: int, num_points: int):
        super().__init__()  # the order of the next lines is that of the entries in published checkpoints
        self.shape = (num_heads, num_maps, num_points)
        self.value_proj = nn.Linear(dim, dim)
        self.output_proj = nn.Linear(dim, dim)
        self.attention_weights = nn.Linear(dim, math.prod(self.shape))
        self.sampling_offsets = nn.Linear(dim, 2 * math.prod(self.shape))

    def reset_parameters(self) -> None:
        """Let each head look in its own direction, from point to point one pixel further; all points count alike."""
        heads, maps, points = self.shape
        for linear in (self.value_proj, self.output_proj, self.attention_weights):
            nn.init.zeros_(linear.bias)
        nn.init.zeros_(self.attention_weights.weight)
        nn.init.zeros_(self.sampling_offsets.weight)
        angles = torch.arange(heads) * (2 * math.pi / heads)
        directions = torch.stack([angles.cos(), angles.sin()], dim=1)
        directions = directions / directions.abs().amax(dim=1, keepdim=True)  # onto the unit square
        steps = directions[:, None, None] * torch.arange(1, points + 1)[:, None]  # (heads, 1, points, 2)
        with torch.no_grad():
            self.sampling_offsets.bias.copy_(steps.expand(heads, maps, points, 2).flatten())

    def forward(self, query: Tensor, places: Tensor, memory: Tensor, sizes: Sequence[Size]) -> Tensor:
        """Return (N, L, C) for tokens `query` (N, L, C) at `places` (L, 2), x and y in 0..1.

        Args:
            memory: (N, S, C), the tokens of the maps one after the other.
            sizes: (h, w) of each map.
        """
        value = self.value_proj(memory).unflatten(2, (self.shape[0], -1))
        offsets = self.sampling_offsets(query).unflatten(2, (*self.shape, 2))  # in pixels
        lengths = torch.tensor([size[::-1] for size in sizes], dtype=query.dtype, device=query.device)
        locations = places[:, None, None, None] + offsets / lengths[:, None]
        weights = self.attention_weights(query).unflatten(2, (self.shape[0], -1)).softmax(dim=3)
        return self.output_proj(deformable_attention(value, sizes, locations, weights.unflatten(3, self.shape[1:])))


class EncoderLayer(nn.Module):
    """Deformable attention and a perceptron, each added to its input and normalized.

    Paper: as above, section 4.2.
    """

    def __init__(self, dim: int, num_maps: int, num_heads: int, num_points: int, hidden_dim: int, dropout: float):
        super().__init__()
        self.self_attn = MultiScaleDeformableAttention(dim, num_maps, num_heads, num_points)
        self.norm1 = nn.LayerNorm(dim)
        self.linear1, self.linear2 = nn.Linear(dim, hidden_dim), nn.Linear(hidden_dim, dim)
        self.norm2 = nn.LayerNorm(dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, positions: Tensor, places: Tensor, sizes: Sequence[Size]) -> Tensor:  # (N, L, C)
        def attention(x: Tensor) -> Tensor:
            return self.dropout(self.self_attn(x + positions, places, x, sizes))

        def perceptron(x: Tensor) -> Tensor:
            return self.dropout(self.linear2(self.dropout(F.relu(self.linear1(x)))))

        x = add_branch(x, attention, self.norm1, pre_norm=False)
        return add_branch(x, perceptron, self.norm2, pre_norm=False)


class Encoder(nn.Module):
    """Layers one after the other."""

    def __init__(self, num_layers: int, **layer: Any):
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(**layer) for _ in range(num_layers))

    def forward(self, x: Tensor, *where: Any) -> Tensor:  # (N, L, C), and what the layers take
        for layer in self.layers:
            x = layer(x, *where)
        return x


class DeformableTransformer(nn.Module):
    """Layers in which the pixels of several maps attend to all maps.

    Paper: as above, section 4.2.
    """

    def __init__(self, dim: int, num_maps: int, num_layers: int, **layer: Any):
        super().__init__()
        self.level_embed = nn.Parameter(torch.randn(num_maps, dim))
        self.encoder = Encoder(num_layers, dim=dim, num_maps=num_maps, **layer)
        init_xavier(self.encoder)
        for module in self.modules():
            if isinstance(module, MultiScaleDeformableAttention):
                module.reset_parameters()

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:  # (N, C, h, w) each
        sizes = [(x.shape[2], x.shape[3]) for x in maps]
        positions = torch.cat([sine_tokens(x) + level for x, level in zip(maps, self.level_embed, strict=True)], dim=1)
        places = torch.cat([_centres(size, maps[0]) for size in sizes])
        tokens = self.encoder(torch.cat([tokens_of(x) for x in maps], dim=1), positions, places, sizes)
        split = tokens.split([h * w for h, w in sizes], dim=1)
        return [map_of(x, size) for x, size in zip(split, sizes, strict=True)]


def _centres(size: Size, like: Tensor) -> Tensor:
    """Return the centres of the pixels of a map: (h * w, 2), x and y as fractions of width and height."""
    y, x = ((torch.arange(length, dtype=like.dtype, device=like.device) + 0.5) / length for length in size)
    return torch.cartesian_prod(y, x).flip(1)
