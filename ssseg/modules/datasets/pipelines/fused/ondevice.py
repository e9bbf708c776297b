"""The deferred end of a pipeline, for a whole batch at once, on the device that trains."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..photometric import Distortion
from .deferred import Deferred

_UNCHANGED = Distortion(None, None, False, None, None)


def finished_images(images: Tensor, deferred: Sequence[Deferred], *, channels_last: bool = False) -> Tensor:
    """Return the images as the documented pipeline gives them.

    Args:
        images: (N, H, W, 3) uint8, BGR.
        deferred: what is to be done with each.
        channels_last: the memory format of the result.

    Returns:
        (N, 3, H, W) float32. Without distortions bit for bit what Normalize gives on the CPU.
    """
    number, height, width, _ = images.shape
    if any(one.distortion is not None for one in deferred):
        images = distorted_images(images, [one.distortion or _UNCHANGED for one in deferred])
    layout = torch.channels_last if channels_last else torch.contiguous_format
    result = torch.empty((number, 3, height, width), device=images.device, memory_format=layout)
    if all(one.mean == deferred[0].mean and one.std == deferred[0].std for one in deferred) and (
        len({one.to_rgb for one in deferred}) == 1
    ):
        _normalize(images, result, deferred[0])
    else:
        for index, one in enumerate(deferred):
            _normalize(images[index : index + 1], result[index : index + 1], one)
    if any(one.covered != (0, 0, height, width) for one in deferred):
        _fill_around(result, deferred)
    return result


def _normalize(images: Tensor, result: Tensor, deferred: Deferred) -> None:
    """Write the normalized images into `result`, one channel after the other, so that nothing has to be transposed."""
    for channel, (mean, std) in enumerate(zip(deferred.mean, deferred.std, strict=True)):
        source = images[..., 2 - channel if deferred.to_rgb else channel]
        torch.sub(source, mean, out=result[:, channel])
        result[:, channel].div_(std)


def _fill_around(result: Tensor, deferred: Sequence[Deferred]) -> None:
    numbers = torch.tensor([one.covered for one in deferred]).to(result.device, non_blocking=True)  # (N, 4)
    fills = torch.tensor([one.fill for one in deferred]).to(result.device, non_blocking=True)
    top, left, height, width = numbers.view(-1, 4, 1).unbind(1)  # each (N, 1)
    rows, columns = (torch.arange(edge, device=result.device)[None] for edge in result.shape[2:])
    inside_rows = (rows >= top) & (rows < top + height)  # (N, H)
    inside_columns = (columns >= left) & (columns < left + width)  # (N, W)
    inside = inside_rows[:, None, :, None] & inside_columns[:, None, None, :]
    result.copy_(torch.where(inside, result, fills.view(-1, 1, 1, 1)))


def distorted_images(images: Tensor, drawn: Sequence[Distortion]) -> Tensor:
    """Return images (N, H, W, 3) with the colours changed as `photometric.distorted` changes them, float32, 0..255.

    Each step rounds as it does there, where the numbers are bytes. Grey levels differ by 1 in 2 % of the pixels where
    saturation or hue change, and by as much as contrast makes of that, else not at all.
    """
    device = images.device
    table = torch.tensor([_row(one) for one in drawn]).to(device, non_blocking=True)  # (N, 6)
    brightness, before, after, saturation, hue, in_hsv = table.view(-1, 6, 1, 1, 1).unbind(1)
    levels = torch.trunc((images.float() + brightness).clamp_(0, 255))
    levels = torch.trunc((levels * before).clamp_(0, 255))
    if any(one.saturation is not None or one.hue is not None for one in drawn):
        levels = torch.where(in_hsv > 0, _changed_in_hsv(levels, saturation[..., 0], hue[..., 0]), levels)
    return torch.trunc((levels * after).clamp_(0, 255))


def _row(drawn: Distortion) -> list[float]:
    in_hsv = drawn.saturation is not None or drawn.hue is not None
    contrast = 1.0 if drawn.contrast is None else drawn.contrast
    first = drawn.contrast_first or not in_hsv
    return [
        drawn.brightness or 0.0,
        contrast if first else 1.0,
        1.0 if first else contrast,
        1.0 if drawn.saturation is None else drawn.saturation,
        float(drawn.hue or 0),
        float(in_hsv),
    ]


def _changed_in_hsv(levels: Tensor, saturation: Tensor, hue: Tensor) -> Tensor:
    """Multiply the saturation and shift the hue of (N, H, W, 3), read as RGB in bytes: hues 0..179, saturation 0..255.

    Bytes are rounded as OpenCV rounds them: by tables of reciprocals on the way there, down on the way back. From hues
    to colours: c_n = v - v s max(0, min(k, 4 - k, 1)), k = (n + hue / 30) mod 6, n = 5, 3, 1 for R, G, B.
    """
    red, green, blue = levels.to(torch.int32).unbind(-1)
    value, least = torch.maximum(torch.maximum(red, green), blue), torch.minimum(torch.minimum(red, green), blue)
    spread = value - least
    by_value, by_spread = (_reciprocals(top, levels.device) for top in (255, 30))
    share = (spread * by_value[value.long()] + 2048) >> 12
    sector = torch.where(
        value == red, green - blue, torch.where(value == green, blue - red + 2 * spread, red - green + 4 * spread)
    )
    angle = torch.remainder(((sector * by_spread[spread.long()] + 2048) >> 12) + hue, 180) / 30  # (N, H, W), 0..6
    share = torch.trunc((share * saturation).clamp_(0, 255)) / 255
    channels = []
    for offset in (5, 3, 1):
        k = torch.remainder(angle + offset, 6)
        channels.append(value - value * share * torch.minimum(k, 4 - k).clamp(0, 1))
    return torch.stack(channels, -1).floor_()


def _reciprocals(top: int, device: torch.device) -> Tensor:
    """Return `top` / n in steps of 1 / 4096 for n = 0 .. 255, 0 for 0."""
    table = torch.arange(256, dtype=torch.float64)
    table = torch.where(table > 0, torch.round(top * 4096 / table.clamp(min=1)), 0.0)
    return table.to(torch.int32).to(device, non_blocking=True)
