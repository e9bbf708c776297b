import pytest
import torch

from ssseg.modules import BuildSegmentor
from ssseg.modules.models.segmentors.base import resize_like
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import small


@pytest.mark.parametrize(("linear", "order"), [(False, 1), (True, -1)])
def test_levels_are_joined_finest_first_or_linear_ones_last(linear, order):
    """Mixed at their own sizes, they give what the joined map of all levels gives."""
    cfg = small("Segformer")
    cfg["head"]["linear_levels"] = linear
    segmentor = BuildSegmentor(cfg, "TRAIN").eval()
    features = [torch.randn(1, width, size, size) for width, size in ((8, 8), (16, 4), (32, 2), (64, 1))]
    levels = [conv(x) for conv, x in zip(segmentor.convs, features, strict=True)]
    joined = torch.cat([resize_like(x, levels[0], align_corners=False) for x in levels[::order]], dim=1)
    expected, scores = segmentor.decoder(joined), segmentor.predict(features)
    assert scores.shape == (1, 4, 8, 8)
    torch.testing.assert_close(scores, expected)
    parameters = list(segmentor.convs.parameters()) + list(segmentor.decoder.parameters())
    goal = torch.randn_like(scores)
    gradients = [torch.autograd.grad((x * goal).sum(), parameters, retain_graph=True) for x in (scores, expected)]
    torch.testing.assert_close(*gradients)


def test_levels_are_projected_linearly_where_asked_for():
    cfg = small("Segformer")
    cfg["head"]["linear_levels"] = True
    segmentor = BuildSegmentor(cfg, "TEST")
    assert [len(conv) for conv in segmentor.convs] == [1] * 4


def test_any_number_of_levels():
    cfg = small("Segformer")
    cfg["backbone"]["selected_indices"], cfg["head"]["in_channels_list"] = (0, 2), [8, 32]
    assert len(BuildSegmentor(cfg, "TEST").convs) == 2
    cfg["head"]["in_channels_list"] = [8, 16]
    with pytest.raises(ConfigError, match=r"\['head'\]\['in_channels_list'\]: is \[8, 16\], but must be 8, 32"):
        BuildSegmentor(cfg, "TEST")
