import gzip
import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ssseg.engine.modelinfo import FeatureMap, describe
from ssseg.modules import BackboneBuilder, BuildBackbone, BuildSegmentor, SegmentorBuilder
from ssseg.modules.models.backbones import weights
from ssseg.modules.models.segmentors.fcn.fcn import FCN
from ssseg.modules.utils.configparser import load_config
from ssseg.modules.utils.errors import ConfigError

RECORDED = json.loads(
    gzip.decompress((Path(__file__).parents[2] / "golden" / "data" / "macs_conv.json.gz").read_bytes())
)


class Attention(nn.Module):
    """Every kind of layer that is counted, and attention."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=2)
        self.up = nn.ConvTranspose2d(8, 6, 2, stride=2)
        self.mix = nn.Linear(6, 6)

    def forward(self, x):
        x = self.up(self.conv(x))  # (N, 6, H, W)
        tokens = self.mix(x.flatten(2).mT)[:, None]  # (N, 1, L, 6)
        return [x + F.scaled_dot_product_attention(tokens, tokens, tokens)[:, 0].mT.unflatten(2, x.shape[2:])]


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_counts_by_hand(device):
    facts = describe(Attention().to(device), (2, 4, 6, 10))
    layers = 2 * (8 * 2 * 9 * 3 * 5 + 8 * 6 * 4 * 3 * 5 + 6 * 6 * 60)
    assert facts.macs == layers
    assert facts.total_macs == layers + 2 * (2 * 60 * 60 * 6)
    assert facts.parameters == facts.trainable == (8 * 2 * 9 + 8) + (8 * 6 * 4 + 6) + (6 * 6 + 6)
    assert facts.maps == (FeatureMap(channels=6, stride=1, height=6, width=10),)


class ReadsWeights(nn.Module):
    """Layers of which only the weights are read, and a filter that is made from the image."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 8, 1)
        self.up = nn.ConvTranspose2d(4, 6, 2, stride=2)

    def forward(self, x):
        tokens = x.flatten(2).mT  # (N, L, 4)
        F.linear(tokens, self.conv.weight.flatten(1), self.conv.bias)
        for weight in self.conv.weight.chunk(2, dim=1):
            F.conv2d(x[:, :2], weight.contiguous())
        F.conv2d(x, x[:1, :, :3, :3])
        return [F.conv_transpose2d(x, weight=self.up.weight, stride=2)]


def test_layers_count_that_are_not_called_but_read():
    facts = describe(ReadsWeights(), (2, 4, 6, 10))
    layers = 2 * 60 * (4 * 8 + 2 * 2 * 8 + 4 * 6 * 4)
    assert facts.macs == layers
    assert facts.total_macs == layers + 2 * (4 * 9 * 4 * 8)


@pytest.mark.parametrize("case", RECORDED)
def test_recorded_counts(case):
    entry = RECORDED[case]
    segmentor = entry["kind"] == "segmentor"
    builder = SegmentorBuilder() if segmentor else BackboneBuilder()
    if entry["cfg"]["type"] not in builder.REGISTERED_MODULES:
        pytest.skip(f"no {builder.kind} is called {entry['cfg']['type']} yet")
    if segmentor:
        model = entry["cfg"]
    else:
        with torch.device("meta"):
            model = BuildBackbone(entry["cfg"])
    facts = describe(model, entry["input_shape"])
    assert facts.parameters == entry["num_params"]
    assert facts.macs == entry["macs"]
    assert facts.total_macs >= facts.macs


def test_pretrained_weights_are_not_fetched(monkeypatch):
    def fail(*args, **kwargs):
        raise AssertionError("weights were asked for")

    monkeypatch.setattr(weights, "loadpretrainedweights", fail)
    cfg = load_config("fcn_resnet50os16_voc")
    with pytest.raises(AssertionError, match="weights were asked for"), torch.device("meta"):
        BuildSegmentor(cfg, "TEST")
    facts = describe(cfg, (1, 3, 64, 96))
    assert [(x.channels, x.stride, x.height, x.width) for x in facts.maps] == [
        (256, 4, 16, 24),
        (512, 8, 8, 12),
        (1024, 16, 4, 6),
        (2048, 16, 4, 6),
    ]
    assert cfg["backbone"]["pretrained"] is True


def test_a_network_that_looks_at_values_is_run(monkeypatch):
    class ReadsValues(FCN):
        def predict(self, features):
            assert features[-1].isfinite().all().item()
            return super().predict(features)

    entry = RECORDED["fcn_cgnetm3n21"]
    monkeypatch.setitem(SegmentorBuilder.REGISTERED_MODULES, "ReadsValues", ReadsValues)
    facts = describe({**entry["cfg"], "type": "ReadsValues"}, entry["input_shape"])
    assert (facts.parameters, facts.macs) == (entry["num_params"], entry["macs"])


@pytest.mark.parametrize("mode", ["TRAIN", "TEST"])
def test_a_module_is_left_as_it_was(mode):
    model = BuildSegmentor(RECORDED["fcn_cgnetm3n21"]["cfg"], mode)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.decoder.requires_grad_(False)
    facts = describe(model, (2, 3, 64, 64))
    assert (model.mode, model.training) == (mode, mode == "TRAIN")
    assert facts.parameters - facts.trainable == sum(p.numel() for p in model.decoder.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(part._forward_hooks for part in model.modules())


@pytest.mark.parametrize("shape", [(1, 3, 0, 64), (3, 64, 64)])
def test_a_shape_that_is_none(shape):
    with pytest.raises(ConfigError, match=r"input_shape=\(.*\): must be four numbers from 1 on"):
        describe(load_config("fcn_resnet50os16_voc"), shape)


def test_images_that_the_network_does_not_take():
    model = BuildSegmentor(RECORDED["fcn_cgnetm3n21"]["cfg"], "TRAIN")
    with pytest.raises(ConfigError, match=r"FCN does not run on images of 1 x 7 x 64 x 64: .*3 channels"):
        describe(model, (1, 7, 64, 64))
    assert model.training
    assert not any(part._forward_hooks for part in model.modules())


def test_a_config_that_does_not_fit():
    cfg = load_config("fcn_resnet50os16_voc", ["head.in_channels=512"])
    with pytest.raises(ConfigError, match=r"SEGMENTOR_CFG\['head'\]\['in_channels'\]"):
        describe(cfg, (1, 3, 64, 64))
