"""A large map of scores piece by piece, and the way back of the pieces' gradients to the small map."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from .taps import resize_weights

PIECE_BYTES = 2**21  # about what the processor's second cache holds
COLUMNS, COLUMNS_READ = (
    64,
    16,
)  # of the large map that one matrix product makes at least, and of the small that it reads

Pieces = Iterator[tuple[int, slice, Tensor]]


def resized_pieces(logits: Tensor, gradient: Tensor | None, size: Sequence[int], align_corners: bool) -> Pieces:
    """Yield the bilinearly resized `logits` as (image, rows, scores of these rows); each is valid until the next.

    Where `gradient` is given, the reader must put the gradient with respect to a piece in the place of its scores;
    `gradient` takes that with respect to `logits`.

    Shape:
        logits: (N, K, h, w), without gradient. gradient: the same, of the dtype to compute in. size: H, W. scores:
        (R, K, P), where the rows' pixels are R x P.
    """
    ways = _pieces_in_cache if logits.device.type == "cpu" else _whole_images
    yield from ways(logits, gradient, size, align_corners)


def _whole_images(logits: Tensor, gradient: Tensor | None, size: Sequence[int], align_corners: bool) -> Pieces:
    """For devices with much memory and a cost for each kernel."""
    size = list(size)
    dtype = torch.float64 if logits.dtype == torch.float64 else torch.float32
    for image, scores in enumerate(logits.split(1)):
        large = F.interpolate(scores.to(dtype), size, mode="bilinear", align_corners=align_corners)
        large = large.contiguous()
        yield image, slice(None), large.flatten(2)
        if gradient is not None:
            back = torch.ops.aten.upsample_bilinear2d_backward(large, size, list(scores.shape), align_corners)
            gradient[image] = back[0]


def _pieces_in_cache(logits: Tensor, gradient: Tensor | None, size: Sequence[int], align_corners: bool) -> Pieces:
    """A few rows at a time; what resizing reads of the small map is a band of it, and a small matrix resizes it."""
    dtype = torch.float64 if logits.dtype == torch.float64 else torch.float32
    _, k, h, w = logits.shape
    one = torch.empty((), dtype=dtype)
    height = max(1, PIECE_BYTES // (k * size[1] * one.itemsize))
    rows = _bands(resize_weights(h, size[0], align_corners, one), height)
    width = max(COLUMNS, COLUMNS_READ * size[1] // w)
    columns = _bands(resize_weights(w, size[1], align_corners, one), width)
    large = one.new_empty(min(height, size[0]) * k, size[1])
    for image, scores in enumerate(logits):
        back = None if gradient is None else one.new_zeros(h, k * w)
        for row in rows:
            r = row.to.stop - row.to.start
            small = scores[:, row.of].transpose(0, 1).to(dtype).reshape(-1, k * w)
            tall = (row.weights @ small).view(r * k, w)
            piece = large[: r * k]
            for column in columns:
                torch.mm(tall[:, column.of], column.weights.T, out=piece[:, column.to])
            yield image, row.to, piece.view(r, k, size[1])
            if back is not None:
                tall.zero_()
                for column in columns:
                    tall[:, column.of].addmm_(piece[:, column.to], column.weights)
                back[row.of].addmm_(row.weights.T, tall.view(r, k * w))
        if gradient is not None and back is not None:
            gradient[image] = back.view(h, k, w).transpose(0, 1)


class _Band(NamedTuple):
    """`x[to] = weights @ x[of]`."""

    to: slice
    of: slice
    weights: Tensor


def _bands(weights: Tensor, length: int) -> list[_Band]:
    """Cut a matrix (wanted, given) with two entries a row into bands of at most `length` rows."""
    bands = []
    for first, part in zip(range(0, len(weights), length), weights.split(length), strict=True):
        used = part.any(dim=0).nonzero()
        of = slice(int(used[0]), int(used[-1]) + 1)
        bands.append(_Band(slice(first, first + len(part)), of, part[:, of].contiguous()))
    return bands
