"""Resizing as two products of matrices equals `F.interpolate`."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from ssseg.modules.models.segmentors.base import resize
from ssseg.modules.models.upsampling.matrices import pays_as_matrices, resize_as_matrices

sides = st.tuples(st.integers(1, 17), st.integers(1, 17))


@given(sides, sides, st.booleans())
def test_values_and_gradients(given_size, added, align_corners):
    size = tuple(a + b for a, b in zip(given_size, added, strict=True))
    x = torch.randn(2, 3, *given_size, requires_grad=True)
    results = [resize_as_matrices(x, size, align_corners), F.interpolate(x, size, None, "bilinear", align_corners)]
    torch.testing.assert_close(*results, rtol=1e-6, atol=2e-6)
    goal = torch.randn_like(results[0])
    gradients = [torch.autograd.grad((result * goal).sum(), x)[0] for result in results]
    torch.testing.assert_close(*gradients, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_types_stay_also_within_autocast(dtype):
    x = torch.randn(1, 4, 5, 6, dtype=dtype)
    expected = F.interpolate(x, (20, 24), mode="bilinear")
    with torch.autocast("cpu", torch.bfloat16):
        result = resize(x, (20, 24), align_corners=False)
    assert result.dtype == dtype
    rounding = {"rtol": 0.016, "atol": 0.01} if dtype == torch.bfloat16 else {"rtol": 1e-7, "atol": 1e-7}
    torch.testing.assert_close(result, expected, **rounding)
    full = torch.randn(1, 4, 5, 6)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(resize(full, (20, 24), False), F.interpolate(full, (20, 24), mode="bilinear"))


def test_only_small_maps_that_grow_on_a_cpu():
    assert pays_as_matrices(torch.empty(1, 1, 32, 16), (512, 512))
    assert pays_as_matrices(torch.empty(1, 1, 50, 50), (64, 64))
    assert not pays_as_matrices(torch.empty(1, 1, 64, 64), (512, 512))
    assert not pays_as_matrices(torch.empty(1, 1, 32, 32), (16, 64))
    assert not pays_as_matrices(torch.empty(1, 1, 32, 32, device="meta"), (64, 64))


def test_exported_graphs_hold_the_operation_itself():
    class Enlarge(torch.nn.Module):
        def forward(self, x):
            return resize(x, (16, 16), align_corners=False)

    graph = str(torch.export.export(Enlarge(), (torch.randn(1, 2, 4, 4),)).graph)
    assert "upsample_bilinear2d" in graph
