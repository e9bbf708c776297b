from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ....utils.errors import ConfigError, call_with
from ...backbones import BuildActivation, BuildNormalization
from ..base import require_one_auxiliary
from ..semanticfpn import SemanticFPN
from .points import Subdivision, TrainingPoints, sample_labels_at, sample_map


class PointLayer(nn.Sequential):
    """A 1x1 convolution of points (N, C, P) with normalization, of any kind that maps take, and activation."""

    def forward(self, x: Tensor) -> Tensor:
        conv, norm, activation = self
        return activation(norm(conv(x).unsqueeze(3)).squeeze(3))


class PointRend(SemanticFPN):
    """SemanticFPN, whose scores a small network on single points refines where they are uncertain.

    Paper: Kirillov et al., "PointRend: Image Segmentation as Rendering", CVPR 2020, arXiv:1912.08193.

    The scores of SemanticFPN are those of the auxiliary head. The head's `fpn_in_channels_list` are the widths of the
    selected maps and `feature_stride_list` their strides; `pointrend_in_channels_list` has `feats_channels` for each
    level of the pyramid, from the finest, that points are described with. `train` is what `TrainingPoints` takes,
    `test` what `Subdivision` takes.
    """

    reads: ClassVar = {"fpn_in_channels_list": None}
    auxiliary_reads_maps = False

    def build_head(  # type: ignore[override]
        self,
        *,
        fpn_in_channels_list: Sequence[int],
        pointrend_in_channels_list: Sequence[int],
        feats_channels: int,
        feature_stride_list: Sequence[int],
        scale_head_channels: int,
        num_fcs: int,
        dropout: float,
        train: Mapping[str, Any],
        test: Mapping[str, Any],
        coarse_pred_each_layer: bool = True,
        upsample_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        require_one_auxiliary(self.cfg.get("auxiliary"), "PointRend")
        if self.cfg["auxiliary"].get("in_channels", scale_head_channels) != scale_head_channels:
            raise ConfigError(
                f"SEGMENTOR_CFG['auxiliary']['in_channels']: is {self.cfg['auxiliary']['in_channels']}, but must be "
                f"{scale_head_channels}, the channels that it reads ('scale_head_channels' of the head)."
            )
        if set(pointrend_in_channels_list) != {feats_channels}:
            raise ConfigError(
                f"SEGMENTOR_CFG['head']['pointrend_in_channels_list']: is {pointrend_in_channels_list}, must be "
                f"[{feats_channels}], the width of the pyramid ('feats_channels'), once for each level that is read."
            )
        self.num_fine, self.coarse_pred_each_layer = len(pointrend_in_channels_list), coarse_pred_each_layer
        self.training_points = call_with(TrainingPoints, train, where="SEGMENTOR_CFG['head']['train']")
        self.subdivision = call_with(Subdivision, test, where="SEGMENTOR_CFG['head']['test']")
        self.build_pyramid(fpn_in_channels_list, feats_channels, upsample_cfg, feature_stride_list, scale_head_channels)
        self.fcs, width = nn.ModuleList(), sum(pointrend_in_channels_list) + self.num_classes
        for _ in range(num_fcs):
            conv = nn.Conv1d(width, feats_channels, 1, bias=False)
            norm = BuildNormalization(placeholder=feats_channels, norm_cfg=self.norm_cfg)
            self.fcs.append(PointLayer(conv, norm, BuildActivation(self.act_cfg)))
            width = feats_channels + (self.num_classes if coarse_pred_each_layer else 0)
        self.decoder = nn.Sequential(nn.Dropout(dropout), nn.Conv1d(width, self.num_classes, 1))

    def score(self, features: list[Tensor]) -> tuple[list[Tensor], Tensor]:
        """Return the fine maps (N, feats_channels, ., .) and the coarse scores (N, K, h, w)."""
        levels = self.fpn_neck(features)
        head: Any = self.auxiliary_decoder
        return levels[: self.num_fine], head(self.scale_heads(levels))

    def render(self, fine: list[Tensor], coarse: Tensor, points: Tensor) -> Tensor:
        """Return the scores (N, K, P) of points (N, P, 2)."""
        first = sample_map(coarse, points, self.align_corners)
        x = torch.cat([sample_map(level, points, self.align_corners) for level in fine] + [first], dim=1)
        for layer in self.fcs:
            x = layer(x)
            x = torch.cat([x, first], dim=1) if self.coarse_pred_each_layer else x
        return self.decoder(x)

    def predict(self, features: list[Tensor]) -> Tensor:  # finest first
        fine, coarse = self.score(features)
        scores = coarse
        for _ in range(self.subdivision.subdivision_steps):
            scores = F.interpolate(
                scores, scale_factor=self.subdivision.scale_factor, mode="bilinear", align_corners=self.align_corners
            )
            places, points = self.subdivision.choose(scores)
            again = self.render(fine, coarse, points).to(scores.dtype)
            index = places.unsqueeze(1).expand_as(again)
            scores = scores.flatten(2).scatter(2, index, again).unflatten(2, scores.shape[2:])
        return scores  # (N, K, h * scale_factor ** steps, w * ...)

    def predict_in_training(self, features: list[Tensor], annotations: Mapping[str, Tensor]) -> dict[str, Tensor]:
        fine, coarse = self.score(features)
        points = self.training_points.choose(coarse)
        return {"points": points, "loss_cls": self.render(fine, coarse, points), "loss_aux": coarse}

    def customizepredsandlosses(self, *, seg_logits: Any, annotations: Mapping[str, Tensor], **others: Any) -> Any:  # type: ignore[override]
        """Compare the points' scores with the labels at the points; otherwise see `BaseSegmentor`."""
        predictions = dict(seg_logits)
        points = predictions.pop("points")
        at_points = sample_labels_at(annotations["seg_targets"], points, self.align_corners)
        return super().customizepredsandlosses(
            seg_logits=predictions, annotations={**annotations, "loss_cls": at_points}, **others
        )
