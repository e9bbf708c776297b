from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from ...backbones import conv_norm_act
from .attention import attend


class SelfAttentionBlock(nn.Module):
    """Gathers for each place of one map what it needs of another: attention between 1x1 convolutions of the two.

    Paper: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, arXiv:1706.03762, section 3.2.1.

    Args:
        key_in_channels, query_in_channels: widths of the two maps.
        transform_channels: width of queries and keys, and of values where there is an output projection.
        key_query_num_convs: convolutions that make queries and keys.
        key_query_norm, value_out_norm: whether normalization and activation follow those convolutions.
        matmul_norm: whether scores are divided by sqrt(transform_channels).
        with_out_project: else the values have `out_channels` and nothing follows them.
        share_key_query: queries and keys are made by the same convolutions.
        query_downsample: makes the projected query smaller; the result then has its size.
        key_downsample: makes projected keys and values fewer; may return (N, C, L).

    Shape:
        query_feats (N, query_in_channels, h, w), key_feats (N, key_in_channels, ., .) -> (N, out_channels, h, w).
    """

    def __init__(
        self,
        key_in_channels: int,
        query_in_channels: int,
        transform_channels: int,
        out_channels: int,
        *,
        key_query_num_convs: int = 1,
        key_query_norm: bool = True,
        value_out_norm: bool = True,
        matmul_norm: bool = True,
        with_out_project: bool = True,
        share_key_query: bool = False,
        query_downsample: nn.Module | None = None,
        key_downsample: nn.Module | None = None,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}

        def projection(in_channels: int, out_channels: int, norm: bool, num_convs: int = 1) -> nn.Module:
            if not norm:
                layers_of = [nn.Conv2d(a, b, 1, bias=False) for a, b in widths(in_channels, out_channels, num_convs)]
                return layers_of[0] if num_convs == 1 else nn.Sequential(*layers_of)
            convs = [
                nn.Sequential(*conv_norm_act(a, b, 1, **layers)) for a, b in widths(in_channels, out_channels, num_convs)
            ]
            return convs[0] if num_convs == 1 else nn.Sequential(*convs)
