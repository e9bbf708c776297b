"""Online hard example mining."""

import pytest
import torch

from ssseg.modules.models.losses import CrossEntropyLoss
from ssseg.modules.models.samplers import OHEMPixelSampler
from ssseg.modules.utils import ConfigError, LabelError, ShapeError


@pytest.fixture
def batch():
    logits, labels = torch.randn(2, 4, 6, 7), torch.randint(0, 4, (2, 6, 7))
    labels[0, :2] = 255
    return logits, labels


def costs_and_probabilities(logits, labels):
    """Of the valid pixels, in the order of the pixels."""
    valid = labels != 255
    probability = logits.softmax(dim=1).gather(1, labels.where(valid, 0).unsqueeze(1))[:, 0][valid]
    return -probability.log(), probability


@pytest.mark.parametrize(("thresh", "min_kept"), [(0.3, 5), (0.05, 20), (None, 20), (0.9, 1), (0.0, 1)])
def test_keeps_what_is_below_the_threshold_and_at_least_so_many(batch, thresh, min_kept):
    logits, labels = batch
    kept, targets = OHEMPixelSampler(thresh, min_kept, ignore_index=255).sample(logits, labels)
    costs, probability = costs_and_probabilities(logits, labels)
    count = max(2 * min_kept, int((probability < (thresh or 0)).sum()))
    assert kept.shape == (count, 4)
    assert targets.shape == (count,)
    loss = CrossEntropyLoss()(kept, targets)
    torch.testing.assert_close(loss, costs.topk(count).values.mean())


def test_keeps_all_where_there_are_fewer_than_asked_for(batch):
    logits, labels = batch
    kept, targets = OHEMPixelSampler(0.5, 1000, ignore_index=255).sample(logits, labels)
    valid = labels != 255
    assert torch.equal(targets, labels[valid])
    assert torch.equal(kept, logits.movedim(1, -1)[valid])


def test_keeps_enough_where_all_are_equally_certain():
    logits = torch.zeros(1, 2, 4, 4)
    logits[:, 0] = 1000
    kept, _ = OHEMPixelSampler(0.7, 5).sample(logits, torch.zeros(1, 4, 4, dtype=torch.long))
    assert len(kept) >= 5


def test_nothing_but_ignored_pixels_keeps_none_and_costs_nothing(batch):
    logits, labels = batch
    logits.requires_grad_()
    kept, targets = OHEMPixelSampler(0.5, 10, ignore_index=255).sample(logits, torch.full_like(labels, 255))
    assert kept.shape == (0, 4)
    loss = CrossEntropyLoss()(kept, targets)
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


def test_only_kept_pixels_have_a_gradient(batch):
    logits, labels = batch
    logits.requires_grad_()
    kept, targets = OHEMPixelSampler(None, 3, ignore_index=255).sample(logits, labels)
    CrossEntropyLoss()(kept, targets).backward()
    assert (logits.grad.abs().sum(dim=1) > 0).sum() == 6


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.float32])
def test_labels_of_any_dtype(batch, dtype):
    logits, labels = batch
    sampler = OHEMPixelSampler(0.3, 5, ignore_index=255)
    for got, expected in zip(sampler.sample(logits, labels.to(dtype)), sampler.sample(logits, labels), strict=True):
        assert torch.equal(got, expected)


def test_one_channel_goes_by_its_sigmoid():
    logits = torch.tensor([3.0, -3.0, 3.0, -3.0]).view(1, 1, 2, 2)
    kept, targets = OHEMPixelSampler(0.5, 1).sample(logits, torch.tensor([[[1, 1], [0, 0]]]))
    assert kept.flatten().tolist() == [-3, 3]
    assert targets.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"thresh": 1.5}, r"thresh=1.5 must lie in \[0, 1\], or be None"),
        ({"thresh": -0.1}, "thresh=-0.1 must lie"),
        ({"min_kept_per_image": 0}, "min_kept_per_image=0 must be at least 1"),
    ],
)
def test_arguments_out_of_range(options, message):
    with pytest.raises(ConfigError, match=f"OHEMPixelSampler: {message}"):
        OHEMPixelSampler(**options)


def test_targets_that_do_not_fit(batch):
    logits, labels = batch
    with pytest.raises(ShapeError, match=r"OHEMPixelSampler: the target \(2, 6, 6\) does not fit .* \(2, 4, 6, 7\)"):
        OHEMPixelSampler().sample(logits, labels[..., :6])
    with pytest.raises(LabelError, match=r"OHEMPixelSampler: the labels 255 of 14 pixels .*ignore_index=255 would"):
        OHEMPixelSampler().sample(logits, labels)
