"""What stands around a network of timm's. The networks themselves: tests/witness/test_timmbackbone.py."""

import sys
import types

import pytest
import torch
from torch import nn

from ssseg.modules import BuildBackbone
from ssseg.modules.utils import CheckpointError, ConfigError, ResourceError

CFG = {"type": "TIMMBackbone", "structure_type": "small", "model_name": "small", "pretrained": False}


class Features(nn.Module):
    """As timm's wrappers: parts of a network under flattened names."""

    def __init__(self, in_chans=3, output_fmt="NCHW", widths=(4, 6)):
        super().__init__()
        self.stem = nn.Conv2d(in_chans, widths[0], 3, stride=2, padding=1)
        self.stages_0 = nn.Conv2d(*widths, 3, stride=2, padding=1)
        self.output_fmt = output_fmt
        self.feature_info = types.SimpleNamespace(channels=lambda: list(widths))

    def forward(self, x):
        maps = [self.stem(x)]
        maps.append(self.stages_0(maps[0]))
        return [x.permute(0, 2, 3, 1) for x in maps] if self.output_fmt == "NHWC" else maps


@pytest.fixture
def asked(monkeypatch):
    """A package timm that knows one network; the list of what it was asked for."""
    asked = []

    def create_model(name, features_only, pretrained, **arguments):
        asked.append((name, features_only, pretrained))
        return Features(**arguments)

    package = types.ModuleType("timm")
    package.__version__ = "1.0"
    package.is_model = lambda name: name == "small"
    package.list_models = lambda: ["small"]
    package.create_model = create_model
    monkeypatch.setitem(sys.modules, "timm", package)
    return asked


def test_maps_and_widths(asked):
    backbone = BuildBackbone({**CFG, "in_channels": 4, "extra_args": {"widths": (5, 7)}})
    assert asked == [("small", True, False)]
    assert backbone.out_channels == (5, 7)
    maps = backbone(torch.randn(1, 4, 9, 12))
    assert [tuple(x.shape) for x in maps] == [(1, 5, 5, 6), (1, 7, 3, 3)]
    assert next(iter(backbone.state_dict())) == "timm_model.stem.weight"


def test_channels_that_come_last_come_second(asked):
    plain, other = (BuildBackbone({**CFG, "extra_args": {"output_fmt": fmt}}) for fmt in ("NCHW", "NHWC"))
    other.load_state_dict(plain.state_dict())
    image = torch.randn(1, 3, 8, 8)
    assert all(torch.equal(x, y) for x, y in zip(plain(image), other(image), strict=True))


def test_timm_fetches_its_own_weights(asked):
    BuildBackbone({**CFG, "pretrained": True})
    BuildBackbone({**CFG, "pretrained": True, "pretrained_model_path": None})
    assert [pretrained for _, _, pretrained in asked] == [True, True]


def file_of(backbone, path):
    state = {key.removeprefix("timm_model."): value for key, value in backbone.state_dict().items()}
    file = {key.replace("stages_0.", "stages.0."): value for key, value in state.items()}
    torch.save({**file, "stages.1.weight": torch.zeros(1), "head.fc.weight": torch.zeros(1)}, path)


def test_a_file_of_a_whole_network(asked, tmp_path, caplog):
    given = BuildBackbone(CFG)
    file_of(given, tmp_path / "x.pth")
    with caplog.at_level("INFO"):
        loaded = BuildBackbone({**CFG, "pretrained": True, "pretrained_model_path": str(tmp_path / "x.pth")})
    assert asked[-1] == ("small", True, False)
    assert all(torch.equal(loaded.state_dict()[key], value) for key, value in given.state_dict().items())
    assert "not used: stages.1.weight, head.fc.weight" in caplog.text


def test_a_file_of_another_network_is_refused(asked, tmp_path):
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=r"not the weights of this TIMMBackbone\. 4 missing: timm_model\.stem"):
        BuildBackbone({**CFG, "pretrained": True, "pretrained_model_path": str(tmp_path / "x.pth")})


def test_without_timm_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ResourceError, match=r"needs the package timm: pip install ssseg\[timm\]"):
        BuildBackbone(CFG)


def test_a_torchvision_of_another_build_is_named(monkeypatch):
    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name == "timm":
                raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.delitem(sys.modules, "timm", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(ResourceError, match=r"a torchvision made for this torch: operator torchvision::nms does not"):
        BuildBackbone(CFG)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"model_name": "smal"},
            r"\['model_name'\]: timm 1\.0 has no network 'smal' among its 1\. Did you mean 'small'",
        ),
        ({"features_only": False}, r"\['features_only'\]: is False, but a segmentor needs maps"),
        ({"extra_args": {"depth": 3}}, r"timm cannot build 'small' with .*'depth': 3.* to return maps: .*'depth'"),
    ],
)
def test_errors_name_the_place(asked, fields, message):
    with pytest.raises(ConfigError, match=message):
        BuildBackbone({**CFG, **fields})
