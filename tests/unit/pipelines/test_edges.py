import numpy as np
import pytest

from ssseg.modules.datasets.pipelines.edges import EdgeExtractor
from ssseg.modules.utils.errors import ConfigError


def edges_of(labels, **cfg):
    return EdgeExtractor(**cfg)({"seg_target": np.array(labels, np.int16)})["edge_target"]


def test_border_between_two_labels():
    np.testing.assert_array_equal(
        edges_of([[0, 0, 1, 1]] * 3, edge_width=1), [[0, 1, 1, 0], [0, 1, 1, 0], [0, 1, 0, 0]]
    )


def test_width_of_the_border():
    edges = edges_of([[0] * 5 + [1] * 5] * 10, edge_width=5)
    assert edges.dtype == np.int16
    assert (edges[:8] == [0, 0, 1, 1, 1, 1, 1, 1, 0, 0]).all()  # two pixels, and two more on each side


def test_one_label_has_no_border():
    assert not edges_of(np.full((6, 6), 3)).any()


@pytest.mark.parametrize("ignore", [-100, 255])
def test_borders_with_ignored_pixels_are_none(ignore):
    assert not edges_of([[0, 0, ignore, 1, 1]] * 3, ignore_index=ignore).any()


def test_without_labels_nothing_happens():
    assert EdgeExtractor()({"id": "a"}) == {"id": "a"}


@pytest.mark.parametrize(
    ("cfg", "message"),
    [
        ({"edge_width": 0}, "EdgeExtractor: edge_width=0 must be a whole number of at least 1"),
        ({"ignore_index": None}, "EdgeExtractor: ignore_index=None must be a whole number"),
    ],
)
def test_refuses(cfg, message):
    with pytest.raises(ConfigError, match=message):
        EdgeExtractor(**cfg)
