import pytest
import torch
from torch import nn

from ssseg.modules import BuildNormalization, NormalizationBuilder
from ssseg.modules.models.backbones.bricks.normalization.batchnorm import BatchNorm, SyncBatchNorm
from ssseg.modules.models.backbones.bricks.normalization.grn import GRN
from ssseg.modules.models.backbones.bricks.normalization.layernorm import LayerNorm2d, LayerNormConvNeXtV2
from ssseg.modules.utils import ConfigError, UnknownNameError

DOCUMENTED = (
    "LayerNorm LayerNorm2d GroupNorm LocalResponseNorm BatchNorm1d BatchNorm2d BatchNorm3d SyncBatchNorm "
    "InstanceNorm1d InstanceNorm2d InstanceNorm3d GRN LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d "
    "LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d LayerNormConvNeXtV2"
).split()
NEEDS = {"GroupNorm": {"num_groups": 4}}


def shape_for(name):
    """An input of 8 channels, where the layer looks for them."""
    spatial = {"1d": (5,), "2d": (5, 4), "3d": (5, 4, 3)}.get(name[-2:], (5, 4))
    last = name in ("LayerNorm", "LayerNormConvNeXtV2")
    return (2, *spatial, 8) if last else (2, 8, *spatial)


@pytest.fixture
def registry():
    """The registry, put back as it was."""
    before = dict.copy(NormalizationBuilder.REGISTERED_MODULES)
    yield NormalizationBuilder()
    NormalizationBuilder.REGISTERED_MODULES.clear()
    NormalizationBuilder.REGISTERED_MODULES.update(before)


def test_the_documented_names_are_there():
    assert set(DOCUMENTED) == set(NormalizationBuilder.REGISTERED_MODULES)


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_layer_takes_the_channel_count(name):
    layer = BuildNormalization(placeholder=8, norm_cfg={"type": name, **NEEDS.get(name, {})})
    x = torch.randn(shape_for(name))
    assert layer(x).shape == x.shape
    assert NormalizationBuilder.isnorm(layer)


def test_none_is_no_normalization():
    assert type(BuildNormalization(8, None)) is nn.Identity


def test_options_are_passed_on():
    assert BuildNormalization(8, {"type": "SyncBatchNorm", "eps": 1e-3, "momentum": 0.2}).eps == 1e-3
    assert BuildNormalization([8, 1, 1], {"type": "LayerNorm"}).normalized_shape == (8, 1, 1)


def test_errors_name_the_fix():
    with pytest.raises(UnknownNameError, match=r"norm_cfg\['type'\].*Did you mean 'BatchNorm2d'"):
        BuildNormalization(8, {"type": "BatchNorm2D"})
    with pytest.raises(ConfigError, match=r"norm_cfg\['epsilon'\].*no such field"):
        BuildNormalization(8, {"type": "SyncBatchNorm", "epsilon": 1e-3})
    with pytest.raises(ConfigError, match="'type' is missing"):
        BuildNormalization(8, {"eps": 1e-3})
    with pytest.raises(ConfigError, match="needs 'num_groups'"):
        BuildNormalization(8, {"type": "GroupNorm"})


def test_sync_batchnorm_in_one_process_is_batchnorm_with_the_same_entries():
    layer, torchs = BuildNormalization(8, {"type": "SyncBatchNorm"}), nn.SyncBatchNorm(8)
    assert isinstance(layer, nn.BatchNorm2d)
    assert list(layer.state_dict()) == list(torchs.state_dict())
    for shape in [(4, 8), (4, 8, 5), (4, 8, 5, 3), (4, 8, 5, 3, 2)]:
        x = torch.randn(shape)
        torch.testing.assert_close(layer(x), torchs(x))
    with pytest.raises(ValueError, match="1 dimension"):
        layer(torch.randn(8))


@pytest.mark.parametrize(("backend", "expected"), [("nccl", nn.SyncBatchNorm), ("gloo", BatchNorm)])
def test_sync_batchnorm_among_processes(monkeypatch, backend, expected):
    monkeypatch.setattr("torch.distributed.is_initialized", lambda: True)
    monkeypatch.setattr("torch.distributed.get_world_size", lambda: 2)
    monkeypatch.setattr("torch.distributed.get_backend", lambda: backend)
    assert type(SyncBatchNorm(8)) is expected


def test_isnorm():
    isnorm = NormalizationBuilder.isnorm
    assert not isnorm(nn.Conv2d(1, 1, 1))
    assert isnorm(nn.SyncBatchNorm(2))
    assert isnorm(BatchNorm(2), [nn.BatchNorm2d])
    assert isnorm(BatchNorm(2), ["SyncBatchNorm"])
    assert not isnorm(nn.BatchNorm2d(2), ["SyncBatchNorm"])
    assert not isnorm(nn.LayerNorm(2), [nn.BatchNorm2d, "GroupNorm"])


def test_the_tutorials_own_layer(registry):
    class Mine(nn.Module):
        def __init__(self, arg1, arg2):
            super().__init__()
            self.args = arg1, arg2

    with pytest.warns(UserWarning, match="'GRN' was registered already"):
        registry.register("GRN", Mine)
    assert registry.build(placeholder=8, norm_cfg={"type": "GRN", "arg2": "x"}).args == (8, "x")
    assert NormalizationBuilder.isnorm(Mine(1, 2))


def test_layernorm2d_normalizes_channels():
    x = torch.randn(2, 8, 5, 4)
    y = LayerNorm2d(8)(x)
    torch.testing.assert_close(y, nn.LayerNorm(8)(x.movedim(1, -1)).movedim(-1, 1))
    torch.testing.assert_close(LayerNormConvNeXtV2(8, eps=1e-5, data_format="channels_first")(x), y)
    torch.testing.assert_close(LayerNormConvNeXtV2(8, eps=1e-5)(x.movedim(1, -1)), y.movedim(1, -1))


def test_grn_follows_its_formula_in_both_layouts():
    layer, x = GRN(4), torch.randn(2, 4, 5, 3)
    torch.testing.assert_close(layer(x), x)  # gamma and beta begin at 0
    nn.init.normal_(layer.gamma)
    nn.init.normal_(layer.beta)
    norm = x.square().sum(dim=(2, 3), keepdim=True).sqrt()
    share = norm / (norm.mean(dim=1, keepdim=True) + 1e-6)
    expected = layer.gamma.view(-1, 1, 1) * x * share + layer.beta.view(-1, 1, 1) + x
    torch.testing.assert_close(layer(x), expected)
    layer.data_format = "channels_last"
    torch.testing.assert_close(layer(x.movedim(1, -1)), expected.movedim(1, -1))
