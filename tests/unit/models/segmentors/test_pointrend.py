"""PointRend: where points lie, which are chosen, and what is done at them."""

import pytest
import torch

from ssseg.modules import BuildSegmentor, SSSegInputStructure
from ssseg.modules.models.segmentors.pointrend.points import (
    Subdivision,
    TrainingPoints,
    sample_labels_at,
    sample_map,
    uncertainty,
)
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import small


def with_head(**fields):
    cfg = small("PointRend")
    cfg["head"].update(fields)
    return cfg


def centres(height, width):
    """The points of all places of a map, row by row."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([(columns + 0.5) / width, (rows + 0.5) / height], dim=2).flatten(0, 1)[None]


def test_the_centre_of_a_place_has_its_value():
    x, labels = torch.randn(1, 3, 4, 6), torch.randint(0, 9, (1, 4, 6))
    torch.testing.assert_close(sample_map(x, centres(4, 6), False), x.flatten(2))
    assert torch.equal(sample_labels_at(labels, centres(4, 6), False), labels.flatten(1))


@pytest.mark.parametrize("align_corners", [True, False])
def test_labels_are_those_that_a_nearest_lookup_gives(align_corners):
    labels, points = torch.randint(0, 9, (2, 7, 5)), torch.rand(2, 200, 2)
    expected = torch.nn.functional.grid_sample(
        labels[:, None].double(), 2 * points[:, :, None].double() - 1, mode="nearest", align_corners=align_corners
    )
    assert torch.equal(sample_labels_at(labels, points, align_corners), expected[:, 0, :, 0].long())


def test_labels_on_the_very_edge_are_inside():
    labels = torch.full((1, 3, 4), 7)
    corners = torch.tensor([[[0.0, 0.0], [1.0, 1.0], [1.0, 0.0]]])
    for align_corners in (True, False):
        assert sample_labels_at(labels, corners, align_corners).tolist() == [[7, 7, 7]]


def test_half_precision_maps_keep_their_type():
    assert sample_map(torch.randn(1, 2, 3, 3).bfloat16(), torch.rand(1, 5, 2), False).dtype == torch.bfloat16


def test_uncertainty_is_highest_where_two_classes_tie():
    scores = torch.tensor([[[5.0, 1.0, 0.0], [5.0, 4.0, 3.0], [0.0, 0.0, 9.0]]])  # (1, 3 classes, 3 points)
    assert uncertainty(scores).tolist() == [[0.0, -3.0, -6.0]]


def test_a_single_class_is_uncertain_where_it_is_as_likely_as_not():
    assert uncertainty(torch.tensor([[[-3.0, 0.0, 2.0]]])).tolist() == [[-3.0, 0.0, -2.0]]


def test_training_points_lie_where_it_is_uncertain():
    scores = torch.zeros(2, 2, 8, 8)
    scores[:, 0, :, :4] = 10.0  # certain on the left, undecided on the right
    points = TrainingPoints(num_points=40, oversample_ratio=5, importance_sample_ratio=0.75).choose(scores)
    assert points.shape == (2, 40, 2)
    assert (points[:, :30, 0] > 0.5).all()
    assert (points[:, 30:, 0] < 0.5).any()


def test_subdivision_takes_the_least_certain_places():
    scores = torch.zeros(1, 2, 3, 4)
    scores[:, 0] = 5.0
    scores[0, 0, 1, 2] = scores[0, 0, 2, 0] = 0.0
    places, points = Subdivision(1, 2, 2).choose(scores)
    assert sorted(places[0].tolist()) == [1 * 4 + 2, 2 * 4]
    assert torch.equal(points, centres(3, 4)[:, places[0]])
    assert Subdivision(1, 100, 2).choose(scores)[0].shape == (1, 12)


def test_only_the_chosen_places_are_scored_again():
    test = {"subdivision_steps": 1, "subdivision_num_points": 9, "scale_factor": 2}
    segmentor = BuildSegmentor(with_head(test=test), "TEST")
    features = segmentor.transforminputs(segmentor.backbone_net(torch.randn(2, 3, 48, 64)), (0, 1, 2, 3))
    with torch.no_grad():
        coarse = segmentor.score(features)[1]
        refined = segmentor.predict(features)
    larger = torch.nn.functional.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)
    assert refined.shape == larger.shape == (2, 4, 24, 32)
    assert (refined != larger).any(dim=1).flatten(1).sum(dim=1).tolist() == [9, 9]


@pytest.mark.parametrize("norm", ["BatchNorm2d", "SyncBatchNorm", "InstanceNorm2d"])
def test_points_are_normalized_as_maps_are(norm):
    segmentor = BuildSegmentor(small("PointRend") | {"norm_cfg": {"type": norm, "affine": True}}, "TRAIN")
    sample = SSSegInputStructure(images=torch.randn(2, 3, 48, 64), seg_targets=torch.randint(0, 4, (2, 48, 64)))
    segmentor(sample).loss.backward()
    assert segmentor.fcs[0][1].weight.grad.abs().sum() > 0
    layer, x = segmentor.fcs[0], torch.randn(2, segmentor.fcs[0][0].in_channels, 50)
    dims = (2,) if norm == "InstanceNorm2d" else (0, 2)
    y = layer[0](x)
    expected = (y - y.mean(dims, keepdim=True)) / (y.var(dims, unbiased=False, keepdim=True) + 1e-5).sqrt()
    torch.testing.assert_close(layer(x), expected.relu(), rtol=1e-4, atol=1e-5)


def test_ignored_points_cost_nothing():
    segmentor = BuildSegmentor(small("PointRend"), "TRAIN")
    targets = torch.full((2, 48, 64), -100)
    assert segmentor(SSSegInputStructure(images=torch.randn(2, 3, 48, 64), seg_targets=targets)).loss.item() == 0.0


def test_more_levels_describe_a_point():
    segmentor = BuildSegmentor(with_head(pointrend_in_channels_list=[8, 8], coarse_pred_each_layer=False), "TRAIN")
    assert [layer[0].in_channels for layer in segmentor.fcs] == [8 + 8 + 4, 8]
    images = torch.randn(2, 3, 48, 64)
    assert segmentor(SSSegInputStructure(images=images, seg_targets=torch.zeros(2, 48, 64).long())).loss.isfinite()


def test_what_does_not_fit_is_named():
    with pytest.raises(ConfigError, match=r"\['pointrend_in_channels_list'\]: is \[16\], must be \[8\]"):
        BuildSegmentor(with_head(pointrend_in_channels_list=[16]), "TRAIN")
    with pytest.raises(ConfigError, match=r"\['auxiliary'\]: is None, must be one auxiliary head: PointRend"):
        BuildSegmentor(small("PointRend") | {"auxiliary": None}, "TRAIN")
    with pytest.raises(ConfigError, match=r"\['head'\]\['test'\]\['steps'\]"):
        BuildSegmentor(with_head(test={"steps": 2}), "TRAIN")
    train = {"num_points": 8, "oversample_ratio": 3}
    with pytest.raises(ConfigError, match=r"\['head'\]\['train'\].*importance_sample_ratio"):
        BuildSegmentor(with_head(train=train), "TRAIN")
