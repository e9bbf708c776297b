import pytest
import torch
from torch import nn

from ssseg.modules import BuildBackbone, BuildSegmentor
from ssseg.modules.models.backbones import weights
from ssseg.modules.models.backbones.convnext import ARCHS, ConvNeXt
from ssseg.modules.models.backbones.convnextv2 import DEFAULT_MODEL_URLS, convert_convnextv2
from ssseg.modules.utils import CheckpointError, ConfigError, ShapeError
from tests.contracts.small_cfgs import small

V1 = {"type": "ConvNeXt", "structure_type": "convnext_tiny", "arch": "atto", "gap_before_final_norm": False}
V2 = {"type": "ConvNeXtV2", "structure_type": "convnextv2_atto_1k_224_fcmae", "arch": "atto"}


def build(cfg=V1, **fields):
    return BuildBackbone({**cfg, "pretrained": False, **fields}).eval()


def published(monkeypatch, state):
    monkeypatch.setattr(weights, "loadpretrainedweights", lambda *args, **kwargs: state)


def same(backbone, state):
    made = backbone.state_dict()
    return all(torch.equal(made[key], value) for key, value in state.items())


@pytest.mark.parametrize("arch", ARCHS)
def test_archs(arch):
    with torch.device("meta"):
        backbone = ConvNeXt("x", arch=arch, pretrained=False)
    blocks, width = ARCHS[arch]
    assert tuple(len(stage) for stage in backbone.stages) == blocks
    assert backbone.out_channels == (width, 2 * width, 4 * width, 8 * width)


@pytest.mark.parametrize("cfg", [V1, V2], ids=["v1", "v2"])
@pytest.mark.parametrize(("given", "same_as"), [((-1,), (3,)), ((0, -2), (0, 2)), ([-4, 1], (0, 1))])
def test_negative_indices_count_from_the_end(cfg, given, same_as):
    backbone, other = build(cfg, out_indices=given), build(cfg, out_indices=same_as)
    assert list(backbone.state_dict()) == list(other.state_dict())
    assert backbone.out_channels == other.out_channels
    assert tuple(x.shape[1] for x in backbone(torch.randn(1, 3, 32, 32))) == other.out_channels


@pytest.mark.parametrize(
    ("cfg", "size", "least"), [(V1, (31, 64), 32), (V2, (64, 31), 32), ({**V1, "stem_patch_size": 2}, (15, 16), 16)]
)
def test_images_that_are_too_small_are_named(cfg, size, least):
    with pytest.raises(ShapeError, match=rf"images are {size[0]} x {size[1]} .* at least {least} x {least}"):
        build(cfg)(torch.randn(1, 3, *size))
    assert build(cfg)(torch.randn(1, 3, least, least))[-1].shape[2:] == (1, 1)


@pytest.mark.parametrize("cfg", [V1, V2], ids=["v1", "v2"])
def test_errors_name_the_choices(cfg):
    with pytest.raises(ConfigError, match=r"\['arch'\]: is 'smal'.*Did you mean 'small'"):
        build(cfg, arch="smal")
    with pytest.raises(ConfigError, match=r"\['out_indices'\]: holds -5, must hold numbers from 0 to 3"):
        build(cfg, out_indices=(-5,))
    with pytest.raises(ConfigError, match=r"\['arch'\]: is 'nano', but the weights of structure_type '\w+' need"):
        BuildBackbone({**cfg, "arch": "nano"})


def test_convolutions_and_linear_layers_give_the_same():
    linear, conv = build(use_grn=True), build(use_grn=True, linear_pw_conv=False)
    for module in linear.modules():
        if hasattr(module, "beta"):
            nn.init.normal_(module.gamma)
    state = linear.state_dict()
    conv.load_state_dict({key: state[key].reshape(value.shape) for key, value in conv.state_dict().items()})
    image = torch.randn(2, 3, 40, 33)
    with torch.no_grad():
        for one, other in zip(linear(image), conv(image), strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


def test_a_classifiers_vectors():
    backbone = build(gap_before_final_norm=True, out_indices=(1, 3))
    assert [tuple(x.shape) for x in backbone(torch.randn(2, 3, 32, 32))] == [(2, 80), (2, 320)]


def test_scale_and_drop_path():
    backbone = build(layer_scale_init_value=0.5, drop_path_rate=0.22)
    blocks = [block for stage in backbone.stages for block in stage]
    assert all(torch.equal(block.gamma, torch.full_like(block.gamma, 0.5)) for block in blocks)
    assert [block.drop_path.drop_prob for block in blocks] == pytest.approx([0.02 * i for i in range(12)])
    assert not [key for key in build(layer_scale_init_value=0.0).state_dict() if "gamma" in key]


@pytest.mark.parametrize(
    "norm", [{"type": "SyncBatchNorm"}, {"type": "LayerNorm2d"}, {"type": "GroupNorm", "num_groups": 4}]
)
def test_the_second_version_takes_any_normalization_such_as_its_segmentors(norm):
    cfg = {**small("FCN"), "norm_cfg": norm, "auxiliary": None}
    cfg["backbone"] = {**V2, "pretrained": False, "selected_indices": (3,)}
    cfg["head"]["in_channels"], cfg["losses"] = 320, {"loss_cls": cfg["losses"]["loss_cls"]}
    backbone = BuildSegmentor(cfg, "TRAIN").backbone_net
    assert backbone(torch.randn(2, 3, 32, 48))[3].isfinite().all()


def test_a_published_file_has_one_normalization_and_a_classifier(monkeypatch):
    state = {key: value for key, value in build().state_dict().items() if not key.startswith("norm")}
    norm3 = {"norm3.weight": torch.full((320,), 2.0), "norm3.bias": torch.zeros(320)}
    file = {f"backbone.{key}": value for key, value in {**state, **norm3}.items()}
    published(monkeypatch, {**file, "head.fc.weight": torch.zeros(1)})
    backbone = BuildBackbone({**V1, "pretrained_model_path": "x.pth"})
    assert same(backbone, {**state, **norm3})
    assert torch.equal(backbone.norm0.weight, torch.ones(40))
    assert same(BuildBackbone({**V1, "out_indices": (0,), "pretrained_model_path": "x.pth"}), state)
    published(monkeypatch, {f"backbone.{key}": value for key, value in list(state.items())[1:]})
    with pytest.raises(CheckpointError, match=r"1 missing: downsample_layers\.0\.0\.weight"):
        BuildBackbone({**V1, "pretrained_model_path": "x.pth"})


def test_the_second_versions_files_keep_the_response_normalization_in_four_dimensions(monkeypatch):
    state = {key: value for key, value in build(V2).state_dict().items() if not key.startswith("norm")}
    state["stages.0.0.grn.gamma"] = torch.randn(160)
    theirs = {key: value[None, None, None] if ".grn." in key else value for key, value in state.items()}
    converted = convert_convnextv2(theirs)
    assert list(converted) == list(state)
    assert all(torch.equal(converted[key], value) for key, value in state.items())
    published(monkeypatch, {**theirs, "norm.weight": torch.ones(320), "head.weight": torch.zeros(1)})
    assert same(BuildBackbone(V2), state)


def test_the_table_of_weights():
    assert len(DEFAULT_MODEL_URLS) == 26
    assert DEFAULT_MODEL_URLS["convnextv2_huge_22k_512_ema"] == (
        "https://dl.fbaipublicfiles.com/convnext/convnextv2/im22k/convnextv2_huge_22k_512_ema.pt"
    )
