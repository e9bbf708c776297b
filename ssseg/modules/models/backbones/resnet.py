from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

from .bricks import BuildActivation, BuildNormalization, conv_norm_act
from .checks import indices_below, one_of
from .weights import State, load_pretrained

# torchvision's and, for the stem of three 3x3 convolutions, OpenMMLab's, all trained on ImageNet; BSD-3 and Apache-2.0.
DEFAULT_MODEL_URLS = {
    "resnet18": "https://download.pytorch.org/models/resnet18-5c106cde.pth",
    "resnet34": "https://download.pytorch.org/models/resnet34-333f7ec4.pth",
    "resnet50": "https://download.pytorch.org/models/resnet50-19c8e357.pth",
    "resnet101": "https://download.pytorch.org/models/resnet101-5d3b4d8f.pth",
    "resnet152": "https://download.pytorch.org/models/resnet152-b121ed2d.pth",
    "resnet18conv3x3stem": "https://download.openmmlab.com/pretrain/third_party/resnet18_v1c-b5776b93.pth",
    "resnet50conv3x3stem": "https://download.openmmlab.com/pretrain/third_party/resnet50_v1c-2cccc1ad.pth",
    "resnet101conv3x3stem": "https://download.openmmlab.com/pretrain/third_party/resnet101_v1c-e67eebb6.pth",
}
AUTO_ASSERT_STRUCTURE_TYPES = {
    name: {"depth": int(name.removeprefix("resnet").removesuffix("conv3x3stem")), "use_conv3x3_stem": "stem" in name}
    for name in DEFAULT_MODEL_URLS
}


def convert_resnet(state: State) -> State:
    """Name the entries of timm's ResNets with a deep stem as ours; torchvision and OpenMMLab use our names."""
    if "conv1.0.weight" not in state:
        return state
    renamed = {"conv1.": "stem.", "bn1.": "stem.7."}
    return {
        next((new + key.removeprefix(old) for old, new in renamed.items() if key.startswith(old)), key): value
        for key, value in state.items()
    }


class BasicBlock(nn.Module):
    """Two 3x3 convolutions, added to the shortcut.

    Paper: He et al., "Deep Residual Learning", CVPR 2016, arXiv:1512.03385, figure 5 (left).

    Args:
        stride, dilation: of the first convolution.
        downsample: gives the shortcut the output's shape; None where it has it already.
    """

    expansion = 1

    def __init__(
        self,
        inplanes: int,
        planes: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        downsample: nn.Module | None = None,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()  # the order of the next lines is that of the entries in published checkpoints
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride=stride, padding=dilation, dilation=dilation, bias=False)
        self.bn1 = BuildNormalization(placeholder=planes, norm_cfg=norm_cfg)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = BuildNormalization(placeholder=planes, norm_cfg=norm_cfg)
        self.relu = BuildActivation(act_cfg)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:  # (N, inplanes, H, W)
        y = self.relu(self.bn1(self.conv1(x)))  # (N, planes, H/s, W/s)
        y = self.bn2(self.conv2(y))  # (N, planes, H/s, W/s)
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolution, the last four times as wide, added to the shortcut.

    Paper: He et al., "Deep Residual Learning", CVPR 2016, arXiv:1512.03385, figure 5 (right).

    Args:
        stride, dilation: of the 3x3 convolution.
        downsample: gives the shortcut the output's shape; None where it has it already.
    """

    expansion = 4

    def __init__(
        self,
        inplanes: int,
        planes: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        downsample: nn.Module | None = None,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()  # the order of the next lines is that of the entries in published checkpoints
        self.downsample = downsample
        outplanes = planes * self.expansion
        self.conv1 = nn.Conv2d(inplanes, planes, 1, bias=False)
        self.bn1 = BuildNormalization(placeholder=planes, norm_cfg=norm_cfg)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride=stride, padding=dilation, dilation=dilation, bias=False)
        self.bn2 = BuildNormalization(placeholder=planes, norm_cfg=norm_cfg)
        self.conv3 = nn.Conv2d(planes, outplanes, 1, bias=False)
        self.bn3 = BuildNormalization(placeholder=outplanes, norm_cfg=norm_cfg)
        self.relu = BuildActivation(act_cfg)

    def forward(self, x: Tensor) -> Tensor:  # (N, inplanes, H, W)
        y = self.relu(self.bn1(self.conv1(x)))  # (N, planes, H, W)
        y = self.relu(self.bn2(self.conv2(y)))  # (N, planes, H/s, W/s)
        y = self.bn3(self.conv3(y))  # (N, 4 * planes, H/s, W/s)
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


def build_shortcut(
    inplanes: int, outplanes: int, stride: int, average: bool, norm_cfg: Mapping[str, Any] | None
) -> nn.Module | None:
    """Return what gives the input of a stage the shape of its first block's output; None where it has it."""
    if stride == 1 and inplanes == outplanes:
        return None
    pool = [nn.AvgPool2d(stride, stride, ceil_mode=True, count_include_pad=False)] if average else []
    conv = nn.Conv2d(inplanes, outplanes, 1, stride=1 if average else stride, bias=False)
    return nn.Sequential(*pool, conv, BuildNormalization(placeholder=outplanes, norm_cfg=norm_cfg))


