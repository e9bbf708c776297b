import random

import pytest
import torch

from ssseg.modules import BuildSegmentor, SSSegInputStructure
from ssseg.modules.models.segmentors.idrnet import relations
from ssseg.modules.models.segmentors.idrnet.relations import (
    choose_classes,
    evaluating,
    measure_effects,
    mix_vectors,
    present_classes,
)
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import small


def test_only_present_classes_are_mixed():
    vectors, table = torch.randn(1, 4, 3), torch.randn(4, 4)
    mixed = mix_vectors(vectors, table, torch.tensor([[True, False, True, False]]))
    torch.testing.assert_close(mixed[0], table[:, [0, 2]].softmax(dim=1) @ vectors[0, [0, 2]])
    assert mix_vectors(vectors, table, torch.zeros(1, 4, dtype=torch.bool)).isfinite().all()


def test_present_classes():
    scores = torch.zeros(1, 3, 1, 2)
    scores[0, 2, 0, 0] = scores[0, 0, 0, 1] = 1
    assert present_classes(scores).tolist() == [[True, False, True]]


def test_classes_that_were_drawn_often_are_drawn_seldom():
    random.seed(0)
    present = torch.tensor([[True, True, False]]).expand(500, -1)
    drawn = choose_classes(present, torch.tensor([1.0, 9.0, 1e-6]))
    assert set(drawn) == {0, 1}
    assert 0.85 < drawn.count(0) / 500 < 0.95


def test_effects_against_loops(monkeypatch):
    before, after, labels = torch.randn(4, 3, 2, 5), torch.randn(4, 3, 2, 5), torch.randint(-1, 3, (4, 2, 5))
    deleted = [0, 2, 0, 1]
    mean, variance, seen = measure_effects(before, after, labels, deleted)
    for i in range(3):
        for j in range(3):
            images = [n for n in range(4) if deleted[n] == j]
            values = torch.cat([(before - after)[n, i][labels[n] == i] for n in images])
            assert seen[i, j] == (i != j and len(values) > 0)
            if seen[i, j]:
                assert mean[i, j].item() == pytest.approx(values.mean().item(), abs=1e-5)
                assert variance[i, j].item() == pytest.approx(values.var(unbiased=False).item(), abs=1e-5)
    sums = []
    monkeypatch.setattr(relations, "all_reduce", lambda tensor: sums.append(tensor) or tensor)
    measure_effects(before[2:], after[2:], labels[2:], deleted[2:])
    monkeypatch.setattr(relations, "all_reduce", lambda tensor: tensor + sums[0])
    shared = measure_effects(before[:2], after[:2], labels[:2], deleted[:2])
    for made, expected in zip(shared, (mean, variance, seen), strict=True):
        torch.testing.assert_close(made, expected)


def test_evaluating_gives_back_the_modes_that_were():
    parts = torch.nn.Sequential(torch.nn.Dropout(), torch.nn.BatchNorm1d(2).eval())
    with evaluating(parts):
        assert not any(part.training for part in parts.modules())
    assert [part.training for part in parts] == [True, False]


def test_what_training_learns_is_saved_and_measuring_leaves_no_trace():
    random.seed(1)
    segmentor = BuildSegmentor(small("IDRNet"), "TRAIN")
    start = {key: value.clone() for key, value in segmentor.state_dict().items()}
    labels = torch.randint(0, 3, (3, 48, 64))
    segmentor(SSSegInputStructure(images=torch.randn(3, 3, 48, 64), seg_targets=labels))
    state = segmentor.state_dict()
    assert state["selected_classes_counter"].sum().item() == pytest.approx(3, abs=1e-4)
    assert not torch.equal(state["dl_cls_representations"][:3], start["dl_cls_representations"][:3])
    assert torch.equal(state["dl_cls_representations"][3], start["dl_cls_representations"][3])
    assert not torch.equal(state["class_relations_mean"], start["class_relations_mean"])
    assert state["decoder_stage2.1.num_batches_tracked"] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"use_fpn_before": True, "use_fpn_after": False},
        {"use_sa_on_coarsecontext_before": True},
        {"force_stage1_use_oripr": True},
        {"coarse_context": None, "fpn": None},
    ],
)
def test_other_orders_of_stages(change):
    cfg = small("IDRNet")
    cfg["head"] |= change
    segmentor = BuildSegmentor(cfg, "TEST")
    scores = segmentor(SSSegInputStructure(mode="TEST", images=torch.randn(1, 3, 48, 64))).seg_logits
    assert scores.shape == ((1, 4, 12, 16) if cfg["head"]["fpn"] else (1, 4, 6, 8))


def test_one_pyramid_only():
    cfg = small("IDRNet")
    cfg["head"]["use_fpn_before"] = True
    with pytest.raises(ConfigError, match="use_fpn_before and use_fpn_after are both True"):
        BuildSegmentor(cfg, "TRAIN")
