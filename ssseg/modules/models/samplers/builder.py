"""Builds a pixel sampler from `SEGMENTOR_CFG['head']['pixelsampler']`."""

from collections.abc import Mapping
from typing import Any

from ...utils.modulebuilder import BaseModuleBuilder, Registry

_HERE = "ssseg.modules.models.samplers"


class PixelSamplerBuilder(BaseModuleBuilder):
    """Builds what `pixelsampler_cfg["type"]` names; the other entries are its constructor's arguments."""

    REGISTERED_MODULES = Registry(
        {"OHEMPixelSampler": f"{_HERE}.ohempixelsampler:OHEMPixelSampler", "UGSampler": f"{_HERE}.ugsampler:UGSampler"}
    )
    kind = "pixel sampler"
    where = "SEGMENTOR_CFG['head']['pixelsampler']"


def BuildPixelSampler(pixelsampler_cfg: Mapping[str, Any]) -> Any:  # noqa: N802
    """Build one pixel sampler; errors as in `PixelSamplerBuilder.build`."""
    return PixelSamplerBuilder().build(pixelsampler_cfg)