class ResNet(nn.Module):
    """Residual network whose last stages can be dilated instead of strided, to keep larger maps.

    Paper: He et al., "Deep Residual Learning", CVPR 2016, arXiv:1512.03385; dilation: Yu et al., "Dilated Residual
    Networks", CVPR 2017, arXiv:1705.09914; stem and shortcuts: He et al., "Bag of Tricks", CVPR 2019, arXiv:1812.01187.

    Args:
        structure_type: names the pretrained weights, a key of `DEFAULT_MODEL_URLS`.
        in_channels: of the images.
        base_channels, stem_channels: width of the first stage, before a bottleneck's expansion, and of the stem.
        depth: 18, 34, 50, 101 or 152 layers.
        outstride: image size / size of the last map: 8, 16 or 32.
        contract_dilation: the first block of a dilated stage uses half the dilation.
        use_conv3x3_stem: begin with three 3x3 convolutions instead of one 7x7.
        out_indices: which of the four stages to return.
        use_avg_for_downsample: shortcuts average before their 1x1 convolution instead of striding in it.
        pretrained: load weights, from `pretrained_model_path` or, where that is None or "", fetched.

    Shape:
        (N, in_channels, H, W) to a tuple of maps, at 1/4, 1/8, then as `outstride` says, `out_channels` wide.

    Raises:
        ConfigError: there is no such depth or outstride, or the weights do not fit.
    """

    stages: ClassVar[dict[int, tuple[Any, tuple[int, ...]]]] = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    strides_and_dilations = {
        8: ((1, 2, 1, 1), (1, 1, 2, 4)),
        16: ((1, 2, 2, 1), (1, 1, 1, 2)),
        32: ((1, 2, 2, 2), (1, 1, 1, 1)),
    }

    def __init__(
        self,
        structure_type: str,
        in_channels: int = 3,
        base_channels: int = 64,
        stem_channels: int = 64,
        depth: int = 101,
        outstride: int = 8,
        contract_dilation: bool = True,
        use_conv3x3_stem: bool = True,
        out_indices: Sequence[int] = (0, 1, 2, 3),
        use_avg_for_downsample: bool = False,
        norm_cfg: Mapping[str, Any] | None = {"type": "SyncBatchNorm"},
        act_cfg: Mapping[str, Any] | None = {"type": "ReLU", "inplace": True},
        pretrained: bool = True,
        pretrained_model_path: str | None = "",
    ):
        super().__init__()
        block, num_blocks = one_of("depth", depth, self.stages)
        strides, dilations = one_of("outstride", outstride, self.strides_and_dilations)
        self.structure_type, self.depth, self.use_conv3x3_stem = structure_type, depth, use_conv3x3_stem
        self.out_indices = indices_below(4, out_indices)
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        if use_conv3x3_stem:
            self.stem = nn.Sequential(
                *conv_norm_act(in_channels, stem_channels // 2, 3, stride=2, **layers),
                *conv_norm_act(stem_channels // 2, stem_channels // 2, 3, **layers),
                *conv_norm_act(stem_channels // 2, stem_channels, 3, **layers),
            )
        else:
            self.conv1, self.bn1, self.relu = conv_norm_act(in_channels, stem_channels, 7, stride=2, **layers)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        inplanes, widths = stem_channels, []
        for i in range(4):
            planes = base_channels * 2**i
            outplanes = planes * block.expansion
            first = dilations[i] // 2 if contract_dilation and dilations[i] > 1 else dilations[i]
            shortcut = build_shortcut(inplanes, outplanes, strides[i], use_avg_for_downsample, norm_cfg)
            blocks = [block(inplanes, planes, stride=strides[i], dilation=first, downsample=shortcut, **layers)]
            inplanes = outplanes
            blocks += [block(inplanes, planes, dilation=dilations[i], **layers) for _ in range(num_blocks[i] - 1)]
            self.add_module(f"layer{i + 1}", nn.Sequential(*blocks))
            widths.append(inplanes)
        self.out_channels = tuple(widths[i] for i in self.out_indices)
        if pretrained:
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls=DEFAULT_MODEL_URLS,
                built_as=AUTO_ASSERT_STRUCTURE_TYPES,
                convert=convert_resnet,
                input_key="stem.0.weight" if use_conv3x3_stem else "conv1.weight",
                unused=("fc.",),
            )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # (N, C, H, W)
        x = self.stem(x) if self.use_conv3x3_stem else self.relu(self.bn1(self.conv1(x)))  # (N, stem, H/2, W/2)
        x = self.maxpool(x)  # (N, stem, H/4, W/4)
        maps = []
        for i in range(4):
            x = getattr(self, f"layer{i + 1}")(x)
            maps.append(x)
        return tuple(maps[i] for i in self.out_indices)
