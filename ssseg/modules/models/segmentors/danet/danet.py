from collections.abc import Mapping

from torch import Tensor, nn

from ...backbones import conv_norm_act
from ..base import BaseSegmentor, Scale, SelfAttentionBlock, attend


class PositionAttention(SelfAttentionBlock):
    """Adds to each place of a map a mean over all places.

    Paper: Fu et al., "Dual Attention Network for Scene Segmentation", CVPR 2019, arXiv:1809.02983, section 3.2.
    """

    def __init__(self, in_channels: int, transform_channels: int):
        super().__init__(
            in_channels,
            in_channels,
            transform_channels,
            in_channels,
            key_query_norm=False,
            value_out_norm=False,
            matmul_norm=False,
            with_out_project=False,
            norm_cfg=None,
            act_cfg=None,
        )
        self.gamma = Scale(0.0)

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]  # (N, C, h, w)
        return self.gamma(super().forward(x, x)) + x


class ChannelAttention(nn.Module):
    """Adds to each channel of a map a mean over all channels.

    Paper: as above, section 3.3. Channels that are unlike weigh more, as in the authors' code.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gamma = Scale(0.0)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        channels = x.flatten(2).transpose(1, 2)  # (N, L, C): here the channels are the places
        mean = attend(-channels, channels, channels, scale=1.0).transpose(1, 2)
        return self.gamma(mean.unflatten(2, x.shape[2:])) + x


class DANet(BaseSegmentor):
    """Backbone, attention between the places and between the channels of its last map, added; 1x1 classifier.

    Paper: Fu et al., "Dual Attention Network for Scene Segmentation", CVPR 2019, arXiv:1809.02983.

    In training both parts have a classifier of their own as well.
    """

    def build_head(self, *, in_channels: int, feats_channels: int, transform_channels: int, dropout: float) -> None:
        def conv(before: int) -> nn.Sequential:
            return nn.Sequential(*conv_norm_act(before, feats_channels, 3, **self.layer_cfg))

        def classifier() -> nn.Sequential:
            return nn.Sequential(nn.Dropout2d(dropout), nn.Conv2d(feats_channels, self.num_classes, 1))

        self.pam_in_conv, self.pam_net = conv(in_channels), PositionAttention(feats_channels, transform_channels)
        self.pam_out_conv, self.decoder_pam = conv(feats_channels), classifier()
        self.cam_in_conv, self.cam_net = conv(in_channels), ChannelAttention()
        self.cam_out_conv, self.decoder_cam = conv(feats_channels), classifier()
        self.decoder_pamcam = classifier()

    def attend_twice(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return map x (N, in_channels, h, w) after each attention, both (N, feats_channels, h, w)."""
        places = self.pam_out_conv(self.pam_net(self.pam_in_conv(x)))
        channels = self.cam_out_conv(self.cam_net(self.cam_in_conv(x)))
        return places, channels

    def predict(self, features: list[Tensor]) -> Tensor:  # features[-1] (N, in_channels, h, w)
        places, channels = self.attend_twice(features[-1])
        return self.decoder_pamcam(places + channels)  # (N, K, h, w)

    def predict_in_training(self, features: list[Tensor], annotations: Mapping[str, Tensor]) -> dict[str, Tensor]:
        places, channels = self.attend_twice(features[-1])
        return {
            "loss_cls_pam": self.decoder_pam(places),
            "loss_cls_cam": self.decoder_cam(channels),
            "loss_cls_pamcam": self.decoder_pamcam(places + channels),
        }
