"""The quick ways on what networks see and say: pictures of the embedded data set, scores of their classes."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ssseg.modules.datasets.pipelines import ConfusionMatrix
from ssseg.modules.models.upsampling import upsampled_cross_entropy, upsampled_labels
from ssseg.synthetic import CLASSES, VOID, draw_scene

SIZE = (144, 192)
K = len(CLASSES)


@pytest.fixture(scope="module")
def target():
    """Labels (1, H, W) int64 of a scene; its void is 255."""
    return torch.from_numpy(np.asarray(draw_scene((0, 0, 0), SIZE)[1])).long()[None]


@pytest.fixture(scope="module")
def scores(target):
    """Scores (1, K, 36, 48) of a network that sees the scene from a little aside."""
    hot = F.one_hot(target.where(target != VOID, 0).roll(2, dims=2), K).movedim(-1, 1).float()
    noise = torch.randn(1, K, 36, 48, generator=torch.Generator().manual_seed(0))
    return 8 * F.interpolate(hot, (36, 48), mode="bilinear", antialias=True) + 0.5 * noise


@pytest.mark.parametrize("align_corners", [False, True])
def test_label_maps_and_their_counts(scores, target, align_corners):
    labels = upsampled_labels(scores, SIZE, align_corners)
    expected = F.interpolate(scores, SIZE, mode="bilinear", align_corners=align_corners).argmax(dim=1)
    assert torch.equal(labels.long(), expected)
    matrix = ConfusionMatrix(K, VOID)
    matrix.update(labels, target)
    valid = target != VOID
    pairs = torch.bincount(target[valid] * K + expected[valid], minlength=K * K)
    assert torch.equal(torch.from_numpy(matrix.counts[:, :K]), pairs.view(K, K))
    assert 0.3 < matrix.metrics()["miou"] < 1


@pytest.mark.parametrize("align_corners", [False, True])
def test_losses(scores, target, align_corners):
    small, whole = scores.clone().requires_grad_(), scores.clone().requires_grad_()
    loss, weight = upsampled_cross_entropy(small, target, ignore_index=VOID, align_corners=align_corners)
    large = F.interpolate(whole, SIZE, mode="bilinear", align_corners=align_corners)
    expected = F.cross_entropy(large, target, ignore_index=VOID)
    (loss / weight).backward()
    expected.backward()
    torch.testing.assert_close(loss / weight, expected, rtol=1e-6, atol=0)
    assert (small.grad - whole.grad).abs().max() <= 1e-6 * whole.grad.abs().max()
