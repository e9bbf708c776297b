"""Multi-scale deformable attention against `grid_sample` for each map: `python benchmarks/deformable_attention.py`.

Prints how many times faster ours is, the median over rounds of process CPU time on one thread, ours and the other in
turn, and the largest difference of results and gradients, as a share of the largest value.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ssseg.modules.models.segmentors.mask2former.deformable import deformable_attention

HEADS, WIDTH, POINTS = 8, 32, 4


def sampled_map_by_map(value: Tensor, sizes: Sequence[tuple[int, int]], locations: Tensor, weights: Tensor) -> Tensor:
    """Read each map with `grid_sample`, stack what was read and sum it with its weights: the usual way."""
    n, _, heads, width = value.shape
    length = locations.shape[1]
    read = []
    for i, ((h, w), part) in enumerate(zip(sizes, value.split([h * w for h, w in sizes], dim=1), strict=True)):
        x = part.flatten(2).transpose(1, 2).reshape(n * heads, width, h, w)
        grid = (2 * locations[:, :, :, i] - 1).transpose(1, 2).flatten(0, 1)
        read.append(F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False))
    weights = weights.transpose(1, 2).reshape(n * heads, 1, length, -1)
    summed = (torch.stack(read, dim=-2).flatten(-2) * weights).sum(dim=-1)
    return summed.view(n, heads * width, length).transpose(1, 2).contiguous()


def arguments(images: int, side: int) -> tuple[Tensor, list[tuple[int, int]], Tensor, Tensor]:
    """What the encoder of Mask2Former computes for images of `side` x `side` pixels: maps of strides 32, 16 and 8."""
    sizes = [(side // stride, side // stride) for stride in (32, 16, 8)]
    length = sum(h * w for h, w in sizes)
    shape = (images, length, HEADS, len(sizes), POINTS)
    weights = torch.rand(shape).flatten(3).softmax(dim=3).view(shape)
    return torch.randn(images, length, HEADS, WIDTH), sizes, torch.rand(*shape, 2) * 1.2 - 0.1, weights


def forward(function: Callable[..., Tensor], values: tuple) -> list[Tensor]:
    with torch.no_grad():
        return [function(*values)]


def training(function: Callable[..., Tensor], values: tuple) -> list[Tensor]:
    value, sizes, locations, weights = values
    inputs = [x.clone().requires_grad_() for x in (value, locations, weights)]
    result = function(inputs[0], sizes, *inputs[1:])
    return [result.detach(), *torch.autograd.grad(result.square().sum(), inputs)]


def seconds(run: Callable[..., list[Tensor]], function: Callable[..., Tensor], values: tuple) -> float:
    start = time.process_time()
    run(function, values)
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--images", type=int, default=1)
    parser.add_argument("--sides", type=int, nargs="+", default=[256, 512])
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for side in options.sides:
        values = arguments(options.images, side)
        for run in (forward, training):
            pairs = zip(run(deformable_attention, values), run(sampled_map_by_map, values), strict=True)
            error = max(float((a - b).abs().max() / b.abs().max()) for a, b in pairs)
            ratios = []
            for _ in range(options.rounds):
                ours = seconds(run, deformable_attention, values)
                ratios.append(seconds(run, sampled_map_by_map, values) / ours)
            spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
            print(f"{side} x {side} {run.__name__:8}  {statistics.median(ratios):.2f} x ({spread}), error {error:.1e}")


if __name__ == "__main__":
    main()
