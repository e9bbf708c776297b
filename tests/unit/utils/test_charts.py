import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssseg.modules.utils.charts import Panel, apart, curves, log_ticks, nice_ticks, padded, running_mean

BLUE, RED = (0, 0, 255), (255, 0, 0)


def rows_of(picture, colour):
    return np.flatnonzero((picture == colour).all(2).any(1))


def test_higher_values_are_drawn_higher():
    series = {"low": ([0, 1, 2], [0.25] * 3), "high": ([0, 1, 2], [0.75] * 3)}
    picture = curves([Panel("a", series, colours={"low": BLUE, "high": RED}, limits=(0, 1))], size=(300, 400))
    assert picture.shape == (300, 400, 3)
    assert picture.dtype == np.uint8
    low, high = np.median(rows_of(picture, BLUE)), np.median(rows_of(picture, RED))
    plot = 300 - 52 - 46
    assert high == pytest.approx(46 + plot * 0.25, abs=2)
    assert low == pytest.approx(46 + plot * 0.75, abs=2)


def test_a_logarithmic_axis_spaces_ratios_evenly():
    heights = []
    for value in (0.01, 0.1, 1):
        panel = Panel("a", {"x": ([0, 1], [value] * 2)}, colours={"x": BLUE}, log=True, limits=(0.01, 1))
        heights.append(np.median(rows_of(curves([panel], (300, 400)), BLUE)))
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=2)
    assert heights[0] > heights[1] + 50


def test_panels_stand_side_by_side():
    panels = [Panel("a", {"x": ([0, 1], [1, 2])}, colours={"x": colour}) for colour in (BLUE, RED)]
    picture = curves(panels, (200, 300))
    assert picture.shape == (200, 600, 3)
    columns = [np.flatnonzero((picture == colour).all(2).any(0)) for colour in (BLUE, RED)]
    assert columns[0].max() < 300 <= columns[1].min()


def test_what_cannot_be_drawn_is_left_out():
    nothing = Panel("a", {"x": ([0, 1], [float("nan")] * 2), "y": ([], [])})
    assert (curves([nothing], (200, 300)) != 255).any()  # the title, and that there are no data
    holes = Panel("a", {"x": ([0, 1, 2, 3], [1, 0, float("nan"), 2])}, log=True)
    assert [list(values) for values in holes.lines()["x"]] == [[0, 3], [1, 2]]


def test_one_point_and_a_constant_are_drawn():
    for series in ({"x": ([3], [5.0])}, {"x": ([1, 2], [0.0, 0.0])}):
        assert len(rows_of(curves([Panel("a", series, colours={"x": BLUE})], (200, 300)), BLUE))


def test_smoothing_draws_the_values_pale():
    series = {"x": (np.arange(40), np.arange(40) % 2)}
    pictures = [curves([Panel("a", series, colours={"x": BLUE}, smooth=n)], (200, 300)) for n in (1, 9)]
    pale = (184, 184, 255)
    assert [len(rows_of(picture, pale)) > 20 for picture in pictures] == [False, True]


@given(st.floats(-1e6, 1e6), st.floats(1e-4, 1e6), st.integers(3, 9))
def test_ticks_are_few_round_and_inside(low, span, most):
    high = low + span
    ticks = nice_ticks(low, high, most)
    assert len(ticks) <= most
    assert all(low - 1e-6 * span <= tick <= high + 1e-6 * span for tick in ticks)
    steps = np.diff(ticks)
    if len(ticks) > 1:
        mantissa = float(f"{steps[0]:.3e}".split("e")[0])
        assert mantissa == pytest.approx(min((1, 2, 5, 10), key=lambda m: abs(m - mantissa)), abs=1e-2)


def test_known_ticks():
    assert nice_ticks(0, 1) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert nice_ticks(0, 20, 7) == [0, 5, 10, 15, 20]
    assert log_ticks(0.08, 3) == pytest.approx([0.1, 0.2, 0.5, 1, 2])
    assert log_ticks(0.21, 0.34) == pytest.approx(nice_ticks(0.21, 0.34))


def test_running_mean():
    np.testing.assert_allclose(running_mean(np.array([0.0, 3, 6, 9]), 3), [1.5, 3, 6, 7.5])
    np.testing.assert_allclose(running_mean(np.array([4.0, 5]), 1), [4, 5])


def test_limits_leave_room():
    assert padded(0, 1, log=False) == pytest.approx((-0.06, 1.06))
    low, high = padded(2, 2, log=False)
    assert low < 2 < high
    low, high = padded(0.1, 0.1, log=True)
    assert 0 < low < 0.1 < high


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8))
def test_names_do_not_cover_one_another(wanted):
    placed = apart(wanted, 15)
    order = sorted(range(len(wanted)), key=lambda k: wanted[k])
    assert all(placed[high] - placed[low] >= 15 - 1e-6 for low, high in itertools.pairwise(order))
    assert sum(placed) == pytest.approx(sum(wanted), abs=1e-6)


def test_names_with_room_stay_where_their_lines_end():
    assert apart([50, 10, 90], 15) == [50, 10, 90]
    assert apart([50, 10, 52], 10) == pytest.approx([46, 10, 56])
