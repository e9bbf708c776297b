from collections.abc import Mapping, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ....utils.errors import ConfigError
from ...backbones import conv_norm_act
from ...backbones.resnet import ResNet
from ..pspnet import PyramidPoolingModule


class ICNetEncoder(nn.Module):
    """Three maps of an image: few layers at full size, more at half the size, all layers at a quarter.

    Paper: Zhao et al., "ICNet for Real-Time Semantic Segmentation on High-Resolution Images", ECCV 2018,
    arXiv:1704.08545, section 3.2.

    Args:
        backbone: a ResNet.
        in_channels: of the images.
        layer_channels_list: widths of the backbone's second and fourth map.
        light_branch_middle_channels: width of the first two convolutions at full size.
        psp_out_channels, pool_scales: of the pyramid pooling at a quarter of the size.
        out_channels_list: widths of the maps, finest first.

    Shape:
        (N, C, H, W) to maps of 1/8, 1/16 and 1/32 of that size.
    """

    def __init__(
        self,
        backbone: Any,
        *,
        align_corners: bool,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
        in_channels: int = 3,
        layer_channels_list: Sequence[int] = (512, 2048),
        light_branch_middle_channels: int = 32,
        psp_out_channels: int = 512,
        out_channels_list: Sequence[int] = (64, 256, 256),
        pool_scales: Sequence[int] = (1, 2, 3, 6),
    ):
        super().__init__()
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        _require_widths(backbone, layer_channels_list)
        middle, deep = layer_channels_list
        fine, medium, coarse = self.out_channels = tuple(out_channels_list)
        self.align_corners = align_corners
        self.backbone_net = backbone
        self.backbone_net.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1, ceil_mode=True)
        self.ppm_net = PyramidPoolingModule(deep, psp_out_channels, pool_scales, align_corners=align_corners, **layers)
        light = light_branch_middle_channels
        self.conv_sub1 = nn.Sequential(
            *conv_norm_act(in_channels, light, 3, stride=2, **layers),
            *conv_norm_act(light, light, 3, stride=2, **layers),
            *conv_norm_act(light, fine, 3, stride=2, **layers),
        )
        self.conv_sub2 = nn.Sequential(*conv_norm_act(middle, medium, 1, **layers))
        self.conv_sub4 = nn.Sequential(*conv_norm_act(psp_out_channels, coarse, 1, **layers))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        net: Any = self.backbone_net
        half = self._halve(x)
        half = net.stem(half) if net.use_conv3x3_stem else net.relu(net.bn1(net.conv1(half)))
        half = net.layer2(net.layer1(net.maxpool(half)))
        quarter = net.layer4(net.layer3(self._halve(half)))
        return self.conv_sub1(x), self.conv_sub2(half), self.conv_sub4(self.ppm_net(quarter))

    def _halve(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=0.5, mode="bilinear", align_corners=self.align_corners)


def _require_widths(backbone: Any, layer_channels_list: Sequence[int]) -> None:
    if not isinstance(backbone, ResNet):
        raise ConfigError(f"SEGMENTOR_CFG['backbone']: is a {type(backbone).__name__}; ICNet needs a ResNet.")
    expected = [backbone.out_channels[1], backbone.out_channels[3]]
    if list(layer_channels_list) != expected:
        raise ConfigError(
            f"SEGMENTOR_CFG['head']['encoder']['layer_channels_list']: is {list(layer_channels_list)}, but the second "
            f"and the fourth map of this {type(backbone).__name__} have {expected} channels."
        )
