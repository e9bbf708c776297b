import pytest
import torch

from ssseg.modules.models.segmentors.dmnet.dcm import DynamicConvolutionalModule


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_each_image_is_convolved_with_its_own_filters(size):
    module = DynamicConvolutionalModule(3, 2, size, False, norm_cfg=None, act_cfg=None)
    x = torch.randn(2, 3, 5, 6)
    made = module(x)
    filters = module.filter_gen_conv(torch.nn.functional.adaptive_avg_pool2d(x, size))
    reduced = module.input_redu_conv(x)
    expected = torch.zeros_like(reduced)
    for row in range(size):
        for column in range(size):
            shifted = torch.roll(reduced, (size // 2 - row, size // 2 - column), (2, 3))
            expected += filters[:, :, row, column, None, None] * shifted
    inside = (..., slice(size, -size), slice(size, -size)) if size < 3 else (..., slice(2, 3), slice(2, 4))
    torch.testing.assert_close(made[inside], expected[inside])
    assert made.shape == reduced.shape
