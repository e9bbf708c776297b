from collections.abc import Mapping
from typing import Any

from torch import nn

from .....utils.errors import ConfigError
from ..normalization import BuildNormalization
from ..normalization.layernorm import LayerNorm2d

_OF_MAPS = (nn.modules.batchnorm._NormBase, nn.GroupNorm, LayerNorm2d)


def build_token_norm(channels: int, norm_cfg: Mapping[str, Any] | None) -> nn.Module:
    """Build a normalization of tokens (N, L, channels); ConfigError where it is one of maps."""
    norm = BuildNormalization(placeholder=channels, norm_cfg=norm_cfg)
    if isinstance(norm, _OF_MAPS):
        raise ConfigError(
            f"SEGMENTOR_CFG['backbone']['norm_cfg']: is {norm_cfg!r}, which normalizes maps, but a vision transformer "
            "needs one of tokens, such as {'type': 'LayerNorm'}. Where it is not set it is SEGMENTOR_CFG['norm_cfg']."
        )
    return norm
