"""The best class of each pixel of resized scores, without resizing most of them."""

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .best import BestClass, first_best
from .pieces import resized_pieces
from .rounding import all_labels, decide, resized, unit_in_the_last_place
from .taps import Taps

MANY = 0.6  # share of the cells above which scores of all pixels take no longer than those between different classes
PIECE_BYTES, PIECE_BYTES_GPU = 2**20, 2**27  # of scores at once; a CPU holds them in its second cache
ROUNDING = 16  # units in the last place of the largest score by which two ways to the same mean may differ
SMALL, FEW_CLASSES = 128, 3  # height and width together, and classes, which torch resizes, and rounds, in other ways


@torch.no_grad()
def upsampled_labels(logits: Tensor, size: Sequence[int], align_corners: bool = False) -> Tensor:
    """Return `F.interpolate(logits, size, mode="bilinear", ...).argmax(dim=1)`, the same to the last pixel.

    Where four neighbours have one best class, so has everything between them: each score is the same mean of the four,
    with weights that are not negative. Scores are computed only where neighbours differ, or where one has two best
    classes but for rounding; pixels that rounding decides are left to `F.interpolate`.

    Shape:
        logits: (N, K, h, w), float32 or float64. Result: (N, H, W) int16, where (H, W) is `size`.
    """
    lowest, highest = logits.aminmax()
    if logits.shape[1] <= FEW_CLASSES or sum(size) <= SMALL or not bool(torch.isfinite(highest - lowest)):
        return resized(logits, size, align_corners).argmax(dim=1).to(torch.int16)
    logits = logits.contiguous()
    with torch.autocast(logits.device.type, enabled=False):
        if tuple(logits.shape[2:]) == tuple(size):
            return first_best(logits, _budget(logits) // logits.shape[1])
        near = ROUNDING * unit_in_the_last_place(torch.maximum(lowest.abs(), highest.abs()), logits.dtype)
        axes = zip(logits.shape[2:], size, strict=True)
        rows, columns = (Taps.of(given, wanted, align_corners, logits) for given, wanted in axes)
        best_class = BestClass(logits.flatten(2))
        cells = _cells(*best_class(logits.flatten(2), near), logits.shape)
        if bool((cells < 0).float().mean() <= MANY):
            labels, doubtful = _between_classes(logits, cells, rows, columns, best_class, near)
        elif best_class.code is not None:
            labels, doubtful = _everywhere(logits, size, align_corners, best_class, near)
        else:
            return all_labels(logits, size, align_corners)
        decided = decide(labels, doubtful, logits, rows, columns, align_corners)
    return labels if decided else all_labels(logits, size, align_corners)


def _cells(best: Tensor, tied: Tensor, shape: Sequence[int]) -> Tensor:
    """Return the best class that each value shares with those right and below, -1 where they differ: (N, h, w)."""
    n, _, h, w = shape
    lowest = highest = best.masked_fill(tied, -1).view(n, h, w)
    for dim in (1, 2):
        pairs = []
        for values in (lowest, highest):
            last = values.narrow(dim, values.shape[dim] - 1, 1)
            pairs.append((values, torch.cat([values.narrow(dim, 1, values.shape[dim] - 1), last], dim)))
        lowest, highest = torch.minimum(*pairs[0]), torch.maximum(*pairs[1])
    return lowest.masked_fill(lowest != highest, -1)


def _everywhere(
    logits: Tensor, size: Sequence[int], align_corners: bool, best_class: BestClass, near: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the labels (N, H, W), and the places, of all pixels (N, H, W), where they are in doubt."""
    labels = logits.new_empty(len(logits), *size, dtype=torch.int16)
    doubts = torch.empty_like(labels, dtype=torch.bool)
    for image, rows, scores in resized_pieces(logits, None, size, align_corners):
        labels[image, rows], doubts[image, rows] = best_class(scores, near, scores)
    return labels, doubts.view(-1).nonzero()[:, 0]


def _between_classes(
    logits: Tensor, cells: Tensor, rows: Taps, columns: Taps, best_class: BestClass, near: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the same with scores only of the pixels in cells (N, h, w) that are -1."""
    wide = torch.stack([image.t().contiguous()[columns.before].t().contiguous() for image in cells])  # (N, h, W)
    labels = wide.index_select(1, rows.before)
    doubtful = [wide.new_empty(0, dtype=torch.long)]
    for places, scores in _scores_at((wide.view(-1) < 0).nonzero()[:, 0], logits, rows, columns):
        best, tied = best_class(scores, near, scores)
        here = places >= 0
        labels.view(-1)[places[here]] = best[here]
        doubtful.append(places[here & tied])
    return labels, torch.cat(doubtful)


def _scores_at(stripes: Tensor, logits: Tensor, rows: Taps, columns: Taps) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield pixels and their resized scores until it was all of some stripes.

    A stripe are the pixels of one column that lie between the same two rows of `logits`.

    Args:
        stripes: (M,), numbers of stripes in (N, h, W), in order.
        logits: (N, K, h, w).

    Yields:
        (P,), numbers of pixels in (N, H, W), or -1; (K, P), valid until the next.
    """
    n, k, h, w = logits.shape
    height, width = len(rows.far), len(columns.far)
    table = logits.new_empty(n, h * w, k)
    for image, scores in zip(table, logits, strict=True):
        image.copy_(scores.flatten(1).t())
    begins = torch.searchsorted(rows.before, torch.arange(h + 1, device=logits.device))  # rows of H for each of h
    for some in stripes.split(max(1, _budget(logits) // k)) if len(stripes) else ():
        line = some.div(width, rounding_mode="floor")
        column = some - line * width
        image = line.div(h, rounding_mode="floor")
        upper = line - image * h
        lower = (upper + 1).clamp(max=h - 1)
        taps = torch.stack([columns.before[column], columns.after[column]], dim=1)  # (M, 2)
        weights = torch.stack([columns.near[column], columns.far[column]], dim=1)
        above, below = (
            F.embedding_bag(
                taps + ((image * h + row) * w)[:, None], table.view(-1, k), per_sample_weights=weights, mode="sum"
            )
            .t()
            .contiguous()
            for row in (upper, lower)
        )  # (K, M)
        first, after = begins[upper], begins[upper + 1]
        place = (image * height + first) * width + column
        room = torch.empty_like(above)
        for step in range(int((after - first).max())):
            far = rows.far[(first + step).clamp(max=height - 1)]
            yield place.where(first + step < after, -1), torch.lerp(above, below, far, out=room)
            place = place + width


def _budget(logits: Tensor) -> int:
    """Return how many scores are held at once."""
    return (PIECE_BYTES if logits.device.type == "cpu" else PIECE_BYTES_GPU) // logits.itemsize
