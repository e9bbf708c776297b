from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

from ....utils.errors import call_with
from ...backbones import conv_norm_act
from ..base import BaseSegmentor
from ..base.selection import SelectedMaps
from .encoder import ICNetEncoder
from .neck import ICNeck


class ICNet(BaseSegmentor):
    """A ResNet on the image at three sizes, whose maps are fused from coarse to fine.

    Paper: Zhao et al., "ICNet for Real-Time Semantic Segmentation on High-Resolution Images", ECCV 2018,
    arXiv:1704.08545.

    Head fields: `encoder` is what `ICNetEncoder` takes; `in_channels_list` are the widths of its maps. The auxiliary
    heads read maps of `feats_channels`.
    """

    reads: ClassVar = {}

    def setbackbone(self, cfg: Mapping[str, Any]) -> None:
        """Build `backbone_net`, an `ICNetEncoder` around the backbone."""
        super().setbackbone(cfg)
        given = {"backbone": self.backbone_net, "align_corners": self.align_corners, **self.layer_cfg}
        encoder_cfg = {**(self.section("head").get("encoder") or {}), **given}
        self.backbone_net = call_with(ICNetEncoder, encoder_cfg, where="SEGMENTOR_CFG['head']['encoder']", given=given)

    def build_head(
        self,
        *,
        in_channels_list: Sequence[int],
        feats_channels: int,
        dropout: float,
        encoder: Mapping[str, Any] | None = None,  # what setbackbone has read
    ) -> None:
        maps = SelectedMaps(self.backbone_net, self.section("backbone").get("selected_indices"))
        maps.require("SEGMENTOR_CFG['head']['in_channels_list']", in_channels_list, (0, 1, 2))
        self.neck = ICNeck(in_channels_list, feats_channels, align_corners=self.align_corners, **self.layer_cfg)
        self.decoder = nn.Sequential(
            *conv_norm_act(feats_channels, feats_channels, 3, **self.layer_cfg),
            nn.Dropout2d(dropout),
            nn.Conv2d(feats_channels, self.num_classes, 1),
        )

    def transforminputs(self, x_list: Sequence[Tensor], selected_indices: Sequence[int] | None = None) -> list[Tensor]:
        """Return the fused maps; see `ICNeck`."""
        return self.neck(*super().transforminputs(x_list, selected_indices))

    def predict(self, features: list[Tensor]) -> Tensor:  # features[-1] (N, feats_channels, H/8, W/8)
        return self.decoder(features[-1])  # (N, K, H/8, W/8)

    def _maps(self) -> SelectedMaps:
        return SelectedMaps(self.neck, (0, 1, 2))
