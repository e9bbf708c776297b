import pytest
import torch

from ssseg.modules import BuildSegmentor, SSSegInputStructure
from ssseg.modules.models.segmentors.mcibi import class_means, momentum_for, update
from ssseg.modules.models.segmentors.mcibi.memory import FeaturesMemory
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import small

MOMENTUM = {"base_momentum": 0.4, "base_lr": 0.01, "adjust_by_learning_rate": True}


def memory_of(vectors):
    memory = FeaturesMemory(len(vectors), 5, 4, 5, False, False, align_corners=False, norm_cfg=None, act_cfg=None)
    memory.memory.copy_(vectors[:, None])
    return memory


def batch():
    labels = torch.randint(0, 3, (4, 8, 10))
    labels[:, 0] = 255
    return torch.randn(4, 5, 4, 5), labels


@pytest.mark.parametrize("strategy", ["mean", "cosine_similarity"])
def test_update_against_loops(strategy):
    vectors = torch.randn(5, 5)
    vectors[1] = 0  # not seen yet; the classes 3 and 4 do not occur
    memory, (features, labels) = memory_of(vectors), batch()
    cfg = {"strategy": strategy, "ignore_index": 255, "momentum_cfg": MOMENTUM}
    memory.update(features, labels, cfg, learning_rate=0.005)
    pixels = torch.nn.functional.interpolate(features, labels.shape[1:], mode="bilinear").movedim(1, -1)
    expected = vectors.clone()
    for label in range(3):
        of_class = pixels[labels == label]
        weights = torch.ones(len(of_class))
        if strategy == "cosine_similarity" and label != 1:
            weights = 1 - torch.cosine_similarity(of_class, vectors[label][None])
        mean = (of_class * weights[:, None]).sum(dim=0) / weights.sum()
        expected[label] = mean if label == 1 else 0.8 * vectors[label] + 0.2 * mean
    torch.testing.assert_close(memory.memory[:, 0], expected)


def test_two_processes_learn_what_one_learns_of_both_batches(monkeypatch):
    features, labels = batch()
    labels[2:] = labels[2:].masked_fill(labels[2:] == 0, 255)  # the second process does not see the first class
    unlike = torch.randn(4, 5)
    means, present = class_means(features, labels, 4, False, unlike)
    sums = []
    monkeypatch.setattr(update, "all_reduce", lambda tensor: sums.append(tensor) or tensor)
    class_means(features[2:], labels[2:], 4, False, unlike)
    monkeypatch.setattr(update, "all_reduce", lambda tensor: tensor + sums[0])
    made, seen = class_means(features[:2], labels[:2], 4, False, unlike)
    torch.testing.assert_close(made, means)
    assert seen.tolist() == present.tolist() == [True, True, True, False]


def test_momentum_follows_the_learning_rate():
    assert momentum_for(MOMENTUM, 0.0025) == pytest.approx(0.1)
    assert momentum_for({**MOMENTUM, "adjust_by_learning_rate": False}, None) == 0.4
    with pytest.raises(ConfigError, match=r"\['momentum_cfg'\]: adjust_by_learning_rate needs 'base_lr'"):
        momentum_for(MOMENTUM, None)


@pytest.mark.parametrize(("epoch", "logged"), [(1, False), (2, True)])
def test_the_memory_is_classified_from_the_second_epoch_on(epoch, logged):
    segmentor = BuildSegmentor(small("MCIBI"), "TRAIN")
    assert segmentor.wants_progress
    sample = SSSegInputStructure(images=torch.randn(2, 3, 48, 64), seg_targets=torch.randint(0, 4, (2, 48, 64)))
    result = segmentor(sample, learning_rate=0.01, epoch=epoch)
    assert ("loss_memory" in result.losses_log_dict) is logged
    assert segmentor.state_dict()["memory_module.memory"].abs().sum() > 0


def test_maps_are_made_smaller_and_normalized():
    cfg = small("MCIBI")
    cfg["backbone"] |= {"selected_indices": (3, 3)}
    cfg["auxiliary"]["in_channels"] = 64
    cfg["head"]["norm_cfg"] = {"type": "LayerNorm", "in_channels_list": [64, 64]}
    cfg["head"]["downsample_backbone"]["stride"] = 2
    segmentor = BuildSegmentor(cfg, "TEST")
    scores = segmentor(SSSegInputStructure(mode="TEST", images=torch.randn(1, 3, 48, 64))).seg_logits
    assert scores.shape == (1, 4, 3, 4)
    assert segmentor.state_dict()["norm_layers.1.weight"].shape == (64,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_feats_per_cls": 2}, r"\['num_feats_per_cls'\]: is 2, only 1"),
        ({"context_within_image": {"is_on": True, "type": "asp", "cfg": {}}}, r"'asp' .* Did you mean 'aspp'"),
        ({"context_within_image": {"is_on": True, "type": "aspp", "cfg": {}}}, r"'aspp' needs 'dilations'"),
    ],
)
def test_heads_that_cannot_be_built(change, message):
    cfg = small("MCIBI")
    cfg["head"] |= change
    with pytest.raises(ConfigError, match=message):
        BuildSegmentor(cfg, "TRAIN")


def test_an_unknown_strategy():
    cfg = {"strategy": "cosine", "ignore_index": 255, "momentum_cfg": MOMENTUM}
    with pytest.raises(ConfigError, match=r"\['strategy'\]: is 'cosine'.* one of cosine_similarity, mean"):
        memory_of(torch.randn(3, 5)).update(*batch(), cfg, 0.01)
