"""Feature pyramids: FPN, UPerNet, SemanticFPN, LRASPPNet, FastFCN."""

import copy
import pickle

import pytest
import torch
from torch import nn

from ssseg.modules import BackboneBuilder, BuildSegmentor, SSSegInputStructure
from ssseg.modules.models.segmentors.base import FPN, Feature2Pyramid, add_from_top
from ssseg.modules.models.segmentors.fcn import FCN
from ssseg.modules.models.segmentors.lrasppnet.lrasppnet import WindowMeans
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import small

NORM = {"type": "BatchNorm2d"}
LAYERS = {"norm_cfg": NORM, "act_cfg": {"type": "ReLU", "inplace": True}}


def with_head(name, **fields):
    cfg = small(name)
    cfg["head"].update(fields)
    return cfg


def sample(size=48):
    images = torch.randn(2, 3, size, size)
    return SSSegInputStructure(images=images, seg_targets=torch.randint(0, 4, (2, size, size)))


def test_every_map_gets_the_sum_of_the_coarser_ones():
    maps = [torch.full((1, 1, 2**i, 2**i), float(value)) for i, value in ((3, 1), (2, 10), (0, 100))]
    assert [x.unique().tolist() for x in add_from_top(maps, mode="nearest")] == [[111.0], [110.0], [100.0]]
    assert maps[0].unique().tolist() == [1.0]


def test_fpn_keeps_sizes():
    maps = [torch.randn(2, width, size, size + 1) for width, size in ((3, 9), (5, 5), (7, 2))]
    assert [tuple(x.shape) for x in FPN([3, 5, 7], 4, **LAYERS)(maps)] == [(2, 4, 9, 10), (2, 4, 5, 6), (2, 4, 2, 3)]
    smooth = FPN([3, 5, 7], 4, {"mode": "bilinear", "align_corners": True}, **LAYERS)
    assert smooth.upsample_cfg == {"mode": "bilinear", "align_corners": True}


@pytest.mark.parametrize("rescales", [(4, 2, 1, 0.5), (2, 1, 0.5, 0.25)])
def test_maps_of_one_size_become_a_pyramid(rescales):
    neck = Feature2Pyramid(3, rescales, norm_cfg=NORM)
    made = neck([torch.randn(2, 3, 8, 12)] * 4)
    assert [tuple(x.shape) for x in made] == [(2, 3, 8 * f, 12 * f) for f in rescales]


def test_maps_that_are_too_small_to_halve_keep_a_place():
    made = Feature2Pyramid(3, [1, 0.5, 0.25], norm_cfg=NORM)(
        [torch.arange(9.0).view(1, 1, 3, 3).expand(-1, 3, -1, -1)] * 3
    )
    assert [tuple(x.shape[2:]) for x in made] == [(3, 3), (1, 1), (1, 1)]
    assert made[1].flatten().tolist() == [4.0] * 3
    assert made[2].flatten().tolist() == [8.0] * 3
    (single,) = Feature2Pyramid(3, [0.5], norm_cfg=NORM)([torch.ones(1, 3, 1, 5)])
    assert single.shape == (1, 3, 1, 2)


class PlainBackbone(nn.Module):
    """Four maps of one size, as a plain vision transformer gives them."""

    out_channels = (6, 6, 6, 6)

    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(3, 6, 3, stride=16, padding=1) for _ in range(4))

    def forward(self, x):
        return tuple(conv(x) for conv in self.convs)


@pytest.fixture
def plain():
    """A UPerNet cfg on the plain backbone."""
    BackboneBuilder().register("Plain", PlainBackbone)
    cfg = with_head("UPerNet", in_channels_list=[6] * 4, feature2pyramid={"embed_dim": 6, "rescales": [4, 2, 1, 0.5]})
    yield cfg | {"backbone": {"type": "Plain"}, "auxiliary": {"in_channels": 6, "out_channels": 8, "dropout": 0.0}}
    BackboneBuilder().delete("Plain")


def test_upernet_on_a_plain_backbone(plain):
    segmentor = BuildSegmentor(plain, "TRAIN")
    seen = []
    segmentor.auxiliary_decoder.register_forward_hook(lambda module, inputs, out: seen.append(inputs[0].shape[2:]))
    assert segmentor(sample(96)).loss.isfinite()
    assert seen == [(6, 6)]  # auxiliary heads read the pyramid: this level keeps its size
    assert segmentor.eval().inference(torch.randn(1, 3, 96, 96)).shape == (1, 4, 24, 24)
    assert list(segmentor.state_dict())[8].startswith("feats_to_pyramid_net.upsample_4x.0")


def test_wrong_factors_are_named(plain):
    plain["head"]["feature2pyramid"]["rescales"] = [4, 2, 1, 1]
    with pytest.raises(ConfigError, match=r"\['rescales'\]: is \[4, 2, 1, 1\], must be different ones of 4, 2, 1"):
        BuildSegmentor(plain, "TRAIN")
    plain["head"]["feature2pyramid"]["rescales"] = [4, 2, 1]
    with pytest.raises(ConfigError, match=r"\['rescales'\]: is \[4, 2, 1\], must have one factor for each of the 4"):
        BuildSegmentor(plain, "TRAIN")
    plain["head"]["feature2pyramid"] = {"embed_dims": 6}
    with pytest.raises(ConfigError, match=r"\['feature2pyramid'\]\['embed_dims'\].*Did you mean 'embed_dim'"):
        BuildSegmentor(plain, "TRAIN")


