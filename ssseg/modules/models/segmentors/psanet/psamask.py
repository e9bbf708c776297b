import torch
from torch import Tensor


def collect_attention(scores: Tensor, mask_size: tuple[int, int]) -> Tensor:
    """Return (N, P, P), at [n, j, i] the score that position i gives to position j; 0 where its mask does not reach.

    Paper: Zhao et al., "PSANet: Point-wise Spatial Attention Network for Scene Parsing", ECCV 2018, section 3.3.

    Args:
        scores: (N, mask height * mask width, h, w), P = h * w; at each position a mask over its surroundings, whose
            centre, index (size - 1) // 2, is the position itself.
        mask_size: height and width of the mask.
    """
    (down, reaches_down), (right, reaches_right) = (
        _offsets(length, size, scores.device) for length, size in zip(scores.shape[2:], mask_size, strict=True)
    )
    positions = scores.shape[2] * scores.shape[3]
    index = (down[:, None, :, None] * mask_size[1] + right[None, :, None, :]).reshape(1, positions, positions)
    reaches = (reaches_down[:, None, :, None] & reaches_right[None, :, None, :]).reshape(1, positions, positions)
    given = scores.flatten(2).gather(1, index.expand(scores.shape[0], -1, -1))
    return given.masked_fill(~reaches, 0)


def _offsets(length: int, size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return (length, length) for places j, i: the index of j in the mask of i, cut to it; whether it is in it."""
    places = torch.arange(length, device=device)
    offsets = places[:, None] - places + (size - 1) // 2
    return offsets.clamp(0, size - 1), (offsets >= 0) & (offsets < size)
