"""What every registered backbone keeps. A backbone is tested by being registered."""

import pytest
import torch

from ssseg.modules import BackboneBuilder, BuildBackbone
from tests.contracts.small_cfgs import BACKBONES

ELSEWHERE = {"TIMMBackbone", "HieraWithFPN"}  # tested in tests/witness, and, since it returns a dict, in test_hiera.py
NAMES = [name for name in BackboneBuilder.REGISTERED_MODULES if name not in ELSEWHERE]
# their last map is a joined one, finer than those before it
DECODING = {"BiSeNetV1", "BiSeNetV2", "CompactUNet", "FastSCNN", "UNet"}


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def backbone(name):
    return BuildBackbone(BACKBONES[name]).eval()


def images(n=2, height=64, width=64, channels=3):
    return torch.randn(n, channels, height, width)


def maps_of(backbone, batch):
    """The maps of a backbone; image encoders of promptable models return a single one, not in a list."""
    maps = backbone(batch)
    return (maps,) if isinstance(maps, torch.Tensor) else maps


def assert_near(made, expected, share=1e-5):
    for one, other in zip(made, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=share * other.abs().max().item())


def test_every_name_has_a_small_cfg():
    assert set(NAMES) <= BACKBONES.keys()


@pytest.mark.parametrize("size", [(64, 64), (33, 47)])
def test_out_channels_are_those_of_the_maps(name, backbone, size):
    with torch.no_grad():
        maps = maps_of(backbone, images(1, *size))
    assert tuple(x.shape[1] for x in maps) == backbone.out_channels
    sizes = [tuple(x.shape[2:]) for x in maps]
    assert (sizes == sorted(sizes, reverse=True)) == (name not in DECODING), "coarsest last"


def test_selected_indices_are_left_to_the_segmentor(name):
    BuildBackbone({**BACKBONES[name], "selected_indices": (0,)})


def test_every_parameter_gets_a_gradient(backbone):
    sum(x.square().mean() for x in maps_of(backbone.train(), images())).backward()
    without = [key for key, p in backbone.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert without == []


def test_N11_a_batch_equals_its_images_one_by_one(backbone):
    batch = images(3)
    with torch.no_grad():
        together, apart = maps_of(backbone, batch), [maps_of(backbone, one[None]) for one in batch]
    assert_near([torch.cat(parts) for parts in zip(*apart, strict=True)], together)


def test_channels_last(backbone):
    batch = images()
    with torch.no_grad():
        expected = maps_of(backbone, batch)
        backbone.to(memory_format=torch.channels_last)
        made = maps_of(backbone, batch.to(memory_format=torch.channels_last))
    assert_near(made, expected)


def test_bfloat16(backbone):
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        assert all(x.isfinite().all() for x in maps_of(backbone, images()))


@pytest.mark.parametrize("channels", [1, 4])
def test_other_image_channels(name, channels):
    field = "in_chans" if name == "MobileSAMTinyViT" else "in_channels"
    backbone = BuildBackbone({**BACKBONES[name], field: channels}).eval()
    with torch.no_grad():
        assert len(maps_of(backbone, images(1, channels=channels))) == len(backbone.out_channels)


def test_no_normalization_and_no_activation(name):
    backbone = BuildBackbone({**BACKBONES[name], "norm_cfg": None, "act_cfg": None})
    assert not [key for key, _ in backbone.named_buffers() if not key.endswith("relative_position_index")]


def test_two_builds_share_nothing(name):
    one, other = BuildBackbone(BACKBONES[name]), BuildBackbone(BACKBONES[name])
    assert not {p.data_ptr() for p in one.parameters()} & {p.data_ptr() for p in other.parameters()}


@pytest.mark.slow
def test_export(backbone):
    batch = images(1, 64, 96)
    with torch.no_grad():
        program = torch.export.export(backbone, (batch,), strict=False)
        assert_near(maps_of(program.module(), batch), maps_of(backbone, batch))
