import pytest
import torch

from ssseg.modules import BuildSegmentor, SSSegInputStructure
from ssseg.modules.models.segmentors.ce2p.ce2p import balanced
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import small


def sample(edge_targets):
    labels = torch.randint(0, 4, (2, 48, 64))
    return SSSegInputStructure(images=torch.randn(2, 3, 48, 64), seg_targets=labels, edge_targets=edge_targets)


def test_targets_without_edges_name_the_transform():
    with pytest.raises(ConfigError, match=r"'edge_targets'.*'EdgeExtractor'"):
        BuildSegmentor(small("CE2P"), "TRAIN")(sample(None))


@pytest.mark.parametrize("value", [0, 1, -100])
def test_edges_everywhere_or_nowhere(value):
    result = BuildSegmentor(small("CE2P"), "TRAIN")(sample(torch.full((2, 48, 64), value)))
    assert result.loss.isfinite()


def test_rare_edges_weigh_more_in_every_loss_of_a_list():
    losses = balanced([{"type": "CrossEntropyLoss"}, {"type": "FocalLoss"}], [0.1, 0.9])
    assert [loss["class_weight"] for loss in losses] == [[0.1, 0.9]] * 2


def test_losses_without_weights_of_classes_stay_as_they_are():
    cfg = small("CE2P")
    cfg["losses"]["loss_edge"] = [{"type": "CrossEntropyLoss"}, {"type": "DiceLoss"}]
    result = BuildSegmentor(cfg, "TRAIN")(sample(torch.randint(0, 2, (2, 48, 64))))
    assert result.loss.isfinite()
