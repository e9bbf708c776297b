from collections.abc import Mapping, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ...utils.errors import ConfigError
from .bricks import BuildActivation, BuildNormalization, conv_norm_act
from .resnet import BasicBlock
from .weights import load_pretrained

DEFAULT_MODEL_URLS: dict[str, str] = {}
AUTO_ASSERT_STRUCTURE_TYPES: dict[str, dict[str, Any]] = {}


class Refinement(nn.Module):
    """Brings a map to the size of a finer one of the encoder, adds the two and mixes them.

    Both come to the narrow width of the finer map by 1x1 convolutions first, which cost little.
    """

    def __init__(
        self,
        in_channels: int,
        skip_channels: int,
        out_channels: int,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        self.reduce = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.lateral = nn.Conv2d(skip_channels, out_channels, 1, bias=False)
        self.norm = BuildNormalization(placeholder=out_channels, norm_cfg=norm_cfg)
        self.act = BuildActivation(act_cfg)
        self.mix = nn.Sequential(*conv_norm_act(out_channels, out_channels, 3, norm_cfg=norm_cfg, act_cfg=act_cfg))

    def forward(self, skip: Tensor, x: Tensor) -> Tensor:  # (N, skip_channels, H, W) and (N, in_channels, h, w)
        x = F.interpolate(self.reduce(x), size=skip.shape[2:], mode="nearest")
        return self.mix(self.act(self.norm(x + self.lateral(skip))))  # (N, out_channels, H, W)


class CompactUNet(nn.Module):
    """A small encoder and decoder of plain 3x3 convolutions, most of whose work lies on coarse maps.

    Paper: Chaurasia and Culurciello, "LinkNet", VCIP 2017, arXiv:1707.03718, for the decoder that adds the encoder's
    maps; the context, a mean over the picture: Liu et al., "ParseNet", 2015, arXiv:1506.04579. The widths are ours, for
    training from scratch in minutes: dense convolutions use the matrix instructions of a CPU well, and the finest maps,
    which cost the most per channel, are narrow.

    Args:
        structure_type: names the pretrained weights; none are published.
        in_channels: of the images.
        channels: widths of the encoder's stages, each of which halves the size.
        num_blocks: residual blocks of each stage.
        dilations: of the blocks of the last stage, in turns.
        decoder_channels: widths of the decoder's maps, coarsest first; at most one fewer than stages.
        pretrained: load weights, from `pretrained_model_path`.

    Shape:
        (N, in_channels, H, W) to the deepest map and those of the decoder, coarsest first; `out_channels` are their
        widths. Sides need not be multiples of anything; odd ones are rounded up when halved.

    Raises:
        ConfigError: `num_blocks` has not the length of `channels`, or `decoder_channels` is too long.
    """

    def __init__(
        self,
        structure_type: str,
        in_channels: int = 3,
        channels: Sequence[int] = (16, 32, 64, 128, 192),
        num_blocks: Sequence[int] = (0, 1, 1, 2, 2),
        dilations: Sequence[int] = (1, 2),
        decoder_channels: Sequence[int] = (96, 64, 32),
        norm_cfg: Mapping[str, Any] | None = {"type": "SyncBatchNorm"},
        act_cfg: Mapping[str, Any] | None = {"type": "ReLU", "inplace": True},
        pretrained: bool = False,
        pretrained_model_path: str | None = "",
    ):
        super().__init__()
        if len(num_blocks) != len(channels) or len(decoder_channels) >= len(channels):
            raise ConfigError(
                f"SEGMENTOR_CFG['backbone']: num_blocks has {len(num_blocks)} values and decoder_channels "
                f"{len(decoder_channels)}; with {len(channels)} channels they must have {len(channels)} and at most "
                f"{len(channels) - 1}."
            )
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        self.structure_type = structure_type
        self.encoder, self.decoder = nn.ModuleList(), nn.ModuleList()
        before = in_channels
        for stage, (width, count) in enumerate(zip(channels, num_blocks, strict=True), start=1):
            halve = nn.Sequential(*conv_norm_act(before, width, 3, stride=2, **layers))
            spread = dilations if stage == len(channels) else (1,)
            blocks = (BasicBlock(width, width, dilation=spread[i % len(spread)], **layers) for i in range(count))
            self.encoder.append(nn.Sequential(halve, *blocks))
            before = width
        self.context = nn.Conv2d(before, before, 1)
        for skip, width in zip(reversed(channels[:-1]), decoder_channels, strict=False):
            self.decoder.append(Refinement(before, skip, width, **layers))
            before = width
        self.out_channels = (channels[-1], *decoder_channels)
        self._start_as_identity()
        if pretrained:
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls=DEFAULT_MODEL_URLS,
                built_as=AUTO_ASSERT_STRUCTURE_TYPES,
                input_key="encoder.0.0.0.weight",
                unused=(),
            )

    def _start_as_identity(self) -> None:
        """Let the residual blocks begin with nothing but their shortcuts: Goyal et al., arXiv:1706.02677, 5.1."""
        for block in self.modules():
            weight = getattr(block.bn2, "weight", None) if isinstance(block, BasicBlock) else None
            if weight is not None:
                nn.init.zeros_(weight)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # (N, C, H, W)
        skips = []
        for stage in self.encoder:
            x = stage(x)
            skips.append(x)
        maps = [x + self.context(x.mean((2, 3), keepdim=True))]
        for refinement, skip in zip(self.decoder, reversed(skips[:-1]), strict=False):
            maps.append(refinement(skip, maps[-1]))
        return tuple(maps)
