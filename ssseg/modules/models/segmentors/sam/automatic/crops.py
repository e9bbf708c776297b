import itertools
import math

Box = tuple[int, int, int, int]


def crop_boxes(size: tuple[int, int], num_layers: int, overlap_ratio: float) -> list[tuple[Box, int]]:
    """Return overlapping crops of a picture, x0, y0, x1, y1 each, with their layer: 0 is the whole picture.

    Layer i has 2^i x 2^i crops.

    Paper: Kirillov et al., "Segment Anything", ICCV 2023, arXiv:2304.02643, appendix B.

    Args:
        size: (H, W) of the picture.
        num_layers: of crops, besides the whole picture.
        overlap_ratio: of the crops of layer 1, as a share of the shorter side; half as much in each next layer.
    """
    height, width = size
    boxes = [((0, 0, width, height), 0)]
    for layer in range(1, num_layers + 1):
        count = 2**layer
        overlap = int(overlap_ratio * min(size) * 2 / count)
        w, h = (math.ceil((overlap * (count - 1) + length) / count) for length in (width, height))
        lefts, tops = ([(side - overlap) * i for i in range(count)] for side in (w, h))
        for x, y in itertools.product(lefts, tops):
            if x < width and y < height:  # rounding leaves nothing for the last crops of a few pixels
                boxes.append(((x, y, min(x + w, width), min(y + h, height)), layer))
    return boxes
