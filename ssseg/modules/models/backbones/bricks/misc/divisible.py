def makedivisible(value: float, divisor: int, min_value: int | None = None, min_ratio: float = 0.9) -> int:
    """Round a channel count to a multiple of `divisor`, upwards where it would lose more than 1 - `min_ratio`.

    Paper: Sandler et al., "MobileNetV2", CVPR 2018, arXiv:1801.04381, as in the authors' code.

    Args:
        min_value: the smallest result; None means `divisor`.
    """
    rounded = max(min_value or divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded if rounded >= min_ratio * value else rounded + divisor
