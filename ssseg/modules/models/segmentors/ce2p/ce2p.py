import inspect
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ....utils.errors import ConfigError
from ...backbones import conv_norm_act
from ...losses import LossBuilder
from ..base import BaseSegmentor, resize_like
from ..pspnet import PyramidPoolingModule
from .edge import EdgePerceivingModule


class CE2P(BaseSegmentor):
    """Pyramid pooling, refined with the backbone's first map, then with features that find edges.

    Paper: Ruan et al., "Devil in the Details: Towards Accurate Single and Multiple Human Parsing", AAAI 2019,
    arXiv:1809.05996.

    Training needs `edge_targets`, 1 on edges, which the transform EdgeExtractor makes. In the losses whose name holds
    "edge", edges and the rest get weights that make up for how rare they are in the batch.
    """

    reads: ClassVar = {"in_channels_list": (0, 1, 2, 3)}

    def build_head(
        self,
        *,
        in_channels_list: Sequence[int],
        feats_channels: int,
        shortcut_feats_channels: int,
        epm_hidden_channels: int,
        epm_out_channels: int,
        pool_scales: Sequence[int],
        dropout_stage1: float,
        dropout_stage2: float,
    ) -> None:
        *earlier, last = in_channels_list
        layers = {"align_corners": self.align_corners, **self.layer_cfg}
        self.ppm_net = PyramidPoolingModule(last, feats_channels, pool_scales, **layers)
        self.edge_net = EdgePerceivingModule(earlier, epm_hidden_channels, epm_out_channels, **layers)
        self.shortcut = nn.Sequential(*conv_norm_act(earlier[0], shortcut_feats_channels, 1, **self.layer_cfg))

        def decoder(in_channels: int, dropout: float) -> nn.Sequential:
            return nn.Sequential(
                *conv_norm_act(in_channels, feats_channels, 1, **self.layer_cfg),
                *conv_norm_act(feats_channels, feats_channels, 1, **self.layer_cfg),
                nn.Dropout2d(dropout),
                nn.Conv2d(feats_channels, self.num_classes, 1),
            )

        self.decoder_stage1 = decoder(feats_channels + shortcut_feats_channels, dropout_stage1)
        self.decoder_stage2 = decoder(feats_channels + len(earlier) * epm_hidden_channels, dropout_stage2)

    def _read(self, features: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Return the first stage's features (N, F, h, w), the edge scores (N, 2, h, w) and edge features."""
        shortcut = self.shortcut(features[0])  # (N, S, h, w)
        pooled = resize_like(self.ppm_net(features[-1]), shortcut, self.align_corners)  # (N, F, h, w)
        edges, edge_features = self.edge_net(features[:-1])
        return self.decoder_stage1[:-1](torch.cat([pooled, shortcut], dim=1)), edges, edge_features

    def predict(self, features: list[Tensor]) -> Tensor:
        x, _, edge_features = self._read(features)
        return self.decoder_stage2(torch.cat([x, edge_features], dim=1))  # (N, K, h, w)

    def predict_in_training(self, features: list[Tensor], annotations: Mapping[str, Tensor]) -> dict[str, Tensor]:
        x, edges, edge_features = self._read(features)
        return {
            "loss_cls_stage1": self.decoder_stage1[-1](x),
            "loss_edge": edges,
            "loss_cls_stage2": self.decoder_stage2(torch.cat([x, edge_features], dim=1)),
        }

    def customizepredsandlosses(  # type: ignore[override]
        self, *, annotations: Mapping[str, Tensor], losses_cfg: Mapping[str, Any], **others: Any
    ) -> Any:
        """Balance edges against the rest; see `BaseSegmentor.customizepredsandlosses`."""
        if "edge_targets" not in annotations:
            raise ConfigError(
                "CE2P needs 'edge_targets': SEGMENTOR_CFG['dataset']['train']['data_pipelines'] lacks 'EdgeExtractor'."
            )
        edges = annotations["edge_targets"]
        num_edge, num_rest = torch.stack([edges == 1, edges == 0]).flatten(1).sum(dim=1).tolist()
        if num_edge and num_rest:
            weight = [num_edge / (num_edge + num_rest), num_rest / (num_edge + num_rest)]
            losses_cfg = {name: balanced(cfg, weight) if "edge" in name else cfg for name, cfg in losses_cfg.items()}
        annotations = {**annotations, "loss_edge": edges}
        return super().customizepredsandlosses(annotations=annotations, losses_cfg=losses_cfg, **others)


def balanced(loss_cfg: Any, class_weight: list[float]) -> Any:
    """Return a loss, or a list of losses, with `class_weight` where a loss takes it."""
    if not isinstance(loss_cfg, Mapping):
        return [balanced(cfg, class_weight) for cfg in loss_cfg]
    takes = inspect.signature(LossBuilder().find(loss_cfg.get("type"))).parameters
    return {**loss_cfg, "class_weight": class_weight} if "class_weight" in takes else loss_cfg
