from typing import ClassVar

import torch
from torch import Tensor, nn

from ...backbones import conv_norm_act
from .base import BaseSegmentor


class ContextSegmentor(BaseSegmentor):
    """Backbone; convolution, a block that gathers context, convolution; joined with the map, one more and a classifier.

    A subclass calls `build_around` in its `build_head`.
    """

    names: ClassVar[tuple[str, str, str]]
    """What the convolution before, the block and the convolution after are called in checkpoints."""

    def build_around(self, block: nn.Module, in_channels: int, feats_channels: int, dropout: float) -> None:
        """Build the head around `block`, which keeps the shape (N, feats_channels, h, w)."""
        for name, part in zip(
            self.names,
            (self._conv3x3(in_channels, feats_channels), block, self._conv3x3(feats_channels, feats_channels)),
            strict=True,
        ):
            self.add_module(name, part)
        self.decoder = nn.Sequential(
            *conv_norm_act(in_channels + feats_channels, feats_channels, 3, **self.layer_cfg),
            nn.Dropout2d(dropout),
            nn.Conv2d(feats_channels, self.num_classes, 1),
        )

    def _conv3x3(self, in_channels: int, out_channels: int) -> nn.Sequential:
        return nn.Sequential(*conv_norm_act(in_channels, out_channels, 3, **self.layer_cfg))

    def gather(self, block: nn.Module, x: Tensor) -> Tensor:
        """Return x (N, feats_channels, h, w) with its context."""
        return block(x)

    def predict(self, features: list[Tensor]) -> Tensor:  # features[-1] (N, in_channels, h, w)
        before, block, after = (self.get_submodule(name) for name in self.names)
        feats = after(self.gather(block, before(features[-1])))
        return self.decoder(torch.cat([features[-1], feats], dim=1))  # (N, K, h, w)
