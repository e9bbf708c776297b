from collections.abc import Mapping
from typing import Any, Literal, TypedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ....utils.errors import ConfigError, listed, nearest
from ...backbones import conv_norm_act
from ..base import SelfAttentionBlock
from .update import Momentum, class_means, momentum_for

_STRATEGIES = ("cosine_similarity", "mean")


class Update(TypedDict):
    """How the memory follows the features: labels left out, weights of a class's pixels, share of the new ones."""

    strategy: Literal["cosine_similarity", "mean"]
    ignore_index: int
    momentum_cfg: Momentum


class FeaturesMemory(nn.Module):
    """A vector for each class, from all images seen in training, and the context that a map draws from them.

    Paper: Jin et al., "Mining Contextual Information Beyond Image", ICCV 2021, arXiv:2108.11819, sections 3.2, 3.3.

    Args:
        use_context_within_image: there is a second map to draw context from.
        use_hard_aggregate: a position gets the vector of its best class, else the mean weighted with probabilities.
    """

    def __init__(
        self,
        num_classes: int,
        feats_channels: int,
        transform_channels: int,
        out_channels: int,
        use_context_within_image: bool,
        use_hard_aggregate: bool,
        *,
        align_corners: bool,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        width = feats_channels
        self.use_hard_aggregate, self.align_corners = use_hard_aggregate, align_corners
        # a parameter, although it is never trained: published checkpoints list it before the modules
        self.memory = nn.Parameter(torch.zeros(num_classes, 1, width), requires_grad=False)

        def attention() -> nn.Module:
            return SelfAttentionBlock(width, width, transform_channels, width, key_query_num_convs=2, **layers)

        self.self_attention = attention()
        self.bottleneck = nn.Sequential(*conv_norm_act(2 * width, out_channels, 3, **layers))
        if use_context_within_image:
            self.self_attention_ms = attention()
            self.bottleneck_ms = nn.Sequential(*conv_norm_act(width + out_channels, out_channels, 3, **layers))

    def forward(self, x: Tensor, scores: Tensor, context: Tensor | None, before: Tensor | None = None) -> Tensor:
        """Return (N, out_channels, h, w).

        Args:
            x, context: (N, C, h, w), the map, and the one to draw context from besides the memory.
            scores: (N, K, h, w), which vectors of the memory a position needs.
            before: (K, C), the memory before the update of this step. It is what is read; gradients are those of
                reading the memory after the update, with which the published weights were trained.
        """
        if self.use_hard_aggregate:
            shares = F.one_hot(scores.argmax(dim=1), scores.shape[1]).movedim(-1, 1).to(x.dtype)
        else:
            shares = scores.softmax(dim=1)
        memory = self.memory[:, 0]
        gathered = _gather(shares, memory)
        if before is not None:
            gathered = gathered + _gather(shares, before - memory).detach()
        y = self.bottleneck(torch.cat([x, self.self_attention(x, gathered)], dim=1))
        if context is None:
            return y
        return self.bottleneck_ms(torch.cat([self.self_attention_ms(x, context), y], dim=1))

    @torch.no_grad()
    def update(self, features: Tensor, labels: Tensor, cfg: Update, learning_rate: float | None) -> None:
        """Move the memory towards the features (N, C, h, w) of the classes in labels (N, H, W), of all processes."""
        if cfg["strategy"] not in _STRATEGIES:
            raise ConfigError(
                f"SEGMENTOR_CFG['head']['update_cfg']['strategy']: is {cfg['strategy']!r}, must be one of "
                f"{listed(_STRATEGIES)}.{nearest(cfg['strategy'], _STRATEGIES)}"
            )
        memory = self.memory[:, 0]  # (K, C)
        labels = torch.where(labels == cfg["ignore_index"], -1, labels)
        unlike = memory if cfg["strategy"] == "cosine_similarity" else None
        means, present = class_means(features, labels, len(memory), self.align_corners, unlike)
        momentum = momentum_for(cfg["momentum_cfg"], learning_rate)
        empty = (memory == 0).all(dim=1)
        moved = torch.where(empty[:, None], means, torch.lerp(memory, means.to(memory.dtype), momentum))
        self.memory.copy_(torch.where(present[:, None], moved, memory)[:, None])


def _gather(shares: Tensor, vectors: Tensor) -> Tensor:
    """Return (N, C, h, w), at each position the sum of vectors (K, C) weighted with shares (N, K, h, w)."""
    return torch.einsum("nkhw,kc->nchw", shares, vectors)
