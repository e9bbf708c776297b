"""The assignment solver against every possible assignment, and against SciPy's where that is installed."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from ssseg.modules.models.segmentors.maskclassification import assign
from ssseg.modules.utils import DivergedError

SMALL = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=5)
LARGE = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40)
TIES = st.integers(-3, 3).map(float)  # few values: many assignments cost the same
FLOATS = st.floats(-1e6, 1e6, width=32)


def assert_one_to_one(pairs, shape):
    rows, columns = pairs
    assert len(rows) == len(columns) == min(shape)
    assert (np.diff(rows) > 0).all()
    assert len(set(columns.tolist())) == len(columns)
    assert all(0 <= row < shape[0] and 0 <= column < shape[1] for row, column in zip(rows, columns, strict=True))


def least(cost):
    short = cost if cost.shape[0] <= cost.shape[1] else cost.T
    rows = np.arange(len(short))
    return min(short[rows, list(columns)].sum() for columns in permutations(range(short.shape[1]), len(short)))


@given(st.one_of(arrays(np.float64, SMALL, elements=TIES), arrays(np.float64, SMALL, elements=FLOATS)))
def test_no_assignment_costs_less(cost):
    pairs = assign(cost)
    assert_one_to_one(pairs, cost.shape)
    assert cost[pairs].sum() == pytest.approx(least(cost), rel=1e-9, abs=1e-9 * abs(cost).max())


@given(st.one_of(arrays(np.float32, LARGE, elements=TIES), arrays(np.float32, LARGE, elements=FLOATS)))
def test_as_good_as_scipy(cost):
    optimize = pytest.importorskip("scipy.optimize", reason="scipy is not installed")
    pairs, expected = assign(cost), optimize.linear_sum_assignment(cost)
    assert_one_to_one(pairs, cost.shape)
    cost = cost.astype(np.float64)
    assert cost[pairs].sum() == pytest.approx(cost[expected].sum(), rel=1e-9, abs=1e-9 * abs(cost).max())


@given(arrays(np.float64, SMALL, elements=st.floats(0, 1)), st.sampled_from([np.nan, np.inf, -np.inf]), st.data())
def test_costs_that_are_not_finite_are_an_error(cost, wrong, data):
    place = tuple(data.draw(st.integers(0, side - 1)) for side in cost.shape)
    cost[place] = wrong
    with pytest.raises(DivergedError, match=rf"1 of {cost.size} costs of pairs are not finite"):
        assign(cost)


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (4, 0)])
def test_nothing_to_assign(shape):
    assert [len(part) for part in assign(np.zeros(shape))] == [0, 0]
