"""The best class of each pixel of resized scores, without resizing most of them."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from .taps import Taps

FEW = 0.7  # share of the pixels above which computing them one by one takes longer than all together
PIECE_BYTES, PIECE_BYTES_GPU = 2**21, 2**27  # of scores at once; a CPU holds them in its second cache
SPARSE = 0.3  # share of a piece's places that is resized along its columns for itself
ROUNDING = 16  # units in the last place of the largest score by which two ways to the same mean may differ
ROUNDING_OF_ONE = 3  # the same of one way, in those of the largest of the four scores
DOUBTS = 2**12  # pixels that are computed more exactly at once
RARE = 2e-3  # share of the pixels above which deciding them one by one takes longer than all together
UNEVEN = 32  # columns at the end of a row may be rounded in another way, where they do not fill a vector
SMALL, FEW_CLASSES = 128, 3  # height and width together, and classes, which torch resizes, and rounds, in other ways


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
        return _resized(logits, size, align_corners).argmax(dim=1).to(torch.int16)
    if tuple(logits.shape[2:]) == tuple(size):
        return _all_labels(logits, size, align_corners)
    near = ROUNDING * torch.finfo(logits.dtype).eps * torch.maximum(lowest.abs(), highest.abs())
    n, _, h, w = logits.shape
    rows, columns = (Taps.of(given, wanted, align_corners, logits) for given, wanted in zip((h, w), size, strict=True))
    scores = torch.stack([image.flatten(1).t().contiguous() for image in logits])  # (N, h * w, K)
    best, tied = _best(scores.flatten(0, 1), near)
    best = best.view(n, h, w)
    places = _spread(_mixed(best, tied.view(n, h, w)), rows, columns).view(-1).nonzero()[:, 0]
    labels = _spread(best, rows, columns)
    if len(places) > FEW * labels.numel():
        return _all_labels(logits, size, align_corners)
    doubtful = [places[:0]]
    for some, values in _scores_at(places, scores.view(n, h, -1), rows, columns, w):
        best, tied = _best(values, near)
        labels.view(-1)[some] = best
        doubtful.append(some[tied])
    undecided = [(places[:0], scores.new_zeros(0, scores.shape[2], dtype=torch.bool))]
    for some in torch.cat(doubtful).split(DOUBTS):
        candidates = _candidates(some, scores.view(n, h, w, -1), rows, columns)
        single = candidates.sum(dim=1) == 1
        labels.view(-1)[some[single]] = candidates[single].to(torch.uint8).argmax(dim=1).to(torch.int16)
        undecided.append((some[~single], candidates[~single]))
    places, candidates = (torch.cat(parts) for parts in zip(*undecided, strict=True))
    if len(places) > RARE * labels.numel():
        return _all_labels(logits, size, align_corners)
    even = places % size[1] < (size[1] // UNEVEN * UNEVEN if min(size) > SMALL else 0)
    _decide_one_by_one(labels, places[even], candidates[even], logits, rows, align_corners)
    _decide_by_class(labels, places[~even], candidates[~even], logits, align_corners)
    return labels


def _best(scores: Tensor, near: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first best column of (M, K) in int16, and whether another one is near it; both (M,)."""
    best = scores.argmax(dim=1, keepdim=True)
    top = scores.gather(1, best)
    second = scores.scatter_(1, best, -torch.inf).amax(dim=1)
    scores.scatter_(1, best, top)
    return best[:, 0].to(torch.int16), top[:, 0] - second <= near


def _mixed(best: Tensor, tied: Tensor) -> Tensor:
    """Return where the four neighbours right and below differ in their best class, or are tied: (N, h, w) bool."""
    alike = ~tied
    for dim in (1, 2):
        after = torch.arange(1, best.shape[dim] + 1, device=best.device).clamp(max=best.shape[dim] - 1)
        alike = alike & alike.index_select(dim, after) & (best == best.index_select(dim, after))
    return ~alike


def _spread(values: Tensor, rows: Taps, columns: Taps) -> Tensor:
    """Return for each pixel the value of its upper left neighbour: (N, h, w) -> (N, H, W)."""
    return values.index_select(2, columns.before).index_select(1, rows.before)


