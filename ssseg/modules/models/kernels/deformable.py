"""Multi-scale deformable attention: what is read is weighted and summed where it is read; nothing is kept."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable

TOKENS = 16  # of a program
MOST_ROWS = 2**16 - 1  # that CUDA numbers along the second and third axis of a grid


def takes(value: Tensor, sizes: Sequence[Any], locations: Tensor, weights: Tensor) -> bool:
    """Return whether `run` can count these values. Gradients of values are summed in any order."""
    if not value.numel() or not locations.numel() or max(value[0].numel(), locations[0].numel()) >= 2**31:
        return False
    return len(value) <= MOST_ROWS and not torch.are_deterministic_algorithms_enabled()


def run(value: Tensor, sizes: Sequence[Any], locations: Tensor, weights: Tensor) -> Tensor:
    """Do what `deformable_attention` does, in float32 inside; the result has the dtype of `value`."""
    maps = torch.tensor(sizes, dtype=torch.int32, device=value.device)
    sums: Tensor = _DeformableAttention.apply(value, maps, locations, weights)
    return sums


class _DeformableAttention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, maps: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
        value, locations, weights = (each.contiguous() for each in (value, locations, weights))
        ctx.save_for_backward(value, maps, locations, weights)
        n, tokens, heads = weights.shape[:3]
        result = value.new_empty(n, tokens, heads * value.shape[3])
        grid, numbers = _layout(value, weights)
        _forward[grid](value, maps, locations, weights, result, *numbers)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        value, maps, locations, weights = ctx.saved_tensors
        of_value = torch.zeros_like(value, dtype=torch.float32)
        of_locations, of_weights = torch.empty_like(locations), torch.empty_like(weights)
        grid, numbers = _layout(value, weights)
        _backward[grid](
            value, maps, locations, weights, above.contiguous(), of_value, of_locations, of_weights, *numbers
        )
        return of_value.to(value.dtype), None, of_locations, of_weights


def _layout(value: Tensor, weights: Tensor) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the grid of programs, and the numbers that both kernels end with."""
    n, tokens, heads, maps, points = weights.shape
    _, pixels, _, width = value.shape
    grid = triton.cdiv(tokens, TOKENS), heads, n
    return grid, (pixels, tokens, heads, maps, points, width, TOKENS, triton.next_power_of_2(width))


def trial(function: Callable, device: torch.device, dtype: torch.dtype) -> list[Tensor]:
    """Return results and gradients of `function`, `run` or another, for a few values that are exact in any dtype."""

    def made(*shape: int) -> Tensor:
        numbers = torch.arange(torch.Size(shape).numel(), device=device).mul(37).remainder(61).sub(30).div(32)
        return numbers.view(shape).to(dtype).requires_grad_()

    sizes = [(2, 3), (5, 4), (1, 7)]
    value, locations, weights = made(2, 33, 2, 5), made(2, 17, 2, 3, 4, 2), made(2, 17, 2, 3, 4)
    result = function(value, sizes, locations, weights)
    return [result.detach(), *torch.autograd.grad(result, (value, locations, weights), made(2, 17, 10).detach())]


@triton.jit
def _neighbour(fraction, length):
    """Return the pixel before a place, moved near the map if it is far from it, and the share of the one after it."""
    place = fraction.to(tl.float32) * length - 0.5
    before = tl.floor(place)
    return tl.minimum(tl.maximum(before, -2.0), length.to(tl.float32)).to(tl.int32), place - before


@triton.jit
def _inside(y, x, h, w, known):
    return ((y >= 0) & (y < h) & (x >= 0) & (x < w))[:, None] & known


