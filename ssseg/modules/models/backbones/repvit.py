from collections.abc import Mapping, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from .bricks import BuildActivation, makedivisible
from .bricks.convolution.convbn import ConvBN
from .checks import one_of
from .samvit import build_neck
from .weights import load_pretrained

Cfg = Mapping[str, Any] | None
ARCHS = {  # widths and depths of the stages
    "m1": ((48, 96, 192, 384), (3, 4, 16, 3)),
    "m2": ((64, 128, 256, 512), (3, 4, 14, 3)),
    "m3": ((64, 128, 256, 512), (5, 6, 20, 3)),
}


class SqueezeGate(nn.Module):
    """Scales each channel by a gate that depends on the averages of all channels.

    Paper: Hu et al., "Squeeze-and-Excitation Networks", CVPR 2018, arXiv:1709.01507, section 3.
    """

    def __init__(self, channels: int):
        super().__init__()
        squeezed = makedivisible(channels // 4, 8)
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        return x * self.fc2(F.relu(self.fc1(x.mean(dim=(2, 3), keepdim=True)))).sigmoid()


class DepthwiseBranches(nn.Module):
    """A depthwise 3x3 and a depthwise 1x1 convolution, added to their input."""

    def __init__(self, channels: int, norm_cfg: Cfg):
        super().__init__()
        self.conv = ConvBN(channels, channels, 3, groups=channels, norm_cfg=norm_cfg)
        self.conv1 = ConvBN(channels, channels, 1, groups=channels, norm_cfg=norm_cfg)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        return self.conv(x) + self.conv1(x) + x


class ChannelMixer(nn.Module):
    """Two 1x1 convolutions, added to their input; at first they add nothing."""

    def __init__(self, channels: int, norm_cfg: Cfg, act_cfg: Cfg):
        super().__init__()
        last = ConvBN(2 * channels, channels, norm_cfg=norm_cfg)
        if norm_cfg is not None:
            nn.init.zeros_(last.get_parameter("bn.weight"))
        self.m = nn.Sequential(ConvBN(channels, 2 * channels, norm_cfg=norm_cfg), BuildActivation(act_cfg), last)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        return x + self.m(x)


class RepViTBlock(nn.Module):
    """Depthwise convolutions, that may halve the size and change the width, then 1x1 ones.

    Paper: Wang et al., "RepViT: Revisiting Mobile CNN From ViT Perspective", CVPR 2024, arXiv:2307.09283, section 3.
    """

    def __init__(self, before: int, after: int, stride: int, gate: bool, norm_cfg: Cfg, act_cfg: Cfg):
        super().__init__()
        gating = SqueezeGate(before) if gate else nn.Identity()
        if stride == 1:
            self.token_mixer = nn.Sequential(DepthwiseBranches(before, norm_cfg), gating)
        else:
            depthwise = ConvBN(before, before, 3, stride=stride, groups=before, norm_cfg=norm_cfg)
            self.token_mixer = nn.Sequential(depthwise, gating, ConvBN(before, after, norm_cfg=norm_cfg))
        self.channel_mixer = ChannelMixer(after, norm_cfg, act_cfg)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        return self.channel_mixer(self.token_mixer(x))


class Fusion(nn.Module):
    """A 1x1 convolution, whose result is enlarged."""

    def __init__(self, in_channels: int, out_channels: int, mode: str):
        super().__init__()
        self.op_list = nn.ModuleList([nn.Conv2d(in_channels, out_channels, 1, bias=False)])
        self.mode = mode

    def forward(self, x: Tensor, size: Sequence[int]) -> Tensor:
        """Return (N, out_channels, *size) of (N, in_channels, h, w)."""
        corners = None if self.mode == "nearest" else False
        return F.interpolate(self.op_list[0](x), tuple(size), mode=self.mode, align_corners=corners)


class EdgeSAMRepViT(nn.Module):
    """Convolutional network in the manner of transformers, with its last two maps added: EdgeSAM's image encoder.

    Papers: Zhou et al., "EdgeSAM: Prompt-In-the-Loop Distillation for On-Device Deployment of SAM", 2023,
    arXiv:2312.06660; Wang et al., "RepViT", CVPR 2024, arXiv:2307.09283.

    Args:
        structure_type: a name for it; there are no pretrained weights.
        arch: "m1", "m2" or "m3".
        img_size: side of the images that EdgeSAM pads to; the encoder itself takes any size.
        in_channels: of the images.
        upsample_mode: of the last map, see F.interpolate.
        pretrained: False.

    Shape:
        (N, in_channels, H, W) to (N, 256, H / 16, W / 16), rounded up.

    Raises:
        ConfigError: there is no such arch, mode or weights.
    """

    def __init__(
        self,
        structure_type: str,
        arch: str = "m1",
        img_size: int = 1024,
        in_channels: int = 3,
        upsample_mode: str = "bicubic",
        norm_cfg: Mapping[str, Any] | None = {"type": "BatchNorm2d"},
        act_cfg: Mapping[str, Any] | None = {"type": "GELU"},
        pretrained: bool = False,
        pretrained_model_path: str | None = "",
    ):
        super().__init__()
        widths, depths = one_of("arch", arch, ARCHS)
        one_of("upsample_mode", upsample_mode, {mode: mode for mode in ("nearest", "bilinear", "bicubic")})
        self.structure_type, self.img_size = structure_type, img_size
        half = widths[0] // 2
        stem = nn.Sequential(
            ConvBN(in_channels, half, 3, stride=2, norm_cfg=norm_cfg),
            BuildActivation(act_cfg),
            ConvBN(half, widths[0], 3, stride=2, norm_cfg=norm_cfg),
        )
        self.features = nn.ModuleList([stem])
        before = widths[0]
        for i, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            for j in range(depth):
                stride = 2 if i and j == 0 else 1
                gate = j % 2 == (1 if i else 0) and j < depth - 1  # every other block, never the last
                self.features.append(RepViTBlock(before, width, stride, gate, norm_cfg, act_cfg))
                before = width
        self.end_of_third = sum(depths[:3])
        self.fuse_stage2 = nn.Conv2d(widths[2], 256, 1, bias=False)
        self.fuse_stage3 = Fusion(widths[3], 256, upsample_mode)
        self.neck = build_neck(256, 256)
        self.out_channels = (256,)
        if pretrained:
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls={},
                built_as={},
                input_key="features.0.0.c.weight",
                unused=("classifier.",),
                new=("fuse_stage", "neck."),
            )

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        for i, block in enumerate(self.features):
            x = block(x)
            if i == self.end_of_third:
                third = x
        fine = self.fuse_stage2(third)
        return self.neck(fine + self.fuse_stage3(x, fine.shape[2:]))
