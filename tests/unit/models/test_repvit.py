import pytest
import torch

from ssseg.modules import BuildBackbone
from ssseg.modules.models.backbones import weights
from ssseg.modules.models.backbones.repvit import SqueezeGate
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import BACKBONES

SMALL = BACKBONES["EdgeSAMRepViT"]


@pytest.mark.parametrize("size", [(64, 64), (50, 70), (33, 17)])
@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
def test_any_size(size, mode):
    encoder = BuildBackbone({**SMALL, "upsample_mode": mode}).eval()
    with torch.no_grad():
        assert encoder(torch.randn(1, 3, *size)).shape == (1, 256, -(-size[0] // 16), -(-size[1] // 16))


@pytest.mark.parametrize(("arch", "blocks", "gates"), [("m1", 26, 10), ("m2", 24, 9), ("m3", 34, 14)])
def test_depths_and_gates(arch, blocks, gates):
    with torch.device("meta"):
        encoder = BuildBackbone({**SMALL, "arch": arch})
    assert len(encoder.features) == 1 + blocks
    assert sum(isinstance(part, SqueezeGate) for part in encoder.modules()) == gates


def test_channel_mixers_add_nothing_at_first():
    block = BuildBackbone(SMALL).features[1].eval()
    x = torch.randn(1, 48, 8, 8)
    assert torch.equal(block(x), block.token_mixer(x))


def test_weights_of_a_file(monkeypatch):
    source = BuildBackbone(SMALL)
    monkeypatch.setattr(weights, "loadpretrainedweights", lambda *args, **kwargs: source.state_dict())
    encoder = BuildBackbone({**SMALL, "pretrained": True, "pretrained_model_path": "x.pth"})
    assert all(torch.equal(value, source.state_dict()[name]) for name, value in encoder.state_dict().items())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"arch": "m4"}, r"\['arch'\]: is 'm4', must be one of m1, m2, m3"),
        ({"upsample_mode": "bicubi"}, r"\['upsample_mode'\].*Did you mean 'bicubic'"),
        ({"pretrained": True}, "no pretrained weights for 'repvit_m1'.*None are published"),
    ],
)
def test_what_does_not_fit_is_named(fields, message):
    with pytest.raises(ConfigError, match=message):
        BuildBackbone({**SMALL, **fields})