def _scores_at(places: Tensor, scores: Tensor, rows: Taps, columns: Taps, w: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield some of the places and their resized scores (M, K), until it was all of them.

    Args:
        places: (M,), numbers of pixels in (N, H, W), in order.
        scores: (N, h, w * K).
        w: width of the small maps.
    """
    (n, h, length), height, width = scores.shape, len(rows.far), len(columns.far)
    budget = PIECE_BYTES if scores.device.type == "cpu" else PIECE_BYTES_GPU
    at_once = max(1, budget // (length * scores.itemsize))
    lines = torch.arange(0, n * height + at_once, at_once, device=scores.device)
    borders = torch.searchsorted(places.div(width, rounding_mode="floor"), lines).tolist()
    for first, (start, stop) in zip(range(0, n * height, at_once), pairwise(borders), strict=True):
        if start == stop:
            continue
        line = torch.arange(first, min(first + at_once, n * height), device=scores.device)
        pieces = places[start:stop].split(max(1, at_once * w))
        if stop - start < len(line) * w * SPARSE:
            for some in pieces:
                left, right = (_down_column(some, tap, scores, rows, columns, w) for tap in columns[:2])
                yield some, torch.lerp(left, right, columns.far[some % width, None])
            continue
        image, row = line.div(height, rounding_mode="floor"), line % height
        upper, lower = (scores.view(n * h, length).index_select(0, image * h + tap[row]) for tap in rows[:2])
        tall = torch.lerp(upper, lower, rows.far[row, None]).view(len(line) * w, -1)
        for some in pieces:
            column = some % width
            begin = (some - first * width).div(width, rounding_mode="floor") * w
            left, right = (tall.index_select(0, begin + tap[column]) for tap in columns[:2])
            yield some, torch.lerp(left, right, columns.far[column, None])


def _down_column(places: Tensor, tap: Tensor, scores: Tensor, rows: Taps, columns: Taps, w: int) -> Tensor:
    """Return the scores (M, K) of places, resized along the columns that `tap` says."""
    height, width = len(rows.far), len(columns.far)
    line, column = places.div(width, rounding_mode="floor"), tap[places % width]
    image, row = line.div(height, rounding_mode="floor"), line % height
    flat = scores.view(scores.shape[0] * scores.shape[1] * w, -1)
    begin = image * scores.shape[1]
    upper, lower = (flat.index_select(0, (begin + down[row]) * w + column) for down in rows[:2])
    return torch.lerp(upper, lower, rows.far[row, None])


def _candidates(places: Tensor, scores: Tensor, rows: Taps, columns: Taps) -> Tensor:
    """Return which classes may be the best of each place whatever way rounding goes, (M, K) bool.

    Args:
        places: (M,), numbers of pixels in (N, H, W).
        scores: (N, h, w, K).
    """
    line, column = places.div(len(columns.far), rounding_mode="floor"), places % len(columns.far)
    image, row = line.div(len(rows.far), rounding_mode="floor"), line % len(rows.far)
    mean, largest = torch.zeros(()), torch.zeros((), device=scores.device)
    for y, down in ((rows.before, rows.near), (rows.after, rows.far)):
        for x, right in ((columns.before, columns.near), (columns.after, columns.far)):
            values = scores[image, y[row], x[column]].double()  # (M, K)
            mean = mean + values * (down[row].double() * right[column].double())[:, None]
            largest = torch.maximum(largest, values.abs())
    error = ROUNDING_OF_ONE * torch.finfo(scores.dtype).eps * largest
    return mean + error >= (mean - error).amax(dim=1, keepdim=True)


def _decide_one_by_one(
    labels: Tensor, places: Tensor, candidates: Tensor, logits: Tensor, rows: Taps, align_corners: bool
) -> None:
    """Put the best candidate (M, K) of each place (M,) into `labels`, as `F.interpolate` rounds along both axes."""
    _, h_large, w_large = labels.shape
    for some, which in zip(places.split(64), candidates.split(64), strict=True) if len(places) else ():
        number, k = which.nonzero(as_tuple=True)  # (P,) each
        line, column = some[number].div(w_large, rounding_mode="floor"), some[number] % w_large
        image, row = line.div(h_large, rounding_mode="floor"), line % h_large
        pair = torch.stack([rows.before[row], rows.after[row]], dim=1)  # (P, 2)
        wide = _resized(logits[image[:, None], k[:, None], pair][:, None], (2, w_large), align_corners)[:, 0]
        read = wide.gather(2, column[:, None, None].expand(-1, 2, 1))[:, :, 0]  # (P, 2)
        tall = logits.new_zeros(len(k), logits.shape[2]).scatter_(1, pair, read)
        tall = _resized(tall[:, None, :, None], (h_large, 1), align_corners)[:, 0, :, 0]
        scores = logits.new_full(which.shape, -torch.inf)
        scores[which] = tall.gather(1, row[:, None])[:, 0]
        labels.view(-1)[some] = scores.argmax(dim=1).to(torch.int16)


def _decide_by_class(labels: Tensor, places: Tensor, candidates: Tensor, logits: Tensor, align_corners: bool) -> None:
    """Do the same by resizing all of each class that is a candidate."""
    image_of = places.div(labels[0].numel(), rounding_mode="floor")
    for image in image_of.unique().tolist():
        mine = image_of == image
        classes = candidates[mine].any(dim=0).nonzero()[:, 0]
        winners = _all_labels(logits[image : image + 1, classes], labels.shape[1:], align_corners)
        here = places[mine]
        chosen = winners.view(-1)[here - image * labels[0].numel()].long()
        labels.view(-1)[here] = classes[chosen].to(torch.int16)


def _all_labels(logits: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    """Return the first best class of every pixel, with the scores of one class at a time: (N, H, W) int16."""
    best = _resized(logits[:, :1], size, align_corners)[:, 0].clone()
    labels = torch.zeros_like(best, dtype=torch.int16)
    for k in range(1, logits.shape[1]):
        scores = _resized(logits[:, k : k + 1], size, align_corners)[:, 0]
        labels.masked_fill_(scores > best, k)
        torch.maximum(best, scores, out=best)
    return labels


def _resized(logits: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    if tuple(logits.shape[2:]) == tuple(size):
        return logits
    return F.interpolate(logits, tuple(size), mode="bilinear", align_corners=align_corners)
