from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import torch
from torch import Tensor, nn

from ....utils.distributed import all_reduce
from ....utils.errors import ConfigError
from ...backbones import conv_norm_act
from ..base import BaseSegmentor, SelfAttentionBlock, resize_like
from ..base.labelsizes import sample_labels
from ..isnet import class_vectors, spread_over_pixels
from ..mcibi import build_context_within_image, build_pyramid_convs, class_means, run_pyramid
from .relations import choose_classes, evaluating, measure_effects, mix_vectors, present_classes


class Pyramid(TypedDict):
    """Widths of the selected maps, of the pyramid's top, and of what it returns."""

    in_channels_list: Sequence[int]
    feats_channels: int
    out_channels: int


class IDRNet(BaseSegmentor):
    """Backbone, context of the classes in the image, mixed by relations between classes, classifier.

    Paper: Jin et al., "IDRNet: Intervention-Driven Relation Network for Semantic Segmentation", NeurIPS 2023,
    arXiv:2310.10755.

    Training deletes a class at random and measures what the scores of the others lose; mean and variance of that are
    the relations. They, and the mean features of each class over the data set, are parameters without gradient, as
    published checkpoints have them.

    Head fields: `coarse_context`, {"type": "aspp", "dilations": ...} or {"type": "ppm", "pool_scales": ...}, adds
    context of the image, with `use_sa_on_coarsecontext_*` attending to itself and with `fpn` in a feature pyramid,
    before or after the first stage; `force_stage1_use_oripr` keeps it from the first stage.
    """

    def build_head(
        self,
        *,
        in_channels: int,
        feats_channels: int,
        ignore_index: int,
        clsrelation_momentum: float,
        dlclsreps_momentum: float,
        force_stage1_use_oripr: bool,
        refine_coarsecontext_channels: int,
        refine_idcontext_channels: int,
        use_fpn_after: bool,
        use_fpn_before: bool,
        use_sa_on_coarsecontext_after: bool,
        use_sa_on_coarsecontext_before: bool,
        dropout: float,
        coarse_context: Mapping[str, Any] | None = None,
        fpn: Pyramid | None = None,
    ) -> None:
        width, num_classes = feats_channels, self.num_classes
        self.ignore_index, self.force_stage1_use_oripr = ignore_index, force_stage1_use_oripr
        self.clsrelation_momentum, self.dlclsreps_momentum = clsrelation_momentum, dlclsreps_momentum
        if use_fpn_before and use_fpn_after and fpn is not None:
            raise ConfigError("SEGMENTOR_CFG['head']: use_fpn_before and use_fpn_after are both True; one pyramid is.")
        self.use_fpn_before, self.use_fpn_after = use_fpn_before, use_fpn_after
        self.class_relations_mean = nn.Parameter(torch.eye(num_classes), requires_grad=False)
        self.class_relations_var = nn.Parameter(torch.eye(num_classes), requires_grad=False)
        self.selected_classes_counter = nn.Parameter(torch.full((num_classes,), 1e-6), requires_grad=False)
        self.dl_cls_representations = nn.Parameter(torch.zeros(num_classes, width), requires_grad=False)
        self.bottleneck = nn.Sequential(*conv_norm_act(in_channels, width, 3, **self.layer_cfg))

        def attention(channels: int, transform_channels: int, out_channels: int) -> nn.Module:
            return SelfAttentionBlock(
                channels, channels, transform_channels, out_channels, key_query_num_convs=2, **self.layer_cfg
            )

        def decoder(channels: int) -> nn.Sequential:
            return nn.Sequential(
                *conv_norm_act(channels, width, 1, **self.layer_cfg),
                nn.Dropout2d(dropout),
                nn.Conv2d(width, num_classes, 1),
            )

        self.coarse_context_module = self.lateral_convs = self.fpn_convs = None
        self.coarsecontext_refiner_before = self.coarsecontext_refiner_after = None
        first = second = 0  # widths of the coarse context that the two stages read
        if coarse_context is not None:
            coarse = width if fpn is None else fpn["feats_channels"]
            joined = coarse if fpn is None else coarse + (len(fpn["in_channels_list"]) - 1) * fpn["out_channels"]
            first = joined if use_fpn_before else coarse
            second = joined if use_fpn_after else first
            self.coarse_context_module = build_context_within_image(
                coarse_context["type"],
                coarse_context,
                width,
                coarse,
                where="SEGMENTOR_CFG['head']['coarse_context']",
                align_corners=self.align_corners,
                **self.layer_cfg,
            )
            if use_sa_on_coarsecontext_before:
                self.coarsecontext_refiner_before = attention(coarse, refine_coarsecontext_channels, coarse)
            if use_sa_on_coarsecontext_after:
                self.coarsecontext_refiner_after = attention(first, refine_coarsecontext_channels, first)
            if fpn is not None:
                self._maps().require("SEGMENTOR_CFG['head']['fpn']['in_channels_list']", fpn["in_channels_list"], None)
                self.lateral_convs, self.fpn_convs = build_pyramid_convs(**fpn, **self.layer_cfg)
        self.idcontext_refiner = attention(6 * width, refine_idcontext_channels, width)
        self.decoder_stage1 = decoder(width if coarse_context is None or force_stage1_use_oripr else first)
        self.decoder_stage2 = decoder(2 * width + second)

    def predict(self, features: list[Tensor]) -> Tensor:
        x, coarse_scores, coarse = self._first_stage(features)
        return self._second_stage(x, resize_like(coarse_scores, x, self.align_corners), coarse)

    def predict_in_training(self, features: list[Tensor], annotations: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Update the relations and the classes' features too; see `BaseSegmentor.predict_in_training`."""
        x, coarse_scores, coarse = self._first_stage(features)
        scores = resize_like(coarse_scores, x, self.align_corners)
        fine_scores = self._second_stage(x, scores, coarse)
        labels = annotations["seg_targets"].long()
        labels = torch.where(labels == self.ignore_index, -1, labels)
        self._update_relations(x, scores, coarse, labels)
        self._update_representations(x, labels)
        return {"loss_cls_stage1": coarse_scores, "loss_cls_stage2": fine_scores}

    def _first_stage(self, features: list[Tensor]) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return a map (N, F, h, w), the first stage's scores (N, K, ., .), and the coarse context (N, ., ., .)."""
        x = self.bottleneck(features[-1])
        if self.coarse_context_module is None:
            return x, self.decoder_stage1(x), None
        coarse = self.coarse_context_module(x)
        coarse = self._refine(coarse, self.coarsecontext_refiner_before, features if self.use_fpn_before else None)
        scores = self.decoder_stage1(x if self.force_stage1_use_oripr else coarse)
        return (
            x,
            scores,
            self._refine(coarse, self.coarsecontext_refiner_after, features if self.use_fpn_after else None),
        )

    def _refine(self, coarse: Tensor, attention: nn.Module | None, features: list[Tensor] | None) -> Tensor:
        """Let the coarse context attend to itself, and join it with the finer maps in the pyramid."""
        if attention is not None:
            coarse = attention(coarse, coarse)
        if features is None or self.lateral_convs is None or self.fpn_convs is None:
            return coarse
        convs = (self.lateral_convs, self.fpn_convs)
        return torch.cat(run_pyramid(convs, features[:-1], coarse, self.align_corners), dim=1)

    def _second_stage(
        self, x: Tensor, scores: Tensor, coarse: Tensor | None, without: Sequence[int] | None = None
    ) -> Tensor:
        """Return class scores (N, K, h, w).

        Args:
            x: (N, F, h, w). scores: (N, K, h, w), of the first stage. coarse: (N, ., ., .).
            without: for each image a class whose vector the others do not get.
        """
        described = torch.cat([x, spread_over_pixels(self.dl_cls_representations, scores)], dim=1)  # (N, 2F, h, w)
        vectors, present = class_vectors(described, scores), present_classes(scores)
        if without is not None:
            present[torch.arange(len(present)), torch.tensor(without)] = False
        mean: Tensor = self.class_relations_mean
        mean = mean.masked_fill(mean <= 0, -1e16)
        mixed = [mix_vectors(vectors, relations, present) for relations in (mean, self.class_relations_var)]
        joined = torch.cat([described, *(spread_over_pixels(v, scores) for v in mixed)], dim=1)  # (N, 6F, h, w)
        maps = [x, self.idcontext_refiner(joined, joined)]
        if coarse is not None:
            maps = [*(resize_like(y, coarse, self.align_corners) for y in maps), coarse]
        return self.decoder_stage2(torch.cat(maps, dim=1))

    @torch.no_grad()
    def _update_relations(self, x: Tensor, scores: Tensor, coarse: Tensor | None, labels: Tensor) -> None:
        present = present_classes(scores)
        deleted = choose_classes(present, self.selected_classes_counter)
        with evaluating(self.idcontext_refiner, self.decoder_stage2):
            before = self._second_stage(x, scores, coarse)
            after = self._second_stage(x, scores, coarse, without=deleted)
        small: Any = before.shape[2:]
        mean, variance, seen = measure_effects(before, after, sample_labels(labels, small, self.align_corners), deleted)
        for relations, measured in ((self.class_relations_mean, mean), (self.class_relations_var, variance)):
            moved = torch.lerp(relations, measured.to(relations.dtype), self.clsrelation_momentum)
            relations.copy_(torch.where(seen, moved, relations))
        chosen = torch.zeros_like(self.selected_classes_counter)
        chosen += torch.tensor(deleted, device=x.device).bincount(minlength=len(chosen))
        self.selected_classes_counter.add_(all_reduce(chosen))

    @torch.no_grad()
    def _update_representations(self, x: Tensor, labels: Tensor) -> None:
        known = self.dl_cls_representations
        means, present = class_means(x, labels, self.num_classes, self.align_corners)
        means = means.to(known.dtype)
        empty = (known == 0).all(dim=1, keepdim=True)
        moved = torch.where(empty, means, torch.lerp(known, means, self.dlclsreps_momentum))
        known.copy_(torch.where(present[:, None], moved, known))
