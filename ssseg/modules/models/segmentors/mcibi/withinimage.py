from collections.abc import Mapping
from typing import Any

from torch import nn

from ....utils.errors import ConfigError, listed, nearest
from ..deeplabv3 import ASPP
from ..pspnet import PyramidPoolingModule

_MODULES: dict[str, tuple[Any, str]] = {"aspp": (ASPP, "dilations"), "ppm": (PyramidPoolingModule, "pool_scales")}


def build_context_within_image(
    kind: str, cfg: Mapping[str, Any], in_channels: int, out_channels: int, *, where: str, **layers: Any
) -> nn.Module:
    """Build atrous spatial pyramid pooling, "aspp", or pyramid pooling, "ppm".

    Args:
        cfg: its `dilations` or `pool_scales`; what the other kind needs is left out.
        where: the place of `kind` and `cfg`, for messages.
    """
    if kind not in _MODULES:
        raise ConfigError(f"{where}: {kind!r} must be one of {listed(_MODULES)}.{nearest(kind, _MODULES)}")
    module, needed = _MODULES[kind]
    if needed not in cfg:
        raise ConfigError(f"{where}: {kind!r} needs {needed!r}, which is missing.")
    return module(in_channels, out_channels, cfg[needed], **layers)
