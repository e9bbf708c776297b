from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ...utils.errors import ConfigError, ShapeError, call_with
from .bricks import BuildActivation, BuildNormalization, conv_norm_act, resize_like
from .checks import one_of
from .weights import load_pretrained

DEFAULT_MODEL_URLS: dict[str, str] = {}
AUTO_ASSERT_STRUCTURE_TYPES: dict[str, dict[str, Any]] = {}


class ConvBlock(nn.Module):
    """3x3 convolutions, each with normalization and activation.

    Args:
        stride: of the first of them.
        dilation: of the others.
    """

    def __init__(
        self, in_channels: int, out_channels: int, num_convs: int, *, stride: int = 1, dilation: int = 1, **layers: Any
    ):
        super().__init__()
        first = conv_norm_act(in_channels, out_channels, 3, stride=stride, **layers)
        others = (
            conv_norm_act(out_channels, out_channels, 3, dilation=dilation, **layers) for _ in range(1, num_convs)
        )
        self.convs = nn.Sequential(*(nn.Sequential(*conv) for conv in (first, *others)))

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        return self.convs(x)


class InterpConv(nn.Module):
    """Doubles the size by interpolation and changes the width by a 1x1 convolution, which comes second by default."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
        conv_first: bool = False,
    ):
        super().__init__()
        conv = nn.Sequential(*conv_norm_act(in_channels, out_channels, 1, norm_cfg=norm_cfg, act_cfg=act_cfg))
        double = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.interp_upsample = nn.Sequential(conv, double) if conv_first else nn.Sequential(double, conv)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        return self.interp_upsample(x)  # (N, out_channels, 2H, 2W)


class DeconvModule(nn.Module):
    """Doubles the size and changes the width by a transposed 4x4 convolution."""

    def __init__(
        self, in_channels: int, out_channels: int, norm_cfg: Mapping[str, Any] | None, act_cfg: Mapping[str, Any] | None
    ):
        super().__init__()
        self.deconv_upsamping = nn.Sequential(  # spelt as in published checkpoints
            nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1),
            BuildNormalization(placeholder=out_channels, norm_cfg=norm_cfg),
            BuildActivation(act_cfg),
        )

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        return self.deconv_upsamping(x)  # (N, out_channels, 2H, 2W)


UPSAMPLES: dict[str, type[nn.Module]] = {"InterpConv": InterpConv, "DeconvModule": DeconvModule}


def build_upsample(
    in_channels: int, out_channels: int, upsample_cfg: Mapping[str, Any], layers: Mapping[str, Any]
) -> nn.Module:
    """Build what `upsample_cfg` describes; ConfigError where it names nothing of `UPSAMPLES` or an unknown field."""
    module = one_of("upsample_cfg", upsample_cfg.get("type"), UPSAMPLES)
    fields = {name: value for name, value in upsample_cfg.items() if name != "type"}
    given = {"in_channels": in_channels, "out_channels": out_channels, **layers}
    return call_with(module, {**fields, **given}, where="SEGMENTOR_CFG['backbone']['upsample_cfg']", given=given)


class UpConvBlock(nn.Module):
    """Brings a map to the size and width of a finer one of the encoder, joins the two and mixes them."""

    def __init__(self, upsample: nn.Module, conv_block: nn.Module):
        super().__init__()  # the order of the next lines is that of the entries in published checkpoints
        self.conv_block = conv_block
        self.upsample = upsample

    def forward(self, skip: Tensor, x: Tensor) -> Tensor:  # (N, C, H, W) and (N, C', h, w)
        x = resize_like(self.upsample(x), skip)  # sizes differ where pooling lost an odd row or column
        return self.conv_block(torch.cat([skip, x], dim=1))  # (N, C, H, W)


class UNet(nn.Module):
    """An encoder that halves the maps and a decoder that doubles them and joins the encoder's.

    Paper: Ronneberger et al., "U-Net", MICCAI 2015, arXiv:1505.04597; here convolutions are padded, so that sizes stay.

    Args:
        structure_type: names the pretrained weights; none are published.
        in_channels: of the images.
        base_channels: width of the first stage; each stage is twice as wide as the one before.
        strides: of the first convolution of each of the `num_stages` stages.
        enc_num_convs, enc_dilations: for each stage of the encoder.
        dec_num_convs, dec_dilations: for each of the `num_stages` - 1 stages of the decoder, the finest first.
        downsamples: whether a stage but the first, with stride 1, begins with a 2x2 pooling.
        upsample_cfg: how the decoder doubles: type "InterpConv" or "DeconvModule".
        pretrained: load weights, from `pretrained_model_path`.

    Shape:
        (N, in_channels, H, W) to the deepest map and those of the decoder, coarsest first; `out_channels` are their
        widths. Sides need not be multiples of anything.

    Raises:
        ConfigError: a list has the wrong length, or `upsample_cfg` is unknown.
        ShapeError: an image is too small to be halved so often.
    """

    def __init__(
        self,
        structure_type: str,
        in_channels: int = 3,
        base_channels: int = 64,
        num_stages: int = 5,
        strides: Sequence[int] = (1, 1, 1, 1, 1),
        enc_num_convs: Sequence[int] = (2, 2, 2, 2, 2),
        dec_num_convs: Sequence[int] = (2, 2, 2, 2),
        downsamples: Sequence[bool] = (True, True, True, True),
        enc_dilations: Sequence[int] = (1, 1, 1, 1, 1),
        dec_dilations: Sequence[int] = (1, 1, 1, 1),
        norm_cfg: Mapping[str, Any] | None = {"type": "SyncBatchNorm"},
        act_cfg: Mapping[str, Any] | None = {"type": "ReLU", "inplace": True},
        upsample_cfg: Mapping[str, Any] = {"type": "InterpConv"},
        pretrained: bool = False,
        pretrained_model_path: str | None = "",
    ):
        super().__init__()
        _require_length(num_stages, strides=strides, enc_num_convs=enc_num_convs, enc_dilations=enc_dilations)
        _require_length(
            num_stages - 1, downsamples=downsamples, dec_num_convs=dec_num_convs, dec_dilations=dec_dilations
        )
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        self.structure_type = structure_type
        self.encoder, self.decoder = nn.ModuleList(), nn.ModuleList()
        self.downsampling, channels = 1, in_channels
        for i in range(num_stages):
            inner, channels = channels, base_channels * 2**i
            pools = i > 0 and strides[i] == 1 and downsamples[i - 1]
            stage = ConvBlock(inner, channels, enc_num_convs[i], stride=strides[i], dilation=enc_dilations[i], **layers)
            self.encoder.append(nn.Sequential(*([nn.MaxPool2d(2)] if pools else []), stage))
            self.downsampling *= 2 if pools else strides[i]
            if i > 0:
                smaller = pools or strides[i] != 1
                upsample = (
                    build_upsample(channels, inner, upsample_cfg, layers)
                    if smaller
                    else nn.Sequential(*conv_norm_act(channels, inner, 1, **layers))
                )
                mix = ConvBlock(2 * inner, inner, dec_num_convs[i - 1], dilation=dec_dilations[i - 1], **layers)
                self.decoder.append(UpConvBlock(upsample, mix))
        self.out_channels = tuple(base_channels * 2**i for i in reversed(range(num_stages)))
        if pretrained:
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls=DEFAULT_MODEL_URLS,
                built_as=AUTO_ASSERT_STRUCTURE_TYPES,
                input_key="encoder.0.0.convs.0.0.weight",
                unused=(),
            )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # (N, C, H, W)
        if min(x.shape[2:]) < self.downsampling:
            height, width = x.shape[2:]
            raise ShapeError(
                f"UNet: the images are {height} x {width} pixels; this one needs at least {self.downsampling} x "
                f"{self.downsampling}, because its deepest map is {self.downsampling} times smaller."
            )
        skips = []
        for stage in self.encoder:
            x = stage(x)
            skips.append(x)
        maps = [x]
        for i in reversed(range(len(self.decoder))):
            x = self.decoder[i](skips[i], x)
            maps.append(x)
        return tuple(maps)


def _require_length(length: int, **fields: Sequence[Any]) -> None:
    for name, values in fields.items():
        if len(values) != length:
            raise ConfigError(
                f"SEGMENTOR_CFG['backbone'][{name!r}]: holds {len(values)} values, must hold {length}, as 'num_stages' "
                "says."
            )
