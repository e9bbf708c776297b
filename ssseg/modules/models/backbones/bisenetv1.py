from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...utils.errors import ConfigError, listed
from .bricks import conv_norm_act
from .builder import BuildBackbone
from .checks import indices_below
from .weights import load_pretrained

DEFAULT_MODEL_URLS: dict[str, str] = {}
AUTO_ASSERT_STRUCTURE_TYPES: dict[str, dict[str, Any]] = {}


class SpatialPath(nn.Sequential):
    """Three strided convolutions that keep detail, and a 1x1 convolution.

    Paper: Yu et al., "BiSeNet", ECCV 2018, arXiv:1808.00897, section 3.1.
    """

    def __init__(self, in_channels: int, widths: Sequence[int], **layers: Any):
        super().__init__()
        for i, (width, kernel, stride) in enumerate(zip(widths, (7, 3, 3, 1), (2, 2, 2, 1), strict=True), start=1):
            conv = conv_norm_act(in_channels, width, kernel, stride=stride, **layers)
            self.add_module(f"layer{i}", nn.Sequential(*conv))
            in_channels = width


class AttentionRefinementModule(nn.Module):
    """A 3x3 convolution whose channels are scaled by a gate that depends on their averages.

    Paper: Yu et al., "BiSeNet", ECCV 2018, arXiv:1808.00897, figure 2 (b).
    """

    def __init__(
        self, in_channels: int, out_channels: int, norm_cfg: Mapping[str, Any] | None, act_cfg: Mapping[str, Any] | None
    ):
        super().__init__()
        self.conv_layer = nn.Sequential(
            *conv_norm_act(in_channels, out_channels, 3, norm_cfg=norm_cfg, act_cfg=act_cfg)
        )
        gate = conv_norm_act(out_channels, out_channels, 1, norm_cfg=norm_cfg, act_cfg={"type": "Sigmoid"})
        self.atten_conv_layer = nn.Sequential(nn.AdaptiveAvgPool2d(1), *gate)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        x = self.conv_layer(x)
        return x * self.atten_conv_layer(x)


class ContextPath(nn.Module):
    """A deep network whose last maps, refined, are brought to 1/16 and 1/8 from the average of the last one on.

    Paper: Yu et al., "BiSeNet", ECCV 2018, arXiv:1808.00897, section 3.2.

    Args:
        channels: widths of the network's maps at 1/8, 1/16 and 1/32; the first is that of the outputs.
    """

    def __init__(self, backbone_net: nn.Module, channels: Sequence[int], **layers: Any):
        super().__init__()  # the order of the next lines is that of the entries in published checkpoints
        width = channels[0]
        self.backbone_net = backbone_net
        self.arm16 = AttentionRefinementModule(channels[1], width, **layers)
        self.arm32 = AttentionRefinementModule(channels[2], width, **layers)
        self.conv_head32 = nn.Sequential(*conv_norm_act(width, width, 3, **layers))
        self.conv_head16 = nn.Sequential(*conv_norm_act(width, width, 3, **layers))
        self.gap_conv = nn.Sequential(nn.AdaptiveAvgPool2d(1), *conv_norm_act(channels[2], width, 1, **layers))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # (N, C, H, W)
        _, map8, map16, map32 = self.backbone_net(x)
        y = self.arm32(map32) + self.gap_conv(map32)
        context16 = self.conv_head32(F.interpolate(y, map16.shape[2:], mode="nearest"))
        y = self.arm16(map16) + context16
        context8 = self.conv_head16(F.interpolate(y, map8.shape[2:], mode="nearest"))
        return context8, context16


class FeatureFusionModule(nn.Module):
    """Joins the two paths and adds to each channel a share of it that depends on the averages of all.

    Paper: Yu et al., "BiSeNet", ECCV 2018, arXiv:1808.00897, figure 2 (c).
    """

    def __init__(
        self, in_channels: int, out_channels: int, norm_cfg: Mapping[str, Any] | None, act_cfg: Mapping[str, Any] | None
    ):
        super().__init__()
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        self.conv1 = nn.Sequential(*conv_norm_act(in_channels, out_channels, 1, **layers))
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.conv_atten = nn.Sequential(*conv_norm_act(out_channels, out_channels, 1, **layers))

    def forward(self, spatial: Tensor, context: Tensor) -> Tensor:  # (N, C, H, W) and (N, C', H, W)
        x = self.conv1(torch.cat([spatial, context], dim=1))
        return x + x * self.conv_atten(self.gap(x)).sigmoid()


class BiSeNetV1(nn.Module):
    """A shallow path for detail and a deep one for context, joined at 1/8 of the image.

    Paper: Yu et al., "BiSeNet: Bilateral Segmentation Network for Real-time Semantic Segmentation", ECCV 2018,
    arXiv:1808.00897.

    Args:
        structure_type: names the pretrained weights; none are published.
        backbone_cfg: the deep network, one that returns maps at 1/4, 1/8, 1/16 and 1/32; takes the channels of the
            images and the normalization from here where it does not set them.
        in_channels: of the images.
        spatial_channels_list: widths of the four convolutions of the shallow path.
        context_channels_list: widths of the deep network's last three maps; the first is that of the context maps.
        out_indices: which to return of the context at 1/8, the context at 1/16 and the joined map.
        out_channels: width of the joined map.
        pretrained: load weights for the whole, from `pretrained_model_path`.

    Shape:
        (N, in_channels, H, W) to maps at 1/8, 1/16 and 1/8; the attribute `out_channels` holds their widths.

    Raises:
        ConfigError: `context_channels_list` is not what the deep network gives, or there is no such index.
    """

    def __init__(
        self,
        structure_type: str,
        backbone_cfg: Mapping[str, Any],
        in_channels: int = 3,
        spatial_channels_list: Sequence[int] = (64, 64, 64, 128),
        context_channels_list: Sequence[int] = (128, 256, 512),
        out_indices: Sequence[int] = (0, 1, 2),
        out_channels: int = 256,
        norm_cfg: Mapping[str, Any] | None = {"type": "SyncBatchNorm"},
        act_cfg: Mapping[str, Any] | None = {"type": "ReLU", "inplace": True},
        pretrained: bool = False,
        pretrained_model_path: str | None = "",
    ):
        super().__init__()
        self.structure_type, self.out_indices = structure_type, indices_below(3, out_indices)
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        deep = BuildBackbone({"in_channels": in_channels, "norm_cfg": norm_cfg, **backbone_cfg})
        given: Any = deep.out_channels
        if given[1:] != tuple(context_channels_list):
            raise ConfigError(
                f"SEGMENTOR_CFG['backbone']['context_channels_list']: is {tuple(context_channels_list)}, but the maps "
                f"of 'backbone_cfg' have {listed(given)} channels; must be the last three of four."
            )
        width = context_channels_list[0]
        self.context_path = ContextPath(deep, context_channels_list, **layers)
        self.spatial_path = SpatialPath(in_channels, spatial_channels_list, **layers)
        self.ffm = FeatureFusionModule(spatial_channels_list[-1] + width, out_channels, **layers)
        self.out_channels = tuple((width, width, out_channels)[i] for i in self.out_indices)
        if pretrained:
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls=DEFAULT_MODEL_URLS,
                built_as=AUTO_ASSERT_STRUCTURE_TYPES,
                input_key="spatial_path.layer1.0.weight",
                unused=(),
            )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # (N, C, H, W)
        context8, context16 = self.context_path(x)
        maps = (context8, context16, self.ffm(self.spatial_path(x), context8))
        return tuple(maps[i] for i in self.out_indices)
