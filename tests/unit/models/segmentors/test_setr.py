import pytest
import torch

from ssseg.modules import BuildSegmentor, SSSegInputStructure
from ssseg.modules.models.segmentors.setr.decoder import NormalizedMaps
from ssseg.modules.models.segmentors.setr.mla import MultiLevelAggregation
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import small


def build(name, **head):
    cfg = small(name)
    cfg["head"].update(head)
    return BuildSegmentor(cfg, "TEST")


def score(segmentor, height=48, width=64):
    with torch.no_grad():
        return segmentor(SSSegInputStructure(mode="TEST", images=torch.randn(1, 3, height, width))).seg_logits


@pytest.mark.parametrize(("num_convs", "scale_factor", "size"), [(4, 2, (48, 64)), (1, 4, (12, 16)), (0, 4, (3, 4))])
def test_each_convolution_enlarges_the_map(num_convs, scale_factor, size):
    segmentor = build("SETRUP", num_convs=num_convs, scale_factor=scale_factor)
    assert score(segmentor).shape == (1, 4, *size)


def test_mla_enlarges_all_maps():
    assert score(build("SETRMLA", scale_factor=4)).shape == (1, 4, 12, 16)


def test_maps_are_normalized_over_their_channels():
    norms = NormalizedMaps([4], {"type": "LayerNorm"})
    x = torch.randn(2, 4, 3, 5)
    expected = (x - x.mean(1, keepdim=True)) / (x.var(1, correction=0, keepdim=True) + 1e-5).sqrt()
    torch.testing.assert_close(norms([x])[0], expected)


def test_aggregation_adds_all_deeper_maps():
    mla = MultiLevelAggregation([3, 3, 3], 3, norm_cfg=None, act_cfg=None).eval()
    maps = [torch.randn(1, 3, 2, 2) for _ in range(3)]
    with torch.no_grad():
        projected = [conv(x) for conv, x in zip(mla.channel_proj, maps, strict=True)]
        deepest, middle, first = mla(maps)
        torch.testing.assert_close(deepest, mla.feat_extract[0](projected[2]))
        torch.testing.assert_close(middle, mla.feat_extract[1](projected[2] + projected[1]))
        torch.testing.assert_close(first, mla.feat_extract[2](sum(projected)))


@pytest.mark.parametrize(("name", "read"), [("SETRUP", 0), ("SETRMLA", 1)])
def test_which_map_an_auxiliary_head_reads(name, read):
    segmentor = build(name)
    features = [torch.randn(1, 8 if name == "SETRMLA" else 16, 3, 4) for _ in range(2)]
    predictions = segmentor.predict_in_training(features, {})
    assert list(predictions) == ["loss_aux1", "loss_cls"]
    assert torch.equal(predictions["loss_aux1"], segmentor.auxiliary_decoders[0](features[read]))


@pytest.mark.parametrize("name", ["SETRUP", "SETRMLA"])
def test_one_auxiliary_head_needs_no_list_and_none_needs_no_loss(name):
    cfg = small(name)
    cfg["auxiliary"] = cfg["auxiliary"][0]
    assert len(BuildSegmentor(cfg, "TRAIN").auxiliary_decoders) == 1
    cfg["auxiliary"] = None
    assert len(BuildSegmentor(cfg, "TRAIN").auxiliary_decoders) == 0


def test_errors_name_the_place():
    with pytest.raises(ConfigError, match=r"\['feats_channels'\]: is 9, must be 8: 2 maps of 'mla_up_channels' 4"):
        build("SETRMLA", feats_channels=9)
    cfg = small("SETRUP")
    cfg["auxiliary"] *= 3
    with pytest.raises(ConfigError, match=r"\['auxiliary'\]: has 3 heads, but there are 2 maps"):
        BuildSegmentor(cfg, "TRAIN")
    cfg["auxiliary"] = [{**cfg["auxiliary"][0], "in_channels": 17}]
    with pytest.raises(ConfigError, match=r"\['auxiliary'\]\[0\]\['in_channels'\]: is 17, must be 16"):
        BuildSegmentor(cfg, "TRAIN")
    cfg["auxiliary"] = [{**small("SETRUP")["auxiliary"][0], "kernel": 3}]
    with pytest.raises(ConfigError, match=r"\['auxiliary'\]\[0\]\['kernel'\].*Did you mean 'kernel_size'"):
        BuildSegmentor(cfg, "TRAIN")
    with pytest.raises(ConfigError, match=r"\['in_channels_list'\]: is \[16, 15\], but must be 16, 16"):
        build("SETRUP", in_channels_list=[16, 15])
