from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ....utils.errors import ConfigError, call_with
from ...backbones import BuildActivation, BuildNormalization, conv_norm_act
from ..base import BaseSegmentor, SelfAttentionBlock, resize_like
from ..mcibi import build_context_within_image, build_pyramid_convs, run_pyramid
from .memory import StatisticalMemory, Update


class ContextWithinImage(TypedDict, total=False):
    """Whether there is a second source of context, "aspp" or "ppm", what that takes, and whether it is attended."""

    is_on: bool
    type: str
    cfg: Mapping[str, Any]
    use_self_attention: bool


class Pyramid(TypedDict):
    """Widths of the selected maps, of the pyramid's top, and of what it returns."""

    in_channels_list: Sequence[int]
    feats_channels: int
    out_channels: int


class MCIBIPlusPlus(BaseSegmentor):
    """Backbone, context from statistics of the classes in the whole data set, classifier.

    Paper: Jin et al., "MCIBI++: Soft Mining Contextual Information Beyond Image for Semantic Segmentation", TPAMI
    2022, arXiv:2209.04471.

    Head fields: `decoder` holds what `build_decoder` takes for "pr", the scores of the backbone's map, "cwi", those of
    the context within the image, and "cls", the result. Before `warmup_epoch` the targets say which class a position
    is, afterwards "cwi", or with `force_use_preds_pr` and where there is none, "pr". `fuse_memory_cwi_before_fpn` puts
    the memory's context into the pyramid, else beside its maps.
    """

    wants_progress = True

    def build_head(
        self,
        *,
        in_channels: int,
        out_channels: int,
        feats_channels: int,
        transform_channels: int,
        downsample_before_sa: bool,
        force_use_preds_pr: bool,
        use_hard_aggregate: bool,
        warmup_epoch: int,
        context_within_image: ContextWithinImage,
        decoder: Mapping[str, Mapping[str, Any]],
        update_cfg: Update,
        fuse_memory_cwi_before_fpn: bool = True,
        fpn: Pyramid | None = None,
    ) -> None:
        self.force_use_preds_pr, self.warmup_epoch, self.update_cfg = force_use_preds_pr, warmup_epoch, update_cfg
        self.fuse_memory_cwi_before_fpn = fuse_memory_cwi_before_fpn
        layers = {"align_corners": self.align_corners, **self.layer_cfg}
        within = context_within_image["is_on"]
        self.context_within_image_module = self.self_attention = None
        if within:
            self.context_within_image_module = build_context_within_image(
                context_within_image["type"],
                context_within_image["cfg"],
                in_channels,
                feats_channels,
                where="SEGMENTOR_CFG['head']['context_within_image']",
                **layers,
            )
            if context_within_image.get("use_self_attention", True):
                self.self_attention = SelfAttentionBlock(
                    out_channels,
                    feats_channels,
                    transform_channels,
                    feats_channels,
                    key_query_num_convs=2,
                    **self.layer_cfg,
                )
        self.bottleneck = nn.Sequential(*conv_norm_act(in_channels, feats_channels, 3, **self.layer_cfg))
        self.memory_module = StatisticalMemory(
            self.num_classes,
            feats_channels,
            transform_channels,
            out_channels,
            use_hard_aggregate=use_hard_aggregate,
            downsample_before_sa=downsample_before_sa,
            **layers,
        )
        self.lateral_convs, self.fpn_convs = None, None
        if fpn is not None:
            laterals = fpn["in_channels_list"][:-1]  # of the last map the top is made; published configs err there
            where = "SEGMENTOR_CFG['head']['fpn']['in_channels_list'][:-1]"
            self._maps().require(where, laterals, range(len(laterals)))
            self.lateral_convs, self.fpn_convs = build_pyramid_convs(**fpn, **self.layer_cfg)
        beyond = out_channels if self.self_attention is None else feats_channels
        width = beyond + within * feats_channels
        if fpn is not None:
            width += (len(fpn["in_channels_list"]) - 1) * fpn["out_channels"]
        self.decoder_pr = self._build_decoder("pr", decoder, feats_channels)
        self.decoder_cwi = self._build_decoder("cwi", decoder, feats_channels) if within and "cwi" in decoder else None
        self.decoder_cls = self._build_decoder("cls", decoder, width)

    def _build_decoder(self, name: str, decoders: Mapping[str, Mapping[str, Any]], width: int) -> nn.Module:
        if name not in decoders:
            raise ConfigError(f"SEGMENTOR_CFG['head']['decoder']: {name!r} is missing.")
        if decoders[name].get("in_channels", width) != width:
            raise ConfigError(
                f"SEGMENTOR_CFG['head']['decoder'][{name!r}]['in_channels']: is {decoders[name]['in_channels']}, but "
                f"must be {width}, the channels that it reads."
            )
        given = {"num_classes": self.num_classes, **self.layer_cfg}
        where = f"SEGMENTOR_CFG['head']['decoder'][{name!r}]"
        return call_with(build_decoder, {**decoders[name], **given}, where=where, given=given)

    def predict(
        self,
        features: list[Tensor],
        memory_gather_logits: Tensor | None = None,
        memory_gather_logits_weights: Sequence[float] = (2, 1.5),
    ) -> Tensor:
        """Return class scores (N, K, h, w).

        Args:
            memory_gather_logits: (N, K, ., .), another segmentor's scores, which help to say what class a position is.
            memory_gather_logits_weights: of the own scores and of those.
        """
        x, within, scores = self._first_stage(features)
        gather = self._gather_scores(scores)
        if memory_gather_logits is not None:
            own, other = memory_gather_logits_weights
            given = resize_like(memory_gather_logits, gather, self.align_corners)
            gather = (gather * own + given * other) / (own + other - 1)
        return self._second_stage(features, x, within, gather)

    def predict_in_training(
        self,
        features: list[Tensor],
        annotations: Mapping[str, Tensor],
        learning_rate: float | None = None,
        epoch: int = 1,
    ) -> dict[str, Tensor]:
        """Update the memory too; see `BaseSegmentor.predict_in_training`.

        Args:
            learning_rate: that of the step; needed where `momentum_cfg` follows it.
            epoch: counted from 1.
        """
        x, within, scores = self._first_stage(features)
        gather = self._gather_scores(scores)
        targets = annotations["seg_targets"]
        if epoch < self.warmup_epoch:
            gather = one_hot_like(gather, targets)
        seg_logits = self._second_stage(features, x, within, gather)
        self.memory_module.update(x, targets, self.update_cfg, learning_rate)
        return {**scores, "loss_cls": seg_logits}

    def _first_stage(self, features: list[Tensor]) -> tuple[Tensor, Tensor | None, dict[str, Tensor]]:
        """Return a map (N, F, h, w), the context within the image (N, F, h, w), and the scores of both, by loss."""
        within = None
        scores = {}
        if self.context_within_image_module is not None:
            within = self.context_within_image_module(features[-1])
            if self.decoder_cwi is not None:
                scores["loss_cwi"] = self.decoder_cwi(within)
        x = self.bottleneck(features[-1])
        scores["loss_pr"] = self.decoder_pr(x)
        return x, within, scores

    def _gather_scores(self, scores: Mapping[str, Tensor]) -> Tensor:
        return scores["loss_pr"] if self.force_use_preds_pr else scores.get("loss_cwi", scores["loss_pr"])

    def _second_stage(self, features: list[Tensor], x: Tensor, within: Tensor | None, gather: Tensor) -> Tensor:
        beyond = self.memory_module(x, gather)  # (N, out_channels, h, w)
        if within is not None and self.self_attention is not None:
            beyond = self.self_attention(within, beyond)
        joined = beyond if within is None else torch.cat([beyond, within], dim=1)
        if self.lateral_convs is None or self.fpn_convs is None:
            return self.decoder_cls(joined)
        convs = (self.lateral_convs, self.fpn_convs)
        if within is None or self.fuse_memory_cwi_before_fpn:
            maps = run_pyramid(convs, features[:-1], joined, self.align_corners)
        else:
            maps = run_pyramid(convs, features[:-1], within, self.align_corners)
            maps.append(resize_like(beyond, maps[0], self.align_corners))
        return self.decoder_cls(torch.cat(maps, dim=1))


def build_decoder(
    in_channels: int,
    out_channels: int,
    dropout: float,
    kernel_size: int = 1,
    padding: int = 0,
    *,
    num_classes: int,
    norm_cfg: Mapping[str, Any] | None,
    act_cfg: Mapping[str, Any] | None,
) -> nn.Sequential:
    """Build a convolution and a 1x1 classifier, with names for each layer."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(in_channels, out_channels, kernel_size, padding=padding, bias=False),
            bn1=BuildNormalization(placeholder=out_channels, norm_cfg=norm_cfg),
            act1=BuildActivation(act_cfg),
            dropout=nn.Dropout2d(dropout),
            conv2=nn.Conv2d(out_channels, num_classes, 1),
        )
    )


def one_hot_like(scores: Tensor, labels: Tensor) -> Tensor:
    """Return labels (N, H, W) as scores (N, K, h, w): 1 for the class at a position, 0 where there is none."""
    nearest = F.interpolate(labels[:, None].float(), scores.shape[2:], mode="nearest")  # (N, 1, h, w)
    classes = torch.arange(scores.shape[1], device=labels.device)[:, None, None]
    return (nearest == classes).to(scores.dtype)
