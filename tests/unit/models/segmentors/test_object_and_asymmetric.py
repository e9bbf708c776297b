"""OCRNet and ANNNet, also with maps that ask at fewer places."""

import pytest
import torch
from torch import nn

from ssseg.modules import BuildSegmentor, SSSegInputStructure
from ssseg.modules.models.segmentors.annnet.asymmetric import PooledPlaces
from ssseg.modules.models.segmentors.base import resize_like
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import small


def with_head(name, **fields):
    cfg = small(name)
    cfg["head"].update(fields)
    return cfg


def sample(height=40, width=56):
    images = torch.randn(2, 3, height, width)
    return SSSegInputStructure(images=images, seg_targets=torch.randint(0, 4, (2, height, width)))


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_objects_are_asked_for_at_fewer_places(scale):
    segmentor = BuildSegmentor(with_head("OCRNet", scale=scale), "TEST")
    block, feats, objects = segmentor.object_context_block, torch.randn(1, 8, 5, 7), torch.randn(1, 8, 4, 1)
    query = block.query_project(feats)
    query = nn.functional.max_pool2d(query, scale, ceil_mode=True) if scale > 1 else query
    key, value = block.key_project(objects)[..., 0], block.value_project(objects)[..., 0]
    weights = (torch.einsum("nchw,nck->nhwk", query, key) * 4**-0.5).softmax(dim=3)
    context = block.out_project(torch.einsum("nhwk,nck->nchw", weights, value))
    expected = block.bottleneck(torch.cat([resize_like(context, feats, False), feats], dim=1))
    torch.testing.assert_close(block(feats, objects), expected)


def test_ocrnet_trains_with_a_scale():
    segmentor = BuildSegmentor(with_head("OCRNet", scale=2), "TRAIN")
    segmentor(sample()).loss.backward()
    assert all(p.grad is not None for p in segmentor.parameters())


def test_ocrnet_runs_its_auxiliary_head_once_a_step():
    segmentor = BuildSegmentor(small("OCRNet"), "TRAIN")
    result = segmentor(sample())
    assert set(result.losses_log_dict) == {"loss_aux", "loss_cls", "loss_total"}
    assert segmentor.auxiliary_decoder[1].num_batches_tracked == 1


@pytest.mark.parametrize("auxiliary", [None, [{"in_channels": 32, "out_channels": 8, "dropout": 0.0}]])
def test_ocrnet_needs_one_auxiliary_head(auxiliary):
    with pytest.raises(ConfigError, match=r"SEGMENTOR_CFG\['auxiliary'\]: is .*, must be one auxiliary head: OCRNet"):
        BuildSegmentor(small("OCRNet") | {"auxiliary": auxiliary}, "TRAIN")


def test_pooled_places():
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert PooledPlaces([1, 2])(x).tolist() == [[[7.5, 2.5, 4.5, 10.5, 12.5]]]


def test_annnet_adds_what_every_query_scale_gives():
    segmentor = BuildSegmentor(with_head("ANNNet", query_scales=[1, 2]), "TEST")
    block, high, low = segmentor.afn_block, torch.randn(1, 64, 5, 7), torch.randn(1, 32, 9, 3)
    assert len(block.stages) == 2
    assert block.stages[1](high, low).shape == (1, 64, 3, 4)
    context = block.stages[0](high, low) + resize_like(block.stages[1](high, low), high, False)
    torch.testing.assert_close(block(high, low), block.bottleneck(torch.cat([context, high], dim=1)))


def test_annnet_trains_with_several_query_scales():
    segmentor = BuildSegmentor(with_head("ANNNet", query_scales=[1, 2, 4]), "TRAIN")
    segmentor(sample()).loss.backward()
    assert all(p.grad is not None for p in segmentor.parameters())


def test_annnet_checks_the_widths_of_both_maps():
    with pytest.raises(ConfigError, match=r"\['head'\]\['in_channels_list'\]: is \[64, 64\], but must be 32, 64"):
        BuildSegmentor(with_head("ANNNet", in_channels_list=[64, 64]), "TRAIN")
