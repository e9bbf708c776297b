"""Attention against its formula written out."""

import pytest
import torch

from ssseg.modules.models.segmentors.base import SelfAttentionBlock, attend, weighted_means

LAYERS = {"norm_cfg": {"type": "BatchNorm2d"}, "act_cfg": {"type": "ReLU", "inplace": True}}


@pytest.mark.parametrize("scale", [None, 0.3])
def test_attend(scale):
    query, key, value = torch.randn(2, 6, 3, 4), torch.randn(2, 6, 5, 2), torch.randn(2, 7, 5, 2)
    scores = torch.einsum("nchw,ncgv->nhwgv", query, key) * (6**-0.5 if scale is None else scale)
    weights = scores.flatten(3).softmax(dim=3)
    expected = torch.einsum("nhws,ncs->nchw", weights, value.flatten(2))
    torch.testing.assert_close(attend(query, key, value, scale), expected)


def test_attend_keeps_the_shape_of_the_query():
    x = torch.randn(1, 4, 3, 5)
    assert attend(x, x.flatten(2), x.flatten(2)).shape == (1, 4, 3, 5)
    assert attend(x.flatten(2), x, x).shape == (1, 4, 15)


def test_weighted_means():
    x, scores = torch.randn(2, 3, 4, 5), torch.randn(2, 6, 4, 5)
    weights = scores.flatten(2).softmax(dim=2)
    torch.testing.assert_close(weighted_means(x, scores)[..., 0], torch.einsum("ncl,nkl->nck", x.flatten(2), weights))
    even = weighted_means(x, torch.zeros_like(scores))
    torch.testing.assert_close(even, x.mean(dim=(2, 3))[:, :, None, None].expand_as(even))


def test_names_of_projections():
    one = SelfAttentionBlock(4, 6, 2, 8, key_query_num_convs=2, value_out_norm=False, **LAYERS)
    assert [key for key in one.state_dict() if key.endswith("weight")] == [
        "key_project.0.0.weight",
        "key_project.0.1.weight",
        "key_project.1.0.weight",
        "key_project.1.1.weight",
        "query_project.0.0.weight",
        "query_project.0.1.weight",
        "query_project.1.0.weight",
        "query_project.1.1.weight",
        "value_project.weight",
        "out_project.weight",
    ]
    bare = SelfAttentionBlock(4, 4, 2, 8, key_query_norm=False, value_out_norm=False, with_out_project=False, **LAYERS)
    shapes = {key: tuple(value.shape[:2]) for key, value in bare.state_dict().items()}
    assert shapes == {"key_project.weight": (2, 4), "query_project.weight": (2, 4), "value_project.weight": (8, 4)}


def test_shared_projections_are_one_module():
    block = SelfAttentionBlock(4, 4, 2, 4, share_key_query=True, **LAYERS)
    assert block.key_project is block.query_project
    assert {"key_project.0.weight", "query_project.0.weight"} <= block.state_dict().keys()


def test_without_scaling_and_with_fewer_places():
    pool = torch.nn.MaxPool2d(2)
    block = SelfAttentionBlock(
        3, 5, 2, 7, matmul_norm=False, query_downsample=pool, key_downsample=torch.nn.AdaptiveAvgPool2d(1), **LAYERS
    ).eval()
    query, key = torch.randn(2, 5, 6, 8), torch.randn(2, 3, 9, 9)
    made = block(query, key)
    assert block.scale == 1.0
    assert made.shape == (2, 7, 3, 4)  # of a single key everybody gets the same
    value = block.out_project(torch.nn.functional.adaptive_avg_pool2d(block.value_project(key), 1))
    torch.testing.assert_close(made, value.expand_as(made))
