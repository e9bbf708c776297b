"""Uncertainty-guided points."""

import pytest
import torch

from ssseg.modules.models.samplers import UGSampler, sample_points
from ssseg.modules.utils import ConfigError, ShapeError


def test_points_read_pixels_at_their_centres_and_blend_between_them():
    maps = torch.arange(6.0).view(1, 1, 2, 3)
    points = torch.tensor([[[0.5 / 3, 0.25], [2.5 / 3, 0.75], [0.5, 0.5], [2 / 3, 0.25]]])
    torch.testing.assert_close(sample_points(maps, points), torch.tensor([[[0.0, 5.0, 2.5, 1.5]]]))


def test_points_of_half_precision_maps_are_not_rounded():
    ramp = torch.arange(256.0).expand(1, 1, 256)
    logits, targets = UGSampler(100, reformat_target=False).sample(ramp.bfloat16(), ramp)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits, targets)


def test_takes_the_most_uncertain_candidates_and_fills_up_evenly():
    logits = torch.randn(3, 8, 9)
    torch.manual_seed(5)
    candidates = torch.rand(3, 30, 2)
    even = torch.rand(3, 3, 2)
    torch.manual_seed(5)
    got, _ = UGSampler(10, 3.0, 0.75, reformat_target=False).sample(logits, torch.zeros(3, 16, 18))
    assert got.shape == (3, 10)
    at_candidates = sample_points(logits.unsqueeze(1), candidates)[:, 0]
    expected = at_candidates.gather(1, at_candidates.abs().argsort(dim=1)[:, :7])
    torch.testing.assert_close(got[:, :7].sort(dim=1).values, expected.sort(dim=1).values)
    torch.testing.assert_close(got[:, 7:], sample_points(logits.unsqueeze(1), even)[:, 0])


@pytest.mark.parametrize("ratio", [0.0, 0.5, 1.0])
def test_logits_and_targets_are_read_at_the_same_points(ratio):
    logits = torch.randn(2, 8, 9, requires_grad=True)
    got, target = UGSampler(12, 2.0, ratio, reformat_target=False).sample(logits, logits.detach())
    torch.testing.assert_close(got, target)
    assert not target.requires_grad
    got.sum().backward()
    assert logits.grad.abs().sum() > 0


def test_no_mask_gives_no_point():
    logits, target = UGSampler(12, reformat_target=False).sample(torch.zeros(0, 8, 9), torch.zeros(0, 8, 9))
    assert logits.shape == target.shape == (0, 12)


def test_a_label_map_becomes_a_mask_for_each_class():
    labels = torch.full((2, 8, 8), -100, dtype=torch.int16)
    labels[0], labels[1, :, :4] = 1, 2
    torch.manual_seed(0)
    logits, target = UGSampler(50).sample(torch.randn(2, 3, 4, 4), labels)
    assert logits.shape == target.shape == (6, 50)
    assert target[[0, 2, 3, 4]].abs().sum() == 0
    assert target[1].mean() > 0.8
    assert 0.2 < target[5].mean() < 0.8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_points": 0}, "num_points=0 must be at least 1"),
        ({"num_points": 4, "oversample_ratio": 0.5}, "oversample_ratio=0.5 must be at least 1"),
        ({"num_points": 4, "importance_sample_ratio": 1.5}, r"importance_sample_ratio=1.5 must lie in \[0, 1\]"),
    ],
)
def test_arguments_out_of_range(options, message):
    with pytest.raises(ConfigError, match=f"UGSampler: {message}"):
        UGSampler(**options)


@pytest.mark.parametrize(("logits", "targets"), [((2, 3, 4, 4), (2, 4, 4)), ((2, 4, 4), (3, 4, 4)), ((2, 4), (2, 4))])
def test_shapes_that_do_not_fit(logits, targets):
    with pytest.raises(ShapeError, match=r"UGSampler: the prediction \(2, .* need reformat_target=True"):
        UGSampler(4, reformat_target=False).sample(torch.zeros(logits), torch.zeros(targets))
