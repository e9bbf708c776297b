import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ssseg.modules.models.backbones.bricks import AdaptivePaddingConv2d, SqueezeExcite, resize_like


@pytest.mark.parametrize("size", [(7, 8), (12, 5), (3, 3)])
@pytest.mark.parametrize(("kernel", "stride", "dilation"), [(3, 2, 1), (5, 2, 1), (5, 1, 2), (3, 2, 3), (1, 2, 1)])
def test_adaptive_padding_gives_the_size_over_the_stride_rounded_up(size, kernel, stride, dilation):
    conv = AdaptivePaddingConv2d(1, 1, kernel, stride=stride, dilation=dilation)
    assert conv(torch.randn(1, 1, *size)).shape[2:] == tuple(-(-n // stride) for n in size)


def test_adaptive_padding_is_symmetric_without_stride_and_one_sided_for_even_sizes_with():
    conv, x = AdaptivePaddingConv2d(2, 3, 3), torch.randn(1, 2, 6, 8)
    torch.testing.assert_close(conv(x), F.conv2d(x, conv.weight, conv.bias, padding=1))
    strided = AdaptivePaddingConv2d(2, 3, 3, stride=2)
    expected = F.conv2d(F.pad(x, (0, 1, 0, 1)), strided.weight, strided.bias, stride=2)
    torch.testing.assert_close(strided(x), expected)


def test_squeeze_and_excitation_follows_its_formula():
    layer, x = SqueezeExcite(40), torch.randn(2, 40, 5, 6)
    assert layer.conv1.conv.weight.shape == (16, 40, 1, 1)  # a quarter, rounded to a multiple of 8, never far below
    average = x.mean(dim=(2, 3))
    hidden = (average @ layer.conv1.conv.weight.flatten(1).T + layer.conv1.conv.bias).relu()
    gate = ((hidden @ layer.conv2.conv.weight.flatten(1).T + layer.conv2.conv.bias + 3) / 6).clamp(0, 1)
    torch.testing.assert_close(layer(x), x * gate[..., None, None])


def test_resize_like():
    x, other = torch.randn(1, 2, 3, 4), nn.Parameter(torch.randn(1, 7, 9, 5))
    assert resize_like(x, other).shape == (1, 2, 9, 5)
    assert resize_like(x, torch.randn(3, 4)) is x
    aligned = resize_like(x, other, align_corners=True)
    torch.testing.assert_close(aligned[..., 0, 0], x[..., 0, 0])
    torch.testing.assert_close(aligned[..., -1, -1], x[..., -1, -1])
