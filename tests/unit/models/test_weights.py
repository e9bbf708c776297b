"""Pretrained weights on their way into a backbone."""

import logging

import pytest
import torch

from ssseg.modules import BuildBackbone
from ssseg.modules.models.backbones import weights as module
from ssseg.modules.models.backbones.weights import load_backbone
from ssseg.modules.utils import CheckpointError, ConfigError

SMALL = {"type": "ResNet", "structure_type": "resnet18", "depth": 18, "base_channels": 4, "stem_channels": 4}


def build(**fields):
    return BuildBackbone({**SMALL, "pretrained": False, **fields})


@pytest.fixture
def state():
    return build().state_dict()


@pytest.fixture
def published(monkeypatch):
    """What the download gives; a test fills it."""
    contents = {}

    def load(structure_type, path, default_model_urls):
        return contents

    monkeypatch.setattr(module, "loadpretrainedweights", load)
    return contents


def load(backbone, state, **options):
    return load_backbone(backbone, state, where="x.pth", input_key="stem.0.weight", unused=("fc.",), **options)


def test_the_report_accounts_for_every_entry(state):
    state["fc.weight"] = torch.zeros(10, 4)
    state.pop("layer1.0.bn1.num_batches_tracked")
    backbone = build()
    report = load(backbone, state)
    assert report.unused == ("fc.weight",)
    assert report.new == ("layer1.0.bn1.num_batches_tracked",)
    assert report.adapted == ()
    assert set(report.matched) | set(report.new) == set(backbone.state_dict())
    assert all(torch.equal(backbone.state_dict()[key], state[key]) for key in report.matched)
    assert str(report).endswith("left as initialised: layer1.0.bn1.num_batches_tracked; not used: fc.weight")


@pytest.mark.parametrize("channels", [1, 4, 6])
def test_the_first_convolution_is_adapted_to_other_images(state, channels):
    backbone = build(in_channels=channels)
    assert load(backbone, state).adapted == ("stem.0.weight",)
    assert backbone.stem[0].weight.shape[1] == channels


@pytest.mark.parametrize("channels", [1, 6])
def test_an_adapted_convolution_responds_to_grey_images_as_before(state, channels):
    backbone, grey = build(in_channels=channels), torch.rand(1, 1, 8, 8)
    load(backbone, state)
    expected = torch.conv2d(grey.expand(1, 3, 8, 8), state["stem.0.weight"])
    made = torch.conv2d(grey.expand(1, channels, 8, 8), backbone.stem[0].weight)
    torch.testing.assert_close(made, expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("layer1.0.conv1.weight"), r"1 missing: layer1\.0\.conv1\.weight"),
        (lambda s: s.update({"layer5.weight": torch.zeros(1)}), r"1 not known: layer5\.weight"),
        (
            lambda s: s.update({"layer1.0.bn1.bias": torch.zeros(7)}),
            r"1 of another shape: layer1\.0\.bn1\.bias \(7,\) instead of \(4,\)",
        ),
    ],
)
def test_what_cannot_be_explained_is_refused(state, change, message):
    change(state)
    backbone = build()
    before = {key: value.clone() for key, value in backbone.state_dict().items()}
    with pytest.raises(CheckpointError, match=r"x\.pth: these are not the weights of this ResNet.*" + message):
        load(backbone, state)
    assert all(torch.equal(before[key], value) for key, value in backbone.state_dict().items())


@pytest.mark.parametrize("prefix", ["", "backbone.", "backbone_net."])
def test_a_backbone_is_found_inside_a_segmentor(published, state, prefix, caplog):
    published.update({prefix + key: value for key, value in state.items()})
    if prefix:
        published["decoder.0.weight"] = torch.zeros(1)
    with caplog.at_level(logging.INFO):
        backbone = build(pretrained=True, pretrained_model_path="x.pth")
    assert torch.equal(backbone.stem[0].weight, state["stem.0.weight"])
    assert f"{len(state)} of {len(published)} entries are the backbone's" in caplog.text


def test_weights_of_another_structure_are_refused_before_they_are_fetched(published):
    with pytest.raises(
        ConfigError, match=r"\['backbone'\]\['depth'\]: is 18, but the weights of structure_type 'resnet50"
    ):
        build(structure_type="resnet50conv3x3stem", pretrained=True)
    with pytest.raises(
        ConfigError, match=r"\['use_conv3x3_stem'\]: is True, but the weights of structure_type 'resnet18'"
    ):
        build(pretrained=True)


def test_no_pretrained_path_means_the_published_file(monkeypatch):
    asked = []

    def load(structure_type, path, default_model_urls):
        asked.append((structure_type, path))
        return build(structure_type="resnet18conv3x3stem").state_dict()

    monkeypatch.setattr(module, "loadpretrainedweights", load)
    for path in (None, ""):
        build(structure_type="resnet18conv3x3stem", pretrained=True, pretrained_model_path=path)
    assert asked == [("resnet18conv3x3stem", "")] * 2


def test_pretrained_is_the_default(published, state):
    published.update(state)
    assert torch.equal(
        BuildBackbone({**SMALL, "pretrained_model_path": "x.pth"}).stem[0].weight, published["stem.0.weight"]
    )


def test_mobilenet_takes_a_published_file(published):
    cfg = {"type": "MobileNetV2", "structure_type": "mobilenetv2", "widen_factor": 0.25}
    state = BuildBackbone({**cfg, "pretrained": False}).state_dict()
    published.update({f"backbone.{key}": value for key, value in state.items()})
    published.update({"backbone.conv2.conv.weight": torch.zeros(1), "head.fc.weight": torch.zeros(1)})
    backbone = BuildBackbone({**cfg, "pretrained_model_path": "x.pth"})
    assert torch.equal(backbone.conv1.conv.weight, state["conv1.conv.weight"])
