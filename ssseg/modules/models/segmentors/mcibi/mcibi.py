from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import torch
from torch import Tensor, nn

from ....utils.errors import ConfigError
from ...backbones import BuildActivation, BuildNormalization, conv_norm_act
from ..base import BaseSegmentor
from .memory import FeaturesMemory, Update
from .withinimage import build_context_within_image


class ContextWithinImage(TypedDict):
    """Whether there is a second source of context, "aspp" or "ppm", and what that takes."""

    is_on: bool
    type: str
    cfg: Mapping[str, Any]


class MCIBI(BaseSegmentor):
    """Backbone, context from a memory of the classes that spans the data set, classifier.

    Paper: Jin et al., "Mining Contextual Information Beyond Image for Semantic Segmentation", ICCV 2021,
    arXiv:2108.11819.

    Head fields: `norm_cfg` normalizes the positions of each selected map; `downsample_backbone`, what nn.Conv2d takes,
    makes all of them smaller where its stride is above 1; with `use_loss` the vectors of the memory are classified
    themselves from the second epoch on, loss_memory, by `loss_cfg`; `update_cfg` is how the memory learns.
    """

    wants_progress = True

    def build_head(
        self,
        *,
        in_channels: int,
        out_channels: int,
        feats_channels: int,
        transform_channels: int,
        use_hard_aggregate: bool,
        use_loss: bool,
        context_within_image: ContextWithinImage,
        downsample_backbone: Mapping[str, Any],
        loss_cfg: Mapping[str, Any],
        update_cfg: Update,
        dropout: float,
        num_feats_per_cls: int = 1,
        norm_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        if num_feats_per_cls != 1:
            raise ConfigError(f"SEGMENTOR_CFG['head']['num_feats_per_cls']: is {num_feats_per_cls}, only 1 is known.")
        self.use_loss, self.loss_cfg, self.update_cfg = use_loss, loss_cfg, update_cfg
        self.norm_layers = None
        if norm_cfg is not None:
            norm_cfg = dict(norm_cfg)
            widths = norm_cfg.pop("in_channels_list")
            self.norm_layers = nn.ModuleList(BuildNormalization(placeholder=n, norm_cfg=norm_cfg) for n in widths)
        self.downsample_backbone = None
        if downsample_backbone["stride"] > 1:
            self.downsample_backbone = nn.Sequential(
                nn.Conv2d(in_channels, in_channels, **downsample_backbone),
                BuildNormalization(placeholder=in_channels, norm_cfg=self.norm_cfg),
                BuildActivation(self.act_cfg),
            )
        self.context_within_image_module = None
        layers = {"align_corners": self.align_corners, **self.layer_cfg}
        if context_within_image["is_on"]:
            self.context_within_image_module = build_context_within_image(
                context_within_image["type"],
                context_within_image["cfg"],
                in_channels,
                feats_channels,
                where="SEGMENTOR_CFG['head']['context_within_image']",
                **layers,
            )
        self.bottleneck = nn.Sequential(*conv_norm_act(in_channels, feats_channels, 3, **self.layer_cfg))
        self.memory_module = FeaturesMemory(
            self.num_classes,
            feats_channels,
            transform_channels,
            out_channels,
            use_context_within_image=self.context_within_image_module is not None,
            use_hard_aggregate=use_hard_aggregate,
            **layers,
        )

        def decoder(channels: int) -> nn.Sequential:
            return nn.Sequential(
                *conv_norm_act(channels, channels, 1, **self.layer_cfg),
                nn.Dropout2d(dropout),
                nn.Conv2d(channels, self.num_classes, 1),
            )

        self.decoder_stage1, self.decoder_stage2 = decoder(feats_channels), decoder(out_channels)

    def transforminputs(self, x_list: Sequence[Tensor], selected_indices: Sequence[int] | None = None) -> list[Tensor]:
        """Return the selected maps, normalized and made smaller as the head says."""
        maps = super().transforminputs(x_list, selected_indices)
        if self.norm_layers is not None:
            maps = [
                norm(x.flatten(2).transpose(1, 2)).transpose(1, 2).unflatten(2, x.shape[2:])
                for norm, x in zip(self.norm_layers, maps, strict=True)
            ]
        return maps if self.downsample_backbone is None else [self.downsample_backbone(x) for x in maps]

    def predict(self, features: list[Tensor]) -> Tensor:
        return self.decoder_stage2(self.memory_module(*self._first_stage(features)))  # (N, K, h, w)

    def _first_stage(self, features: list[Tensor]) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return a map (N, F, h, w), its class scores (N, K, h, w), and the context within the image (N, F, h, w)."""
        within = self.context_within_image_module
        x = self.bottleneck(features[-1])
        return x, self.decoder_stage1(x), None if within is None else within(features[-1])

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
        x, coarse, context = self._first_stage(features)
        before = self.memory_module.memory[:, 0].clone()
        self.memory_module.update(x, annotations["seg_targets"], self.update_cfg, learning_rate)
        fine = self.decoder_stage2(self.memory_module(x, coarse, context, before))
        of_memory = {}
        if self.use_loss and epoch > 1:
            vectors = self.memory_module.memory[:, 0, :, None, None]  # (K, C, 1, 1)
            of_memory["loss_memory"] = self.decoder_stage2(vectors).flatten(1)  # (K, K)
        return {**of_memory, "loss_cls_stage1": coarse, "loss_cls_stage2": fine}

    def customizepredsandlosses(  # type: ignore[override]
        self,
        *,
        seg_logits: Mapping[str, Tensor],
        annotations: Mapping[str, Tensor],
        losses_cfg: Mapping[str, Any],
        **others: Any,
    ) -> Any:
        """Add the target and the loss of the memory; see `BaseSegmentor.customizepredsandlosses`."""
        if "loss_memory" in seg_logits:
            classes = torch.arange(self.num_classes, device=seg_logits["loss_memory"].device)
            annotations = {**annotations, "loss_memory": classes}
            losses_cfg = {**losses_cfg, "loss_memory": self.loss_cfg}
        return super().customizepredsandlosses(
            seg_logits=seg_logits, annotations=annotations, losses_cfg=losses_cfg, **others
        )
