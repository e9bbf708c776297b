from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ...utils.errors import ConfigError
from .bricks import BuildActivation, BuildNormalization, resize_like
from .weights import load_pretrained

DEFAULT_MODEL_URLS: dict[str, str] = {}
AUTO_ASSERT_STRUCTURE_TYPES: dict[str, dict[str, Any]] = {}


class DownsamplerBlock(nn.Module):
    """Halves the map by a convolution and by a pooling, and joins the two.

    Paper: Paszke et al., "ENet", 2016, arXiv:1606.02147, figure 2 (a).
    """

    def __init__(
        self, in_channels: int, out_channels: int, norm_cfg: Mapping[str, Any] | None, act_cfg: Mapping[str, Any] | None
    ):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels - in_channels, 3, stride=2, padding=1, bias=False)
        self.pool = nn.MaxPool2d(2)
        self.bn = BuildNormalization(placeholder=out_channels, norm_cfg=norm_cfg)
        self.act = BuildActivation(act_cfg)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        y = self.conv(x)  # (N, C' - C, H/2, W/2), rounded up; the pooling rounds down
        return self.act(self.bn(torch.cat([y, resize_like(self.pool(x), y)], dim=1)))


class NonBottleneck1d(nn.Module):
    """Two 3x3 convolutions, each split into 3x1 and 1x3, added to the input.

    Paper: Romera et al., "ERFNet", T-ITS 2018, section III-A and figure 2 (c).

    Args:
        dropout: probability that an output is dropped.
        dilation: of the second convolution.
    """

    def __init__(
        self,
        channels: int,
        dropout: float = 0.0,
        dilation: int = 1,
        *,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        self.act = BuildActivation(act_cfg)  # one for all places, so a PReLU has one parameter a block
        layers: list[nn.Module] = []
        for reach in (1, dilation):
            layers += [
                nn.Conv2d(channels, channels, (3, 1), padding=(reach, 0), dilation=(reach, 1)),
                self.act,
                nn.Conv2d(channels, channels, (1, 3), padding=(0, reach), dilation=(1, reach)),
                BuildNormalization(placeholder=channels, norm_cfg=norm_cfg),
            ]
            layers.append(self.act if len(layers) < 5 else nn.Dropout(dropout))
        self.convs_layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        return self.act(x + self.convs_layers(x))


class UpsamplerBlock(nn.Module):
    """Doubles the map by a transposed convolution."""

    def __init__(
        self, in_channels: int, out_channels: int, norm_cfg: Mapping[str, Any] | None, act_cfg: Mapping[str, Any] | None
    ):
        super().__init__()
        self.conv = nn.ConvTranspose2d(in_channels, out_channels, 3, stride=2, padding=1, output_padding=1)
        self.bn = BuildNormalization(placeholder=out_channels, norm_cfg=norm_cfg)
        self.act = BuildActivation(act_cfg)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        return self.act(self.bn(self.conv(x)))  # (N, C', 2H, 2W)


class ERFNet(nn.Module):
    """An encoder and a decoder of residual blocks whose convolutions are split into columns and rows.

    Paper: Romera et al., "ERFNet: Efficient Residual Factorized ConvNet for Real-Time Semantic Segmentation", T-ITS
    2018, doi:10.1109/TITS.2017.2750080, table I.

    Args:
        structure_type: names the pretrained weights; none are published.
        in_channels: of the images.
        enc_downsample_channels: width after each halving.
        enc_stage_non_bottlenecks: residual blocks after each halving but the first.
        enc_non_bottleneck_dilations: of the blocks of the last stage, in turn.
        dec_upsample_channels: width after each doubling.
        dec_stages_non_bottleneck: residual blocks after each doubling.
        dropout_ratio: in the encoder's blocks.
        pretrained: load weights, from `pretrained_model_path`.

    Shape:
        (N, in_channels, H, W) to one map at 1/2, of sides that are multiples of 4; `out_channels` is its width.

    Raises:
        ConfigError: the blocks of the last stage are no multiple of its dilations.
    """

    def __init__(
        self,
        structure_type: str,
        in_channels: int = 3,
        enc_downsample_channels: Sequence[int] = (16, 64, 128),
        enc_stage_non_bottlenecks: Sequence[int] = (5, 8),
        enc_non_bottleneck_dilations: Sequence[int] = (2, 4, 8, 16),
        dec_upsample_channels: Sequence[int] = (64, 16),
        dec_stages_non_bottleneck: Sequence[int] = (2, 2),
        dropout_ratio: float = 0.1,
        norm_cfg: Mapping[str, Any] | None = {"type": "SyncBatchNorm"},
        act_cfg: Mapping[str, Any] | None = {"type": "ReLU", "inplace": True},
        pretrained: bool = False,
        pretrained_model_path: str | None = "",
    ):
        super().__init__()
        self.structure_type = structure_type
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        rounds, rest = divmod(enc_stage_non_bottlenecks[-1], len(enc_non_bottleneck_dilations))
        if rest:
            raise ConfigError(
                f"SEGMENTOR_CFG['backbone']['enc_stage_non_bottlenecks']: its last number is "
                f"{enc_stage_non_bottlenecks[-1]}, must be a multiple of {len(enc_non_bottleneck_dilations)}, the "
                f"number of 'enc_non_bottleneck_dilations'."
            )
        plain = [(1,) * count for count in enc_stage_non_bottlenecks[:-1]]
        dilations = [(), *plain, tuple(enc_non_bottleneck_dilations) * rounds]
        width, blocks = in_channels, list[nn.Module]()
        for channels, reaches in zip(enc_downsample_channels, dilations, strict=True):
            blocks.append(DownsamplerBlock(width, channels, **layers))
            blocks += [NonBottleneck1d(channels, dropout_ratio, reach, **layers) for reach in reaches]
            width = channels
        self.encoder = nn.Sequential(*blocks)
        blocks = []
        for channels, count in zip(dec_upsample_channels, dec_stages_non_bottleneck, strict=True):
            blocks.append(UpsamplerBlock(width, channels, **layers))
            blocks += [NonBottleneck1d(channels, **layers) for _ in range(count)]
            width = channels
        self.decoder = nn.Sequential(*blocks)
        self.out_channels = (width,)
        if pretrained:
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls=DEFAULT_MODEL_URLS,
                built_as=AUTO_ASSERT_STRUCTURE_TYPES,
                input_key="encoder.0.conv.weight",
                unused=(),
            )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # (N, C, H, W)
        return (self.decoder(self.encoder(x)),)
