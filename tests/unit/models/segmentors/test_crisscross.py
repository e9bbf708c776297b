"""Criss-cross attention against its definition, place by place."""

import pytest
import torch

from ssseg.modules.models.segmentors.ccnet.crisscross import attend_crosswise


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (4, 1), (5, 3), (6, 6)])
@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_every_place_reads_its_row_and_its_column_once(size, scale):
    height, width = size
    query, key, value = (torch.randn(2, c, *size, dtype=torch.float64, requires_grad=True) for c in (3, 3, 4))
    expected = torch.empty(2, 4, *size, dtype=torch.float64)
    for n in range(2):
        for i in range(height):
            for j in range(width):
                seen = [(i, v) for v in range(width)] + [(g, j) for g in range(height) if g != i]
                scores = torch.stack([scale * query[n, :, i, j] @ key[n, :, a, b] for a, b in seen])
                values = torch.stack([value[n, :, a, b] for a, b in seen])
                expected[n, :, i, j] = scores.softmax(0) @ values
    found = attend_crosswise(scale * query, key, value)
    torch.testing.assert_close(found, expected)
    gradients = torch.autograd.grad(found.square().sum(), (query, key, value))
    for ours, plain in zip(gradients, torch.autograd.grad(expected.square().sum(), (query, key, value)), strict=True):
        torch.testing.assert_close(ours, plain)


def test_scores_too_large_for_exp_are_fine():
    query = torch.full((1, 1, 3, 3), 1e4)
    found = attend_crosswise(query, query, torch.ones(1, 2, 3, 3))
    torch.testing.assert_close(found, torch.ones(1, 2, 3, 3))
