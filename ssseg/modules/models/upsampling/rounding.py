"""The best class of single pixels whose two best scores differ by rounding only."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .taps import Taps

ROUNDING_OF_ONE = 3  # units in the last place of the largest of four scores by which their mean may be off
AT_ONCE = 2**12  # pixels whose candidates are found at once
RARE = 2e-3  # share of the pixels above which deciding them one by one takes longer than all together
SMALL, UNEVEN = 128, 32  # where torch rounds otherwise: small maps, and the columns at the end that fill no vector


def decide(labels: Tensor, places: Tensor, logits: Tensor, rows: Taps, columns: Taps, align_corners: bool) -> bool:
    """Put the best class of some pixels into `labels`, as `F.interpolate` rounds; give up where they are many.

    Args:
        labels: (N, H, W) int16.
        places: (M,), numbers of pixels in (N, H, W).
        logits: (N, K, h, w).

    Returns:
        Whether all of them were decided.
    """
    width = labels.shape[2]
    undecided, candidates_of = [places[:0]], [places.new_zeros(0, logits.shape[1], dtype=torch.bool)]
    left = RARE * labels.numel()
    for some in places.split(AT_ONCE):
        candidates = _candidates(some, logits, rows, columns)
        single = candidates.sum(dim=1) == 1
        labels.view(-1)[some[single]] = candidates[single].to(torch.uint8).argmax(dim=1).to(torch.int16)
        undecided.append(some[~single])
        candidates_of.append(candidates[~single])
        left -= len(undecided[-1])
        if left < 0:
            return False
    places, candidates = torch.cat(undecided), torch.cat(candidates_of)
    even = places % width < (width // UNEVEN * UNEVEN if min(labels.shape[1:]) > SMALL else 0)
    _decide_one_by_one(labels, places[even], candidates[even], logits, rows, align_corners)
    _decide_by_class(labels, places[~even], candidates[~even], logits, align_corners)
    return True


def all_labels(logits: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    """Return the first best class of every pixel, with the scores of one class at a time: (N, H, W) int16."""
    best = resized(logits[:, :1], size, align_corners)[:, 0].clone()
    labels = torch.zeros_like(best, dtype=torch.int16)
    for k in range(1, logits.shape[1]):
        scores = resized(logits[:, k : k + 1], size, align_corners)[:, 0]
        labels.masked_fill_(scores > best, k)
        torch.maximum(best, scores, out=best)
    return labels


def unit_in_the_last_place(values: Tensor, dtype: torch.dtype) -> Tensor:
    """Return an upper bound of how far apart numbers next to `values` lie in `dtype`."""
    limits = torch.finfo(dtype)
    return limits.eps * values.clamp(min=limits.smallest_normal)


def resized(logits: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    """Return bilinearly resized logits, to the last bit as `F.interpolate`, which `resize` is not everywhere."""
    if tuple(logits.shape[2:]) == tuple(size):
        return logits
    return F.interpolate(logits, tuple(size), mode="bilinear", align_corners=align_corners)


def _candidates(places: Tensor, logits: Tensor, rows: Taps, columns: Taps) -> Tensor:
    """Return which classes may be the best of each place whatever way rounding goes, (M, K) bool."""
    line, column = places.div(len(columns.far), rounding_mode="floor"), places % len(columns.far)
    image, row = line.div(len(rows.far), rounding_mode="floor"), line % len(rows.far)
    mean, largest = torch.zeros(()), torch.zeros((), device=logits.device)
    for y, down in ((rows.before, rows.near), (rows.after, rows.far)):
        for x, right in ((columns.before, columns.near), (columns.after, columns.far)):
            values = logits[image, :, y[row], x[column]].double()  # (M, K)
            mean = mean + values * (down[row].double() * right[column].double())[:, None]
            largest = torch.maximum(largest, values.abs())
    error = ROUNDING_OF_ONE * unit_in_the_last_place(largest, logits.dtype)
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
        wide = resized(logits[image[:, None], k[:, None], pair][:, None], (2, w_large), align_corners)[:, 0]
        read = wide.gather(2, column[:, None, None].expand(-1, 2, 1))[:, :, 0]  # (P, 2)
        tall = logits.new_zeros(len(k), logits.shape[2]).scatter_(1, pair, read)
        tall = resized(tall[:, None, :, None], (h_large, 1), align_corners)[:, 0, :, 0]
        scores = logits.new_full(which.shape, -torch.inf)
        scores[which] = tall.gather(1, row[:, None])[:, 0]
        labels.view(-1)[some] = scores.argmax(dim=1).to(torch.int16)


def _decide_by_class(labels: Tensor, places: Tensor, candidates: Tensor, logits: Tensor, align_corners: bool) -> None:
    """Do the same by resizing all of each class that is a candidate."""
    image_of = places.div(labels[0].numel(), rounding_mode="floor")
    for image in image_of.unique().tolist():
        mine = image_of == image
        classes = candidates[mine].any(dim=0).nonzero()[:, 0]
        winners = all_labels(logits[image : image + 1, classes], labels.shape[1:], align_corners)
        here = places[mine]
        chosen = winners.view(-1)[here - image * labels[0].numel()].long()
        labels.view(-1)[here] = classes[chosen].to(torch.int16)
