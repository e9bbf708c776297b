"""Cross entropy of bilinearly resized logits, with its gradient, in two kernels that write nothing of their size.

The first reads for each pixel of the large map its four neighbours in the small one, class after class, and keeps three
numbers a pixel. The second goes down strips of the small map; all pixels between four neighbours are resized from the
same eight numbers, their gradients are summed where they are made. Each value of the gradient is the sum of two
programs' results, so that their order does not matter: results are the same from run to run.
"""

from collections.abc import Callable
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from ..upsampling.taps import Taps

MOST_ROWS = 2**16 - 1  # that CUDA numbers along the second and third axis of a grid
CLASSES = 16  # at once
PIXELS = 128  # of a row, in a program of the first kernel
WIDTH, HEIGHT = 32, 8  # of the part of the small map that is a program's in the second


def takes(logits: Tensor, labels: Tensor, *_: Any) -> bool:
    """Return whether `run` can count these maps' values."""
    if not labels.numel() or not 0 < logits[:1].numel() < 2**31:
        return False
    return max(labels.shape[1], len(labels), logits.shape[2]) <= MOST_ROWS


def run(
    logits: Tensor,
    labels: Tensor,
    class_weight: Tensor | None,
    ignore_index: int,
    label_smoothing: float,
    align_corners: bool,
    wants_gradient: bool,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return the sums of the loss and of the weights, both (), and where wanted the gradient of the first; all float32.

    The arguments are those of `upsampled_cross_entropy`.
    """
    (n, k, h, w), (height, width) = logits.shape, labels.shape[1:]
    logits, labels = logits.contiguous(), labels.contiguous()
    weight = (labels != ignore_index).float()
    labels = labels.clamp(0, k - 1)
    if class_weight is not None:
        weight *= class_weight.float()[labels]
    one = logits.new_empty((), dtype=torch.float32)
    rows, columns = (Taps.of(*pair, align_corners, one) for pair in ((h, height), (w, width)))
    taps = (rows.far, columns.far)
    loss, top, scale = torch.empty_like(weight), torch.empty_like(weight), torch.empty_like(weight)
    numbers = (k, h, w, height, width, label_smoothing)
    classes = min(CLASSES, triton.next_power_of_2(k))
    _loss_of_pixels[triton.cdiv(width, PIXELS), height, n](
        logits, labels, weight, rows.before, columns.before, *taps, loss, top, scale, *numbers, classes, PIXELS
    )
    if not wants_gradient:
        return loss.sum(), weight.sum(), None
    gradient = torch.zeros_like(logits, dtype=torch.float32)
    first_row, first_column = (
        torch.searchsorted(tap.before, torch.arange(length + 1, device=logits.device))
        for tap, length in ((rows, h), (columns, w))
    )
    _gradient_of_cells[triton.cdiv(w, WIDTH) * triton.cdiv(k, classes), triton.cdiv(h, HEIGHT), n](
        logits, labels, weight, first_row, first_column, *taps, top, scale, gradient, *numbers, classes, WIDTH, HEIGHT
    )
    return loss.sum(), weight.sum(), gradient


def trial(function: Callable, device: torch.device, dtype: torch.dtype) -> list[Tensor]:
    """Return results of `function`, `run` or another, for a few values that are exact in any dtype."""
    n, k, h, w, height, width = 2, 19, 3, 5, 10, 17
    logits = torch.arange(n * k * h * w, device=device).mul(37).remainder(61).sub(30).div(8).view(n, k, h, w).to(dtype)
    labels = torch.arange(n * height * width, device=device).mul(11).remainder(k).view(n, height, width)
    class_weight = torch.arange(k, device=device).remainder(4).float()
    results = []
    for align_corners in (False, True):
        results += function(logits, labels, class_weight, 3, 0.125, align_corners, True)
    return results


@triton.jit
def _loss_of_pixels(  # a row's pixels from program_id(0) on, a row, an image
    logits,
    labels,
    weight,
    rows,
    columns,
    row_far,
    column_far,
    loss,
    top,
    scale,
    k,
    h,
    w,
    height,
    width,
    label_smoothing,
    classes: tl.constexpr,
    pixels: tl.constexpr,
):
    row, image = tl.program_id(1), tl.program_id(2).to(tl.int64)
    column = tl.program_id(0) * pixels + tl.arange(0, pixels)
    inside = column < width
    pixel = (image * height + row) * width + column
    label = tl.load(labels + pixel, mask=inside, other=0).to(tl.int32)
    counts = tl.load(weight + pixel, mask=inside, other=0.0)
    y, x = tl.load(rows + row).to(tl.int32), tl.load(columns + column, mask=inside, other=0).to(tl.int32)
    y_far, x_far = tl.load(row_far + row), tl.load(column_far + column, mask=inside, other=0.0)
    upper, lower = y * w, tl.minimum(y + 1, h - 1) * w
    after = tl.minimum(x + 1, w - 1)
    small = logits + image * k * h * w

    of_label = small + label * (h * w)
    before_label = (1 - y_far) * tl.load(of_label + upper + x).to(tl.float32)
    before_label += y_far * tl.load(of_label + lower + x).to(tl.float32)
    after_label = (1 - y_far) * tl.load(of_label + upper + after).to(tl.float32)
    after_label += y_far * tl.load(of_label + lower + after).to(tl.float32)
    score_of_label = (1 - x_far) * before_label + x_far * after_label

    largest = tl.full((pixels,), float("-inf"), tl.float32)
    total, above_label = tl.zeros((pixels,), tl.float32), tl.zeros((pixels,), tl.float32)
    for start in range(0, k, classes):
        number = start + tl.arange(0, classes)[:, None]
        known = (number < k) & inside[None, :]
        of_class = small + number * (h * w)
        left = (1 - y_far) * tl.load(of_class + (upper + x)[None, :], mask=known, other=0.0).to(tl.float32)
        left += y_far * tl.load(of_class + (lower + x)[None, :], mask=known, other=0.0).to(tl.float32)
        right = (1 - y_far) * tl.load(of_class + (upper + after)[None, :], mask=known, other=0.0).to(tl.float32)
        right += y_far * tl.load(of_class + (lower + after)[None, :], mask=known, other=0.0).to(tl.float32)
        scores = (1 - x_far)[None, :] * left + x_far[None, :] * right  # (classes, pixels)
        above_label += tl.sum(tl.where(known, scores - score_of_label[None, :], 0.0), axis=0)
        scores = tl.where(number < k, scores, float("-inf"))
        larger = tl.maximum(largest, tl.max(scores, axis=0))
        total = total * tl.exp(largest - larger) + tl.sum(tl.exp(scores - larger[None, :]), axis=0)
        largest = larger
    value = tl.log(total) + (largest - score_of_label) - label_smoothing * (above_label / k)
    tl.store(loss + pixel, value * counts, mask=inside)
    tl.store(top + pixel, largest, mask=inside)
    tl.store(scale + pixel, counts / total, mask=inside)


@triton.jit
def _gradient_of_cells(  # some columns and classes, some rows, an image; all of the small map
    logits,
    labels,
    weight,
    first_row,
    first_column,
    row_far,
    column_far,
    top,
    scale,
    gradient,
    k,
    h,
    w,
    height,
    width,
    label_smoothing,
    classes: tl.constexpr,
    cells: tl.constexpr,
    lines: tl.constexpr,
):
    strips, image = tl.cdiv(w, cells), tl.program_id(2).to(tl.int64)
    x = (tl.program_id(0) % strips) * cells + tl.arange(0, cells)
    number = (tl.program_id(0) // strips) * classes + tl.arange(0, classes)[:, None]
    known = number < k
    before, behind = (x < w)[None, :], (x + 1 < w)[None, :]
    small = image * k * h * w + tl.minimum(number, k - 1) * (h * w) + x[None, :]  # offsets (classes, cells)
    start = tl.load(first_column + x, mask=x < w, other=0).to(tl.int32)
    stop = tl.load(first_column + x + 1, mask=x < w, other=0).to(tl.int32)
    most = tl.max(stop - start, axis=0)

    begin = tl.program_id(1) * lines
    lower_left = tl.zeros((classes, cells), tl.float32)
    lower_right = tl.zeros((classes, cells), tl.float32)
    for y in range(tl.maximum(begin - 1, 0), tl.minimum(begin + lines, h)):  # the first for its lower half only
        upper, lower = small + y * w, small + tl.minimum(y + 1, h - 1) * w
        a = tl.load(logits + upper, mask=before, other=0.0).to(tl.float32)
        b = tl.load(logits + upper + 1, mask=behind, other=0.0).to(tl.float32)
        c = tl.load(logits + lower, mask=before, other=0.0).to(tl.float32)
        d = tl.load(logits + lower + 1, mask=behind, other=0.0).to(tl.float32)
        upper_left, upper_right = lower_left, lower_right
        lower_left = tl.zeros((classes, cells), tl.float32)
        lower_right = tl.zeros((classes, cells), tl.float32)
        for row in range(tl.load(first_row + y).to(tl.int32), tl.load(first_row + y + 1).to(tl.int32)):
            y_far = tl.load(row_far + row)
            left, right = (1 - y_far) * a + y_far * c, (1 - y_far) * b + y_far * d
            of_left = tl.zeros((classes, cells), tl.float32)
            of_right = tl.zeros((classes, cells), tl.float32)
            for i in range(most):
                column = start + i
                inside = column < stop
                pixel = (image * height + row) * width + column
                x_far = tl.load(column_far + column, mask=inside, other=0.0)[None, :]
                label = tl.load(labels + pixel, mask=inside, other=0).to(tl.int32)[None, :]
                counts = tl.load(weight + pixel, mask=inside, other=0.0)[None, :]
                largest = tl.load(top + pixel, mask=inside, other=float("inf"))[None, :]
                share = tl.load(scale + pixel, mask=inside, other=0.0)[None, :]
                change = tl.exp((1 - x_far) * left + x_far * right - largest) * share
                change -= (label_smoothing / k) * counts
                change -= tl.where(number == label, (1 - label_smoothing) * counts, 0.0)
                of_left += change * (1 - x_far)
                of_right += change * x_far
            upper_left += (1 - y_far) * of_left
            upper_right += (1 - y_far) * of_right
            lower_left += y_far * of_left
            lower_right += y_far * of_right
        if y >= begin:
            tl.atomic_add(gradient + upper, upper_left, mask=known & before, sem="relaxed")
            tl.atomic_add(gradient + upper + 1, upper_right, mask=known & behind, sem="relaxed")
