import sys

import numpy as np
import pytest

from ssseg.modules.models.segmentors.samv2 import visualization
from ssseg.modules.utils import ResourceError

MASK = np.zeros((9, 12), dtype=bool)
MASK[2:8, 3:10] = True
INSIDE = np.zeros_like(MASK)
INSIDE[4:6, 5:8] = True


class Axes:
    """Notes what is drawn."""

    def __init__(self):
        self.drawn = []

    def __getattr__(self, name):
        return lambda *args, **kwargs: self.drawn.append((name, args, kwargs))

    def layers(self):
        return [args[0] for name, args, _ in self.drawn if name == "imshow"]


class Pyplot:
    """Stands in for matplotlib.pyplot; its figures share their axes."""

    def __init__(self):
        self.ax, self.shown = Axes(), 0

    def subplots(self, **_):
        return None, self.ax

    def gca(self):
        return self.ax

    def show(self):
        self.shown += 1


@pytest.fixture
def pyplot(monkeypatch):
    made = Pyplot()
    package = type(sys)("matplotlib")
    package.pyplot = made
    monkeypatch.setitem(sys.modules, "matplotlib", package)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", made)
    return made


@pytest.mark.parametrize("mask", [MASK, MASK[None], MASK.astype(np.float32)])
def test_masks_have_outlines(mask):
    ax, plain = Axes(), Axes()
    visualization.showmask(mask, ax)
    visualization.showmask(mask, plain, borders=False)
    filled, outline = ax.layers()
    np.testing.assert_array_equal(filled[..., 3] > 0, MASK)
    assert (outline[MASK & ~INSIDE][:, 3] > 0).any()
    assert not outline[INSIDE].any()
    assert len(plain.layers()) == 1


def test_each_mask_has_a_figure(pyplot):
    image = np.zeros((9, 12, 3), np.uint8)
    visualization.showmasks(
        image, [MASK, INSIDE], [0.9, 0.123456], np.array([[1, 2]]), np.array([0, 0, 5, 5]), np.array([1])
    )
    drawn = [name for name, _, _ in pyplot.ax.drawn]
    assert pyplot.shown == 2
    assert [drawn.count(name) for name in ("imshow", "scatter", "plot", "set_title")] == [6, 4, 2, 2]
    assert ("set_title", ("Mask 2, score 0.123",), {"fontsize": 18}) in pyplot.ax.drawn
    pyplot.ax.drawn.clear()
    visualization.showmasks(image, [MASK], [0.9], borders=False)
    assert [name for name, _, _ in pyplot.ax.drawn] == ["imshow", "imshow", "axis"]


def test_everything_that_was_found(pyplot):
    anns = [{"segmentation": mask, "area": int(mask.sum())} for mask in (MASK, INSIDE)]
    visualization.showanns(anns)
    _, outline = pyplot.ax.layers()
    assert outline[2, 3].tolist() == pytest.approx([0, 0, 1, 0.4])
    assert outline[4, 5, 3] > 0
    assert not outline[3, 4].any()
    pyplot.ax.drawn.clear()
    visualization.showanns(anns, borders=False)
    visualization.showanns([])
    assert len(pyplot.ax.layers()) == 1


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ResourceError, match="showmasks needs the package matplotlib: pip install matplotlib"):
        visualization.showmasks(np.zeros((9, 12, 3), np.uint8), [MASK], [0.5])


def test_points_and_boxes_are_those_of_sam():
    ax = Axes()
    visualization.showbox(np.array([1, 2, 3, 4]), ax)
    visualization.showpoints(np.array([[1, 2]]), np.array([1]), ax)
    assert {name for name, _, _ in ax.drawn} == {"plot", "scatter"}
