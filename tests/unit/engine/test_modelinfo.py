import gzip
import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ssseg.engine.modelinfo import FeatureMap, describe
from ssseg.modules import BackboneBuilder, BaseSegmentor, BuildBackbone, BuildSegmentor, SegmentorBuilder
from ssseg.modules.models.backbones import weights
from ssseg.modules.utils.configparser import load_config
from ssseg.modules.utils.errors import ConfigError
from tests.contracts.small_cfgs import segmentor_cfg

RECORDED = json.loads(gzip.decompress((Path(__file__).parents[2] / "golden" / "data" / "macs_conv.json.gz").read_bytes()))
# Layers that run elsewhere: ours minus recorded, over the batch.
OTHERWISE = {
    "encnet_resnet18os8": -2 * 64 * 6,  # the linear layer of loss_se runs in training only
    "ce2p_resnet50os16": 0,
}


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


@pytest.mark.parametrize("case", RECORDED)
def test_recorded_counts(case):
    entry = RECORDED[case]
    segmentor = entry["kind"] == "segmentor"
    builder = SegmentorBuilder() if segmentor else BackboneBuilder()
    if entry["cfg"]["type"] not in builder.keys():
        pytest.skip(f"no {builder.kind} is called {entry['cfg']['type']} yet")
    if segmentor:
        model = entry["cfg"]
    else:
        with torch.device("meta"):
            model = BuildBackbone(entry["cfg"])
    facts = describe(model, entry["input_shape"])
    assert facts.parameters == entry["num_params"]
    assert facts.macs - entry["macs"] == OTHERWISE.get(case, 0)
    assert facts.total_macs >= facts.macs
