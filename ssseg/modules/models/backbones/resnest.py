from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from ...utils.errors import ConfigError
from .bricks import BuildActivation, BuildNormalization
from .checks import one_of
from .resnet import ResNet, convert_resnet
from .weights import load_pretrained

# OpenMMLab's copies of the authors', trained on ImageNet; Apache-2.0.
DEFAULT_MODEL_URLS = {
    "resnest50": "https://download.openmmlab.com/pretrain/third_party/resnest50_d2-7497a55b.pth",
    "resnest101": "https://download.openmmlab.com/pretrain/third_party/resnest101_d2-f3b931b2.pth",
    "resnest200": "https://download.openmmlab.com/pretrain/third_party/resnest200_d2-ca88e41f.pth",
}
AUTO_ASSERT_STRUCTURE_TYPES = {name: {"depth": int(name.removeprefix("resnest"))} for name in DEFAULT_MODEL_URLS}


class SplitAttentionConv2d(nn.Module):
    """`radix` convolutions whose outputs are added with weights that depend on the averages of their sum.

    Paper: Zhang et al., "ResNeSt", CVPRW 2022, arXiv:2004.08955, section 3.1 and figure 2.

    Args:
        channels: of input and output.
        groups: of each of the convolutions.
        reduction_factor: the weights are computed from radix * channels / reduction_factor values, at least 32.
    """

    def __init__(
        self,
        channels: int,
        *,
        stride: int,
        dilation: int,
        radix: int,
        groups: int,
        reduction_factor: int,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        self.radix, self.groups = radix, groups
        joined, inner = radix * channels, max(radix * channels // reduction_factor, 32)
        self.conv = nn.Conv2d(channels, joined, 3, stride, dilation, dilation, groups=groups * radix, bias=False)
        self.bn0 = BuildNormalization(placeholder=joined, norm_cfg=norm_cfg)
        self.relu = BuildActivation(act_cfg)
        self.fc1 = nn.Conv2d(channels, inner, 1, groups=groups)
        self.bn1 = BuildNormalization(placeholder=inner, norm_cfg=norm_cfg)
        self.fc2 = nn.Conv2d(inner, joined, 1, groups=groups)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        splits = self.relu(self.bn0(self.conv(x))).unflatten(1, (self.radix, -1))  # (N, radix, C, h, w)
        average = splits.sum(dim=1).mean(dim=(2, 3), keepdim=True)  # (N, C, 1, 1)
        scores = self.fc2(self.relu(self.bn1(self.fc1(average))))  # (N, groups * radix * C / groups, 1, 1)
        return (splits * self._weights(scores.flatten(1))[..., None, None]).sum(dim=1)

    def _weights(self, scores: Tensor) -> Tensor:  # (N, radix * C)
        if self.radix == 1:
            return scores.sigmoid()[:, None]
        by_group = scores.unflatten(1, (self.groups, self.radix, -1)).transpose(1, 2)  # (N, radix, groups, C / groups)
        return by_group.softmax(dim=1).flatten(2)  # (N, radix, C)


class Bottleneck(nn.Module):
    """1x1 convolution, split attention and 1x1 convolution, the last four times as wide, added to the shortcut.

    Paper: Zhang et al., "ResNeSt", CVPRW 2022, arXiv:2004.08955, table 1 and section 4.1.

    Args:
        width: inside the block.
        stride, dilation: of the split attention.
        downsample: gives the shortcut the output's shape; None where it has it already.
        average: stride by an average pooling after the split attention instead of in it.
    """

    def __init__(
        self,
        inplanes: int,
        width: int,
        outplanes: int,
        *,
        stride: int,
        dilation: int,
        downsample: nn.Module | None,
        average: bool,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
        **attention: Any,
    ):
        super().__init__()  # the order of the next lines is that of the entries in published checkpoints
        averages = average and stride > 1
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        self.downsample = downsample
        self.conv1 = nn.Conv2d(inplanes, width, 1, bias=False)
        self.bn1 = BuildNormalization(placeholder=width, norm_cfg=norm_cfg)
        self.conv2 = SplitAttentionConv2d(
            width, stride=1 if averages else stride, dilation=dilation, **attention, **layers
        )
        self.avd_layer = nn.AvgPool2d(3, stride, padding=1) if averages else nn.Identity()
        self.conv3 = nn.Conv2d(width, outplanes, 1, bias=False)
        self.bn3 = BuildNormalization(placeholder=outplanes, norm_cfg=norm_cfg)
        self.relu = BuildActivation(act_cfg)

    def forward(self, x: Tensor) -> Tensor:  # (N, inplanes, H, W)
        y = self.relu(self.bn1(self.conv1(x)))  # (N, width, H, W)
        y = self.bn3(self.conv3(self.avd_layer(self.conv2(y))))  # (N, outplanes, H/s, W/s)
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


@dataclass(frozen=True)
class BottleneckOf:
    """Builds the blocks of one ResNeSt as ResNet builds its own: from their place in the network alone."""

    groups: int
    base_width: int
    base_channels: int
    average: bool
    attention: Mapping[str, Any]

    expansion: ClassVar[int] = 4

    def __call__(
        self,
        inplanes: int,
        planes: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        downsample: nn.Module | None = None,
        **layers: Any,
    ) -> Bottleneck:
        width = planes if self.groups == 1 else planes * self.base_width // self.base_channels * self.groups
        parts = self.groups * self.attention["radix"]
        if width % parts:
            raise ConfigError(
                f"SEGMENTOR_CFG['backbone']['radix']: with 'groups' it splits the channels into {parts} parts, but a "
                f"block has {width}; 'base_channels' or 'base_width' must make that a multiple."
            )
        return Bottleneck(
            inplanes,
            width,
            planes * self.expansion,
            stride=stride,
            dilation=dilation,
            downsample=downsample,
            average=self.average,
            groups=self.groups,
            **self.attention,
            **layers,
        )


class ResNeSt(ResNet):
    """ResNet whose 3x3 convolutions are split-attention blocks.

    Paper: Zhang et al., "ResNeSt: Split-Attention Networks", CVPRW 2022, arXiv:2004.08955.

    Args:
        depth: 50, 101, 152 or 200 layers.
        radix: convolutions in a split-attention block.
        groups: in which each of them treats its channels apart; with more than one, their width is `base_width` /
            `base_channels` of a ResNet's.
        reduction_factor: see `SplitAttentionConv2d`.
        use_avg_after_block_conv2: blocks with a stride average after their split attention.

    The other arguments, shapes and errors are those of `ResNet`.
    """

    num_blocks = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3), 200: (3, 24, 36, 3)}

    def __init__(
        self,
        structure_type: str,
        in_channels: int = 3,
        base_channels: int = 64,
        stem_channels: int = 128,
        depth: int = 101,
        outstride: int = 8,
        groups: int = 1,
        base_width: int = 4,
        radix: int = 2,
        reduction_factor: int = 4,
        use_avg_after_block_conv2: bool = True,
        contract_dilation: bool = True,
        use_conv3x3_stem: bool = True,
        out_indices: Sequence[int] = (0, 1, 2, 3),
        use_avg_for_downsample: bool = True,
        norm_cfg: Mapping[str, Any] | None = {"type": "SyncBatchNorm"},
        act_cfg: Mapping[str, Any] | None = {"type": "ReLU", "inplace": True},
        pretrained: bool = True,
        pretrained_model_path: str | None = "",
    ):
        attention = {"radix": radix, "reduction_factor": reduction_factor}
        block = BottleneckOf(groups, base_width, base_channels, use_avg_after_block_conv2, attention)
        num_blocks = one_of("depth", depth, self.num_blocks)
        self.stages = {depth: (block, num_blocks)}  # type: ignore[misc]  # what ResNet builds
        super().__init__(
            structure_type,
            in_channels=in_channels,
            base_channels=base_channels,
            stem_channels=stem_channels,
            depth=depth,
            outstride=outstride,
            contract_dilation=contract_dilation,
            use_conv3x3_stem=use_conv3x3_stem,
            out_indices=out_indices,
            use_avg_for_downsample=use_avg_for_downsample,
            norm_cfg=norm_cfg,
            act_cfg=act_cfg,
            pretrained=False,
        )
        if pretrained:
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls=DEFAULT_MODEL_URLS,
                built_as=AUTO_ASSERT_STRUCTURE_TYPES,
                convert=convert_resnet,  # the authors name the stem as timm does
                input_key="stem.0.weight" if use_conv3x3_stem else "conv1.weight",
                unused=("fc.",),
            )
