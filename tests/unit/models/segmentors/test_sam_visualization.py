import sys

import numpy as np
import pytest

from ssseg.modules.models.segmentors.sam import visualization
from ssseg.modules.utils import ResourceError, ShapeError

MASK = np.zeros((6, 8), dtype=bool)
MASK[2:4, 3:7] = True


class Axes:
    """Notes what is drawn."""

    def __init__(self):
        self.drawn = []

    def __getattr__(self, name):
        return lambda *args, **kwargs: self.drawn.append((name, args, kwargs))


@pytest.mark.parametrize("mask", [MASK, MASK[None], MASK.astype(np.float32)])
@pytest.mark.parametrize("random_color", [False, True])
def test_masks_are_drawn_where_they_are(mask, random_color):
    ax = Axes()
    visualization.showmask(mask, ax, random_color=random_color)
    ((name, (layer,), _),) = ax.drawn
    assert (name, layer.shape) == ("imshow", (6, 8, 4))
    np.testing.assert_array_equal(layer[..., 3] > 0, MASK)


def test_points_have_the_colours_of_their_labels():
    ax = Axes()
    visualization.showpoints(np.array([[1, 2], [3, 4]]), np.array([0, 1]), ax, marker_size=9)
    drawn = {kwargs["color"]: (args[0].tolist(), args[1].tolist()) for _, args, kwargs in ax.drawn}
    assert drawn == {"green": ([3], [4]), "red": ([1], [2])}


def test_boxes_are_closed():
    ax = Axes()
    visualization.showbox(np.array([1, 2, 5, 4]), ax)
    ((_, (x, y), _),) = ax.drawn
    assert list(zip(x, y, strict=True)) == [(1, 2), (5, 2), (5, 4), (1, 4), (1, 2)]


def test_small_masks_lie_on_large_ones():
    whole = np.ones_like(MASK)
    layers = visualization._layers([{"segmentation": MASK, "area": 8}, {"segmentation": whole, "area": 48}])
    assert len(np.unique(layers.reshape(-1, 4), axis=0)) == 2
    assert (layers[MASK] == layers[2, 3]).all()
    assert (layers[2, 3] != layers[0, 0]).any()


def test_annotations_are_drawn_with_matplotlib():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib import pyplot

    visualization.showanns([])
    figure, ax = pyplot.subplots()
    visualization.showanns([{"segmentation": MASK, "area": 8}])
    assert len(ax.images) == 1
    pyplot.close(figure)


def test_without_matplotlib_the_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ResourceError, match="pip install matplotlib"):
        visualization.showanns([{"segmentation": MASK, "area": 8}])


def test_overlays_change_masked_pixels_only():
    image = np.full((6, 8, 3), 200, np.uint8)
    made = visualization.overlay_masks(image, [MASK])
    assert made.dtype == np.uint8
    assert (made[~MASK] == 200).all()
    assert (made[MASK] != 200).any()
    with pytest.raises(ShapeError, match=r"a mask is \(3, 3\), the picture \(6, 8\)"):
        visualization.overlay_masks(image, [np.ones((3, 3), bool)])
