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

        def project(before: int, after: int, norm: bool, num_convs: int = 1) -> nn.Module:
            pairs = pairwise([before, *[after] * num_convs])
            convs = [nn.Sequential(*conv_norm_act(a, b, 1, **layers)) if norm else conv1x1(a, b) for a, b in pairs]
            return convs[0] if num_convs == 1 else nn.Sequential(*convs)

        values = transform_channels if with_out_project else out_channels
        self.key_project = project(key_in_channels, transform_channels, key_query_norm, key_query_num_convs)
        self.query_project = (
            self.key_project
            if share_key_query
            else project(query_in_channels, transform_channels, key_query_norm, key_query_num_convs)
        )
        self.value_project = project(key_in_channels, values, value_out_norm)
        self.out_project = project(values, out_channels, value_out_norm) if with_out_project else nn.Identity()
        self.query_downsample = query_downsample or nn.Identity()
        self.key_downsample = key_downsample or nn.Identity()
        self.scale = transform_channels**-0.5 if matmul_norm else 1.0

    def forward(self, query_feats: Tensor, key_feats: Tensor) -> Tensor:
        query = self.query_downsample(self.query_project(query_feats))
        key = self.key_downsample(self.key_project(key_feats))
        value = self.key_downsample(self.value_project(key_feats))
        return self.out_project(attend(query, key, value, self.scale))


def conv1x1(in_channels: int, out_channels: int) -> nn.Conv2d:
    """Return a 1x1 convolution without bias."""
    return nn.Conv2d(in_channels, out_channels, 1, bias=False)
