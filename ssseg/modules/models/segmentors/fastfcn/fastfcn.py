from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

from ....utils.errors import ConfigError, call_with, listed, nearest
from ..base import BaseSegmentor, SelectedMaps
from ..builder import SegmentorBuilder
from .jpu import JPU

SEGMENTORS = ("Deeplabv3", "ENCNet", "FCN", "PSPNet")


class FastFCN(BaseSegmentor):
    """Another segmentor on a backbone without dilation, whose last map is upsampled jointly with the finer ones.

    Paper: Wu et al., "FastFCN: Rethinking Dilated Convolution in the Backbone for Semantic Segmentation", 2019,
    arXiv:1903.11816.

    `SEGMENTOR_CFG['segmentor']` names the other one, and `SEGMENTOR_CFG['head']` is its head, with `jpu`, what `JPU`
    takes, besides. Its head reads the joint map, its auxiliary heads the backbone's.
    """

    reads: ClassVar = {}

    def setbackbone(self, cfg: Mapping[str, Any]) -> None:
        """Build the other segmentor, with its backbone, and the neck."""
        name, head = cfg.get("segmentor"), dict(self.section("head"))
        if name not in SEGMENTORS:
            raise ConfigError(
                f"SEGMENTOR_CFG['segmentor']: is {name!r}, must be one of {listed(SEGMENTORS)}."
                f"{nearest(str(name), SEGMENTORS)}"
            )
        if "jpu" not in head:
            raise ConfigError("SEGMENTOR_CFG['head']: FastFCN needs 'jpu', which is missing.")
        given = {"align_corners": self.align_corners, **self.layer_cfg}
        where = "SEGMENTOR_CFG['head']['jpu']"
        jpu = call_with(JPU, {**head.pop("jpu"), **given}, where=where, given=given)
        kind = SegmentorBuilder().find(name)
        self.segmentor = _behind(jpu, kind)(cfg={**cfg, "head": head}, mode=self.mode)
        self.segmentor.__class__ = kind  # once widths are checked; a class of this moment cannot be pickled
        self.jpu_neck = jpu

    @property
    def backbone_net(self) -> nn.Module:  # type: ignore[override]
        """The other segmentor's backbone."""
        return self.segmentor.backbone_net

    def build_head(self, *, jpu: Mapping[str, Any], **_: Any) -> None:
        self._maps().require("SEGMENTOR_CFG['head']['jpu']['in_channels_list']", jpu["in_channels_list"], None)

    def setauxiliarydecoder(self, auxiliary_cfg: Any) -> None:
        """Do nothing: the auxiliary heads are the other segmentor's."""

    def transforminputs(self, x_list: Sequence[Tensor], selected_indices: Sequence[int] | None = None) -> list[Tensor]:
        """Return the selected maps of the backbone's, the last one replaced by the joint map."""
        return self.jpu_neck(super().transforminputs(x_list, selected_indices))

    def predict(self, features: list[Tensor]) -> Tensor:  # features[-1] (N, len(dilations) * mid_channels, h, w)
        return self.segmentor.predict(features)  # (N, K, h, w)

    def predict_in_training(self, features: list[Tensor], annotations: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return self.segmentor.predict_in_training(features, annotations)

    def customizepredsandlosses(self, *arguments: Any, **named: Any) -> Any:
        """Name the predictions and calculate the losses as the other segmentor does."""
        return self.segmentor.customizepredsandlosses(*arguments, **named)


def _behind(jpu: JPU, kind: type[BaseSegmentor]) -> type[BaseSegmentor]:
    """Return `kind` for a last map that is the neck's, not the backbone's."""

    class BehindJPU(kind):  # type: ignore[misc, valid-type]
        def _maps(self) -> SelectedMaps:
            maps = super()._maps()
            maps.replace_last(jpu.out_channels)
            return maps

    return BehindJPU
