import torch
from torch import Tensor


def iou_of_boxes(box: Tensor, boxes: Tensor) -> Tensor:
    """Return the intersection over union of a box (4,) with each of (N, 4); nan where both are empty."""
    first, last = torch.maximum(box[:2], boxes[:, :2]), torch.minimum(box[2:], boxes[:, 2:])
    shared = (last - first).clamp(min=0).prod(dim=1)
    return shared / ((box[2:] - box[:2]).prod() + (boxes[:, 2:] - boxes[:, :2]).prod(dim=1) - shared)


def nms(boxes: Tensor, scores: Tensor, threshold: float) -> Tensor:
    """Return the indices of boxes that overlap no better one by more than `threshold`, best first.

    From the best on, a box that is still there takes out all that have a larger intersection over union with it.
    Equal scores keep their order.

    Args:
        boxes: (N, 4), x0, y0, x1, y1.
        scores: (N,).

    Returns:
        (K,) int64, on the device of `boxes`.
    """
    order = scores.cpu().argsort(descending=True, stable=True)
    candidates = boxes.cpu()[order].float()
    alive = torch.ones(len(order), dtype=torch.bool)
    for i in range(len(order)):
        if alive[i]:
            alive[i + 1 :] &= ~(iou_of_boxes(candidates[i], candidates[i + 1 :]) > threshold)
    return order[alive].to(boxes.device)
