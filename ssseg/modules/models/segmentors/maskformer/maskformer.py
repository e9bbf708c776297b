from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch import Tensor, nn

from ....utils.errors import ConfigError, call_with
from ...backbones import conv_norm_act
from ..base import resize_like
from ..maskclassification import DenseComparison, MaskPrediction, MaskSegmentor, MatcherWeights, SetCriterion
from ..pspnet import PyramidPoolingModule
from .predictor import MaskFormerPredictor

_WHERE = "SEGMENTOR_CFG['head']"


class MaskFormer(MaskSegmentor):
    """Backbone, feature pyramid for the masks' pixels, transformer decoder for their classes and shapes.

    Paper: Cheng et al., "Per-Pixel Classification is Not All You Need for Semantic Segmentation", NeurIPS 2021,
    arXiv:2107.06278. The pyramid is that of UPerNet, with pooling on its top.

    The head's `in_channels_list` are the widths of the selected maps, `feats_channels` that of the pyramid,
    `mask_feats_channels` that of the masks' pixels. `matcher` is what `MatcherWeights` takes, for matching and for the
    loss. `predictor` is what `MaskFormerPredictor` takes, where None stands for what follows from the other fields.
    """

    reads: ClassVar = {"in_channels_list": None}

    def build_head(
        self,
        *,
        in_channels_list: Sequence[int],
        feats_channels: int,
        mask_feats_channels: int,
        pool_scales: Sequence[int],
        matcher: Mapping[str, Any],
        predictor: Mapping[str, Any],
    ) -> None:
        *lower, top = in_channels_list
        self.ppm_net = PyramidPoolingModule(
            top, feats_channels, pool_scales, align_corners=self.align_corners, **self.layer_cfg
        )
        self.lateral_convs = nn.ModuleList(
            nn.Sequential(*conv_norm_act(width, feats_channels, 1, **self.layer_cfg)) for width in lower
        )
        self.fpn_convs = nn.ModuleList(  # the coarsest first
            nn.Sequential(*conv_norm_act(feats_channels, feats_channels, 3, **self.layer_cfg)) for _ in lower
        )
        self.decoder_mask = nn.Sequential(nn.Conv2d(feats_channels, mask_feats_channels, 3, padding=1))
        follows = {"num_classes": self.num_classes, "in_channels": top, "mask_dim": mask_feats_channels}
        fields = {**predictor, **{name: _following(predictor, name, value) for name, value in follows.items()}}
        self.decoder_predictor = call_with(MaskFormerPredictor, fields, where=f"{_WHERE}['predictor']")
        weights = call_with(MatcherWeights, matcher, where=f"{_WHERE}['matcher']")
        self.criterion = SetCriterion(self.num_classes, weights, DenseComparison(), ignore_index=self.ignore_index)

    def predict_masks(self, features: list[Tensor]) -> list[MaskPrediction]:  # finest first
        x = self.ppm_net(features[-1])
        for lateral, conv, feature in zip(
            reversed(self.lateral_convs), self.fpn_convs, reversed(features[:-1]), strict=True
        ):
            beside = lateral(feature)
            x = conv(beside + resize_like(x, beside, self.align_corners))
        return self.decoder_predictor(features[-1], self.decoder_mask(x))


def _following(fields: Mapping[str, Any], name: str, value: int) -> int:
    """Return what a field of the predictor has to be; ConfigError where it is something else."""
    if fields.get(name) not in (None, value):
        raise ConfigError(f"{_WHERE}['predictor'][{name!r}]: is {fields[name]!r}, must be {value} or None.")
    return value
