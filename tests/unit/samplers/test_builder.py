"""Building pixel samplers by name."""

import pytest

from ssseg.modules import BuildPixelSampler, PixelSamplerBuilder
from ssseg.modules.models.samplers import BasePixelSampler, OHEMPixelSampler, UGSampler
from ssseg.modules.utils import ConfigError, UnknownNameError


def test_the_documented_samplers_are_registered():
    assert list(PixelSamplerBuilder.REGISTERED_MODULES) == ["OHEMPixelSampler", "UGSampler"]


def test_builds_by_name():
    ohem = BuildPixelSampler(
        {"type": "OHEMPixelSampler", "thresh": 0.3, "min_kept_per_image": 200, "ignore_index": 255}
    )
    assert isinstance(ohem, OHEMPixelSampler)
    assert isinstance(ohem, BasePixelSampler)
    assert (ohem.thresh, ohem.min_kept_per_image, ohem.ignore_index) == (0.3, 200, 255)
    cfg = {"num_points": 12544, "oversample_ratio": 3.0, "importance_sample_ratio": 0.75, "reformat_target": False}
    assert isinstance(BuildPixelSampler({"type": "UGSampler", **cfg}), UGSampler)


def test_errors_name_the_place():
    with pytest.raises(
        UnknownNameError, match=r"\['pixelsampler'\]\['type'\]: no pixel sampler .*mean 'OHEMPixelSampler'"
    ):
        BuildPixelSampler({"type": "OHEMSampler"})
    with pytest.raises(ConfigError, match=r"\['pixelsampler'\]\['min_kept'\]: .* mean 'min_kept_per_image'"):
        BuildPixelSampler({"type": "OHEMPixelSampler", "min_kept": 100})
