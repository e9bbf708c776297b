"""Sampling all predictions of a step."""

import pytest
import torch

from ssseg.modules.models.samplers import BasePixelSampler


class FirstRow(BasePixelSampler):
    def sample(self, seg_logits, seg_targets):
        return seg_logits[..., 0, :], seg_targets[..., 0, :]


def test_each_prediction_gets_a_target_of_its_own():
    predictions = {"loss_cls": torch.rand(2, 3, 4, 5), "loss_edge": torch.rand(2, 3, 4, 5)}
    annotations = {"seg_targets": torch.rand(2, 4, 5), "edge_targets": torch.rand(2, 4, 5)}
    mapping = {"loss_cls": "seg_targets", "loss_edge": "edge_targets"}
    sampled, targets = FirstRow()(predictions, annotations, mapping)
    assert list(sampled) == ["loss_cls", "loss_edge"]
    assert list(targets) == ["seg_targets", "edge_targets", "loss_cls", "loss_edge"]
    assert sampled["loss_edge"].equal(predictions["loss_edge"][:, :, 0])
    assert targets["loss_edge"].equal(annotations["edge_targets"][:, 0])
    assert list(annotations) == ["seg_targets", "edge_targets"]


def test_without_a_mapping_all_are_compared_with_seg_targets():
    targets = torch.rand(2, 4, 5)
    _, annotations = FirstRow()({"loss_cls": torch.rand(2, 3, 4, 5)}, {"seg_targets": targets})
    assert annotations["loss_cls"].equal(targets[:, 0])


def test_a_sampler_must_write_sample():
    class Lazy(BasePixelSampler):
        pass

    with pytest.raises(NotImplementedError, match=r"Lazy does not write sample\(\)"):
        Lazy().sample(torch.rand(1), torch.rand(1))
