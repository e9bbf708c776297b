import pytest
import torch

from ssseg.modules import BuildBackbone
from ssseg.modules.models.backbones import weights
from ssseg.modules.models.backbones.hrnet import ARCHS, DEFAULT_MODEL_URLS, HRNet
from ssseg.modules.utils import ConfigError

SMALL = {"type": "HRNet", "structure_type": "hrnetv2_w18_small", "arch": "hrnetv2_w18_small"}


def build(**fields):
    return BuildBackbone({**SMALL, "pretrained": False, **fields}).eval()


@pytest.fixture(scope="module")
def small():
    return build()


@pytest.mark.parametrize(("arch", "channels"), [("w18", 270), ("w32", 480), ("w40", 600), ("w48", 720)])
def test_widths(arch, channels):
    with torch.device("meta"):
        backbone = HRNet("x", arch=f"hrnetv2_{arch}", pretrained=False)
    assert backbone.out_channels == (channels,)
    assert [len(getattr(backbone, f"stage{i}")) for i in (2, 3, 4)] == [1, 4, 3]
    assert len(backbone.layer1) == 4


def test_every_published_file_has_an_arch():
    assert DEFAULT_MODEL_URLS.keys() == ARCHS.keys()


def test_the_first_map_alone_is_the_first_part_of_all(small):
    image = torch.randn(1, 3, 45, 64)
    alone = build(multiscale_output=False)
    assert alone.out_channels == (18,)
    state = small.state_dict()
    alone.load_state_dict({key: state[key] for key in alone.state_dict()})
    with torch.no_grad():
        torch.testing.assert_close(alone(image)[0], small(image)[0][:, :18])


def test_the_mcibi_version_has_no_first_activation(small):
    other = build(mcibi_version=True)
    other.load_state_dict(small.state_dict())
    image = torch.randn(1, 3, 32, 32)
    seen = []
    for backbone in (small, other):
        hook = backbone.conv2.register_forward_hook(lambda module, args, output: seen.append(args[0].min().item()))
        with torch.no_grad():
            backbone(image)
        hook.remove()
    assert seen[0] == 0 > seen[1]


def test_errors_name_the_choices():
    with pytest.raises(ConfigError, match=r"\['arch'\]: is 'hrnet_w18'.*Did you mean 'hrnetv2_w18'"):
        build(arch="hrnet_w18")
    with pytest.raises(ConfigError, match=r"\['arch'\]: is 'hrnetv2_w18_small', but the weights of .*'hrnetv2_w48'"):
        BuildBackbone({**SMALL, "structure_type": "hrnetv2_w48"})


def test_a_published_file_with_its_classifier(small, monkeypatch):
    state = small.state_dict()
    head = dict.fromkeys(
        ("incre_modules.0.0.conv1.weight", "downsamp_modules.0.0.bias", "final_layer.0.weight", "classifier.weight"),
        torch.zeros(1),
    )
    monkeypatch.setattr(weights, "loadpretrainedweights", lambda *args, **kwargs: {**state, **head})
    made = BuildBackbone(SMALL).state_dict()
    assert all(torch.equal(made[key], value) for key, value in state.items())