@triton.jit
def _forward(  # some tokens, a head, an image
    value,
    maps,
    locations,
    weights,
    result,
    num_pixels,
    num_tokens,
    num_heads,
    num_maps,
    num_points,
    width,
    tokens: tl.constexpr,
    channels: tl.constexpr,
):
    head, image = tl.program_id(1), tl.program_id(2).to(tl.int64)
    token = tl.program_id(0) * tokens + tl.arange(0, tokens)
    channel = tl.arange(0, channels)
    here = token < num_tokens
    known = here[:, None] & (channel < width)[None, :]
    row = (image * num_tokens + token) * num_heads + head  # of the result and the weights
    pixel_size = num_heads * width
    table = value + image * num_pixels * pixel_size + head * width + channel[None, :]
    sums = tl.zeros((tokens, channels), tl.float32)
    for i in range(num_maps):
        h, w = tl.load(maps + 2 * i), tl.load(maps + 2 * i + 1)
        for j in range(num_points):
            read = (row * num_maps + i) * num_points + j
            x, x_far = _neighbour(tl.load(locations + 2 * read, mask=here, other=0.0), w)
            y, y_far = _neighbour(tl.load(locations + 2 * read + 1, mask=here, other=0.0), h)
            weight = tl.load(weights + read, mask=here, other=0.0).to(tl.float32)
            corner = table + ((y * w + x) * pixel_size)[:, None]
            down = w * pixel_size
            a = tl.load(corner, mask=_inside(y, x, h, w, known), other=0.0)
            b = tl.load(corner + pixel_size, mask=_inside(y, x + 1, h, w, known), other=0.0)
            c = tl.load(corner + down, mask=_inside(y + 1, x, h, w, known), other=0.0)
            d = tl.load(corner + down + pixel_size, mask=_inside(y + 1, x + 1, h, w, known), other=0.0)
            sums += (weight * (1 - y_far) * (1 - x_far))[:, None] * a.to(tl.float32)
            sums += (weight * (1 - y_far) * x_far)[:, None] * b.to(tl.float32)
            sums += (weight * y_far * (1 - x_far))[:, None] * c.to(tl.float32)
            sums += (weight * y_far * x_far)[:, None] * d.to(tl.float32)
        table += h * w * pixel_size
    tl.store(result + row[:, None] * width + channel[None, :], sums, mask=known)


@triton.jit
def _backward(  # as `_forward`
    value,
    maps,
    locations,
    weights,
    above,
    of_value,
    of_locations,
    of_weights,
    num_pixels,
    num_tokens,
    num_heads,
    num_maps,
    num_points,
    width,
    tokens: tl.constexpr,
    channels: tl.constexpr,
):
    head, image = tl.program_id(1), tl.program_id(2).to(tl.int64)
    token = tl.program_id(0) * tokens + tl.arange(0, tokens)
    channel = tl.arange(0, channels)
    here = token < num_tokens
    known = here[:, None] & (channel < width)[None, :]
    row = (image * num_tokens + token) * num_heads + head
    pixel_size = num_heads * width
    first = image * num_pixels * pixel_size + head * width + channel[None, :]
    change = tl.load(above + row[:, None] * width + channel[None, :], mask=known, other=0.0).to(tl.float32)
    for i in range(num_maps):
        h, w = tl.load(maps + 2 * i), tl.load(maps + 2 * i + 1)
        for j in range(num_points):
            read = (row * num_maps + i) * num_points + j
            x, x_far = _neighbour(tl.load(locations + 2 * read, mask=here, other=0.0), w)
            y, y_far = _neighbour(tl.load(locations + 2 * read + 1, mask=here, other=0.0), h)
            weight = tl.load(weights + read, mask=here, other=0.0).to(tl.float32)
            corner = first + ((y * w + x) * pixel_size)[:, None]
            down = w * pixel_size
            in_a, in_b = _inside(y, x, h, w, known), _inside(y, x + 1, h, w, known)
            in_c, in_d = _inside(y + 1, x, h, w, known), _inside(y + 1, x + 1, h, w, known)
            a = tl.load(value + corner, mask=in_a, other=0.0).to(tl.float32)
            b = tl.load(value + corner + pixel_size, mask=in_b, other=0.0).to(tl.float32)
            c = tl.load(value + corner + down, mask=in_c, other=0.0).to(tl.float32)
            d = tl.load(value + corner + down + pixel_size, mask=in_d, other=0.0).to(tl.float32)
            a, b = tl.sum(change * a, axis=1), tl.sum(change * b, axis=1)
            c, d = tl.sum(change * c, axis=1), tl.sum(change * d, axis=1)
            upper, lower = (1 - x_far) * a + x_far * b, (1 - x_far) * c + x_far * d
            of_x = weight * w * ((1 - y_far) * (b - a) + y_far * (d - c))
            tl.store(of_weights + read, (1 - y_far) * upper + y_far * lower, mask=here)
            tl.store(of_locations + 2 * read, of_x, mask=here)
            tl.store(of_locations + 2 * read + 1, weight * h * (lower - upper), mask=here)
            above_row, below_row = (weight * (1 - y_far))[:, None] * change, (weight * y_far)[:, None] * change
            x_far = x_far[:, None]
            tl.atomic_add(of_value + corner, (1 - x_far) * above_row, mask=in_a, sem="relaxed")
            tl.atomic_add(of_value + corner + pixel_size, x_far * above_row, mask=in_b, sem="relaxed")
            tl.atomic_add(of_value + corner + down, (1 - x_far) * below_row, mask=in_c, sem="relaxed")
            tl.atomic_add(of_value + corner + down + pixel_size, x_far * below_row, mask=in_d, sem="relaxed")
        first += h * w * pixel_size
