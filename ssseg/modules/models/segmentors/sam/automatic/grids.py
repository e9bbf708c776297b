import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


def point_grid(count: int) -> Points:
    """Return `count` x `count` points, evenly spread over a unit square, row by row: (count * count, 2), x and y."""
    places = (np.arange(count) + 0.5) / count
    return np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2)


def point_grids(count: int, num_layers: int, downscale_factor: int) -> list[Points]:
    """Return a grid for each layer of crops, `downscale_factor` times sparser than that of the layer before.

    Args:
        count: points a side in layer 0.
        num_layers: of crops, besides the whole picture.
    """
    return [point_grid(int(count / downscale_factor**layer)) for layer in range(num_layers + 1)]
