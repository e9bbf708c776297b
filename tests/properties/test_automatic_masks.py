"""Laws of what finds everything in a picture."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssseg.modules.models.segmentors.sam.automatic import (
    area_of_rle,
    boxes_of_masks,
    coco_rle,
    crop_boxes,
    mask_of_rle,
    nms,
    point_grids,
    remove_small_regions,
    rle_of_mask,
    stability_score,
)

sides = st.integers(0, 6)
boxes = st.lists(st.tuples(sides, sides, sides, sides), max_size=12)
scores = st.sampled_from([0.0, 0.25, 0.5, 1.0])  # few, so that there are ties
masks = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1), st.sampled_from([0.1, 0.5, 0.9]))


def mask_of(drawn):
    height, width, seed, share = drawn
    return np.random.RandomState(seed).random((height, width)) < share


def overlap(a, b):
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(w, 0) * max(h, 0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / union if union else 0.0


@given(corners=boxes, data=st.data(), threshold=st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0]))
def test_suppression_equals_the_definition(corners, data, threshold):
    corners = [(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)) for x0, y0, x1, y1 in corners]
    values = data.draw(st.lists(scores, min_size=len(corners), max_size=len(corners)))
    kept = []
    for i in sorted(range(len(corners)), key=lambda i: -values[i]):  # stable
        if all(overlap(corners[i], corners[j]) <= threshold for j in kept):
            kept.append(i)
    made = nms(torch.tensor(corners).reshape(-1, 4), torch.tensor(values), threshold)
    assert made.tolist() == kept


@given(masks)
def test_run_lengths_give_the_mask_back(drawn):
    mask = mask_of(drawn)
    rle = rle_of_mask(mask)
    np.testing.assert_array_equal(mask_of_rle(rle), mask)
    assert area_of_rle(rle) == mask.sum()
    assert all(count > 0 for count in rle["counts"][1:])
    assert sum(rle["counts"]) == mask.size


def decoded(text):
    """Run lengths of COCO's string: five bits a character, differences to the one before the last."""
    counts, place = [], 0
    while place < len(text):
        number, shift, more = 0, 0, True
        while more:
            code = ord(text[place]) - 48
            number |= (code & 31) << shift
            more, shift, place = bool(code & 32), shift + 5, place + 1
            if not more and code & 16:
                number -= 1 << shift
        counts.append(number + (counts[-2] if len(counts) > 2 else 0))
    return counts


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_coco_strings_can_be_read_back(counts):
    made = coco_rle({"size": [1, sum(counts)], "counts": counts})
    assert decoded(made["counts"]) == counts
    assert made["counts"].isascii()


@given(masks)
def test_boxes_are_the_extents(drawn):
    mask = mask_of(drawn)
    rows, columns = np.nonzero(mask)
    expected = [columns.min(), rows.min(), columns.max(), rows.max()] if len(rows) else [0, 0, 0, 0]
    assert boxes_of_masks(torch.from_numpy(mask)).tolist() == expected


@given(drawn=masks, area=st.integers(1, 12), kind=st.sampled_from(["holes", "islands"]))
def test_small_regions_go_once(drawn, area, kind):
    mask = mask_of(drawn)
    made, changed = remove_small_regions(mask, area, kind)
    assert changed == (made != mask).any() or (kind == "islands" and mask.any())
    assert (made | ~mask).all() if kind == "holes" else (mask | ~made).all()
    again, _ = remove_small_regions(made, area, kind)
    np.testing.assert_array_equal(again, made)
    assert made.any() == mask.any() or kind == "holes"


@given(seed=st.integers(0, 2**32 - 1), offset=st.floats(0, 3))
def test_stability_is_a_share_and_falls_with_the_offset(seed, offset):
    logits = torch.from_numpy(np.random.RandomState(seed).standard_normal((4, 5, 6)))
    near, far = (stability_score(logits, 0.0, shift) for shift in (offset, offset + 1))
    assert ((near >= far) & (near <= 1) & (far >= 0)).all()


@given(size=st.tuples(st.integers(1, 300), st.integers(1, 300)), layers=st.integers(0, 3), ratio=st.floats(0, 0.5))
def test_crops_cover_the_picture(size, layers, ratio):
    covered = [np.zeros(size, dtype=bool) for _ in range(layers + 1)]
    for (x0, y0, x1, y1), layer in crop_boxes(size, layers, ratio):
        assert 0 <= x0 < x1 <= size[1]
        assert 0 <= y0 < y1 <= size[0]
        covered[layer][y0:y1, x0:x1] = True
    assert all(layer.all() for layer in covered)


@pytest.mark.parametrize("count", [1, 2, 5, 32])
def test_grids_are_even_and_get_sparser(count):
    grids = point_grids(count, 2, 2)
    assert [len(grid) for grid in grids] == [count**2, (count // 2) ** 2, (count // 4) ** 2]
    np.testing.assert_allclose(grids[0].mean(axis=0), 0.5)
    np.testing.assert_allclose(np.unique(grids[0][:, 0]), (np.arange(count) + 0.5) / count)
