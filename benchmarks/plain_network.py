"""Networks as they are usually written, for baselines: the same weights, and the same results but for rounding."""

from contextlib import contextmanager
from unittest import mock

import torch
import torch.nn.functional as F

from ssseg.modules.models.backbones.bricks.transformer import map_of, tokens_of
from ssseg.modules.models.backbones.mit import MixFFN
from ssseg.modules.models.segmentors.segformer.segformer import Segformer


@contextmanager
def plain_network():
    """Let attention make its matrix, convolutions see maps, and heads join their maps at one size."""
    with (
        mock.patch.object(F, "scaled_dot_product_attention", matrix_attention),
        mock.patch("ssseg.modules.models.upsampling.matrices.FEW", 0),
        mock.patch("ssseg.modules.models.upsampling.matrices.SMALL", 0),
        mock.patch.object(MixFFN, "forward", lambda self, x, size: tokens_of(self.layers(map_of(x, size)))),
        mock.patch.object(Segformer, "predict", joined_levels),
    ):
        yield


def matrix_attention(q, k, v, attn_mask=None, dropout_p=0.0, scale=None):
    products = q @ k.transpose(-2, -1) * (q.shape[-1] ** -0.5 if scale is None else scale)
    weights = (products if attn_mask is None else products + attn_mask).softmax(dim=-1)
    return F.dropout(weights, dropout_p) @ v


def joined_levels(self, features):
    levels = [conv(x) for conv, x in zip(self.convs, features, strict=True)]
    resized = [F.interpolate(x, levels[0].shape[2:], mode="bilinear") for x in levels]
    return self.decoder(torch.cat(resized[::-1] if self.linear_levels else resized, dim=1))