def test_upernet_checks_all_widths():
    with pytest.raises(ConfigError, match=r"\['in_channels_list'\]: is \[8, 16, 32\], but must be 8, 16, 32, 64"):
        BuildSegmentor(with_head("UPerNet", in_channels_list=[8, 16, 32]), "TRAIN")


def test_upernet_takes_any_number_of_maps():
    cfg = with_head("UPerNet", in_channels_list=[16, 64])
    cfg["backbone"]["selected_indices"] = (1, 3)
    cfg["auxiliary"]["in_channels"] = 16
    segmentor = BuildSegmentor(cfg, "TRAIN")
    assert len(segmentor.fpn_convs) == 1
    assert segmentor(sample()).loss.isfinite()


def test_semantic_fpn_doubles_as_often_as_strides_say():
    heads = BuildSegmentor(with_head("SemanticFPN", feature_stride_list=[4, 8, 16, 32]), "TRAIN").scale_heads
    layers = [[type(layer) for layer in head] for head in heads]
    step = [nn.Sequential, nn.Upsample]
    assert layers == [[nn.Sequential], step, step * 2, step * 3]


@pytest.mark.parametrize("name", ["SemanticFPN", "PointRend"])
def test_every_map_needs_a_stride(name):
    with pytest.raises(ConfigError, match=r"\['feature_stride_list'\]: is \[4, 8\], must have one stride for each"):
        BuildSegmentor(with_head(name, feature_stride_list=[4, 8]), "TRAIN")


@pytest.mark.parametrize(
    ("size", "shape"), [((49, 49), (1, 1)), ((81, 69), (3, 2)), ((20, 60), (1, 1)), ((3, 2), (1, 1))]
)
def test_windows_are_no_larger_than_the_map(size, shape):
    made = WindowMeans(49, (16, 20))(torch.ones(1, 2, *size))
    assert made.shape[2:] == shape
    assert made.unique().tolist() == [1.0]


def test_lraspp_needs_a_branch_for_every_map_but_the_last():
    with pytest.raises(
        ConfigError, match=r"\['branch_channels_list'\]: is \[4\], must have one width for each of the 2"
    ):
        BuildSegmentor(with_head("LRASPPNet", branch_channels_list=[4]), "TRAIN")


@pytest.mark.parametrize(
    ("inner", "head"),
    [("PSPNet", {"pool_scales": [1, 2]}), ("Deeplabv3", {"dilations": [1, 2]}), ("FCN", {"num_convs": 1})],
)
def test_fastfcn_takes_the_head_of_another_segmentor(inner, head):
    segmentor = BuildSegmentor(with_head("FastFCN", **head) | {"segmentor": inner}, "TRAIN")
    assert segmentor(sample()).loss.isfinite()
    prefixes = {key.split(".")[0] for key in segmentor.state_dict()}
    assert prefixes == {"segmentor", "jpu_neck"}
    assert type(segmentor.segmentor).__name__ == inner


def test_fastfcn_can_be_sent_to_another_process():
    segmentor = BuildSegmentor(small("FastFCN"), "TEST")
    assert type(segmentor.segmentor) is FCN
    assert pickle.dumps(segmentor)


def test_fastfcn_can_be_copied():
    segmentor = BuildSegmentor(small("FastFCN"), "TEST")
    twin = copy.deepcopy(segmentor)
    images = torch.randn(1, 3, 48, 48)
    expected = segmentor.inference(images)
    segmentor.jpu_neck.conv_layers[0][0].weight.data.zero_()
    assert torch.equal(twin.inference(images), expected)


def test_fastfcn_changes_the_mode_of_both():
    segmentor = BuildSegmentor(small("FastFCN"), "TRAIN_DEVELOP")
    assert (segmentor.eval().mode, segmentor.segmentor.mode) == ("TEST", "TEST")
    assert (segmentor.train().mode, segmentor.segmentor.mode) == ("TRAIN_DEVELOP", "TRAIN_DEVELOP")


def test_fastfcn_names_what_does_not_fit():
    with pytest.raises(ConfigError, match=r"SEGMENTOR_CFG\['segmentor'\]: is 'PSPnet', .*Did you mean 'PSPNet'"):
        BuildSegmentor(small("FastFCN") | {"segmentor": "PSPnet"}, "TRAIN")
    with pytest.raises(ConfigError, match=r"\['in_channels'\]: is 64, but must be 16, .* A neck puts one of 16"):
        BuildSegmentor(with_head("FastFCN", in_channels=64), "TRAIN")
    jpu = {"in_channels_list": [8, 16, 32], "mid_channels": 8, "dilations": [1, 2]}
    with pytest.raises(ConfigError, match=r"\['jpu'\]\['in_channels_list'\]: is \[8, 16, 32\], but must be 16, 32, 64"):
        BuildSegmentor(with_head("FastFCN", jpu=jpu), "TRAIN")
    with pytest.raises(ConfigError, match=r"\['jpu'\]\['dilation'\].*Did you mean 'dilations'"):
        BuildSegmentor(with_head("FastFCN", jpu={**jpu, "dilation": 2}), "TRAIN")
    cfg = small("FastFCN")
    del cfg["head"]["jpu"]
    with pytest.raises(ConfigError, match=r"\['head'\]: FastFCN needs 'jpu'"):
        BuildSegmentor(cfg, "TRAIN")
