from torch import Tensor


def stability_score(logits: Tensor, threshold: float, offset: float) -> Tensor:
    """Return how little a mask depends on its threshold: (...), of logits (..., H, W).

    It is the intersection over union of the masks at `threshold + offset` and `threshold - offset`, in [0, 1], or nan
    where both are empty.

    Paper: Kirillov et al., "Segment Anything", ICCV 2023, arXiv:2304.02643, appendix B.
    """
    inner, outer = ((logits > threshold + shift).flatten(-2).sum(-1) for shift in (offset, -offset))
    return inner / outer
