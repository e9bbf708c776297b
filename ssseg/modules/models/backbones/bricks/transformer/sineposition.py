"""Positions of a map as sines and cosines of their coordinates."""

import math

import torch
from torch import Tensor

from .patchembed import Size


def sine_table(places: Tensor, channels: int, temperature: float = 10000) -> Tensor:
    """Return sines and cosines, alternating, of each place at wavelengths from 2 pi to about 2 pi `temperature`.

    Paper: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, arXiv:1706.03762, section 3.5.

    Args:
        places: (...) floating point.
        channels: an even number.

    Returns:
        (..., channels)
    """
    pair = torch.arange(channels // 2, dtype=places.dtype, device=places.device)
    angles = places[..., None] / temperature ** (2 * pair / channels)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)


def sine_positions(
    size: Size,
    channels: int,
    *,
    temperature: float = 10000,
    normalize: bool = True,
    scale: float | None = None,
    device: torch.device | None = None,
) -> Tensor:
    """Return the sine table of the rows, then that of the columns, of a map; rows and columns count from 1.

    Paper: Carion et al., "End-to-End Object Detection with Transformers", ECCV 2020, arXiv:2005.12872, appendix A.4.

    Args:
        channels: of both together, a multiple of 4.
        normalize: bring the coordinates to 0 .. `scale`; None means 2 pi.

    Returns:
        (channels, h, w) float32
    """
    tables = []
    for length in size:
        places = torch.arange(1, length + 1, dtype=torch.float32, device=device)
        if normalize:
            places = places / (length + 1e-6) * (2 * math.pi if scale is None else scale)
        tables.append(sine_table(places, channels // 2, temperature))  # (length, channels / 2)
    rows = tables[0].T[:, :, None].expand(-1, *size)
    columns = tables[1].T[:, None, :].expand(-1, *size)
    return torch.cat([rows, columns])
