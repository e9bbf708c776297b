from collections.abc import Mapping
from typing import Any, TypedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...backbones import conv_norm_act
from ..base import SelfAttentionBlock, resize_like
from ..mcibi import Momentum, class_means, momentum_for


class Update(TypedDict):
    """How the memory follows the features: the label left out, and the share of a step's features."""

    ignore_index: int
    momentum_cfg: Momentum


class StatisticalMemory(nn.Module):
    """Mean and standard deviation of each class, from all images seen in training, and the context drawn from them.

    Paper: Jin et al., "MCIBI++", TPAMI 2022, arXiv:2209.04471, section 3.2.

    Args:
        use_hard_aggregate: a position gets the vector of its best class, else the mean weighted with probabilities.
        downsample_before_sa: attention works at half the size.
    """

    noise: Tensor

    def __init__(
        self,
        num_classes: int,
        feats_channels: int,
        transform_channels: int,
        out_channels: int,
        use_hard_aggregate: bool,
        downsample_before_sa: bool,
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
        self.memory = nn.Parameter(torch.tensor([[0.0, 1.0]]).repeat(num_classes, 1), requires_grad=False)
        # a class is always drawn with the same random numbers, those of the class's seed
        drawn = [
            torch.randn(1, width, generator=torch.Generator().manual_seed(i), device="cpu") for i in range(num_classes)
        ]
        self.register_buffer("noise", torch.cat(drawn), persistent=False)
        halve = conv_norm_act(width, width, 3, stride=2, **layers)
        self.downsample_before_sa = nn.Sequential(*halve) if downsample_before_sa else None
        self.self_attention = SelfAttentionBlock(
            width, width, transform_channels, width, key_query_num_convs=2, **layers
        )
        self.bottleneck = nn.Sequential(*conv_norm_act(2 * width, out_channels, 3, **layers))

    def forward(self, x: Tensor, scores: Tensor) -> Tensor:
        """Return (N, out_channels, h, w).

        Args:
            x: (N, C, h, w).
            scores: (N, K, h, w), which vectors of the memory a position needs.
        """
        if self.use_hard_aggregate:
            shares = F.one_hot(scores.argmax(dim=1), scores.shape[1]).movedim(-1, 1).to(x.dtype)
        else:
            shares = scores.softmax(dim=1)
        mean, deviation = self.memory.split(1, dim=1)
        gathered = torch.einsum("nkhw,kc->nchw", shares, (mean + deviation * self.noise).to(shares.dtype))
        if self.downsample_before_sa is None:
            context = self.self_attention(x, gathered)
        else:
            context = self.self_attention(self.downsample_before_sa(x), self.downsample_before_sa(gathered))
            context = resize_like(context, x, self.align_corners)
        return self.bottleneck(torch.cat([x, context], dim=1))

    @torch.no_grad()
    def update(self, features: Tensor, labels: Tensor, cfg: Update, learning_rate: float | None) -> None:
        """Move the memory towards the features (N, C, h, w) of the classes in labels (N, H, W), of all processes."""
        labels = torch.where(labels == cfg["ignore_index"], -1, labels)
        means, present = class_means(features, labels, len(self.memory), self.align_corners)
        statistics = torch.stack([means.mean(dim=1), means.std(dim=1)], dim=1).to(self.memory.dtype)
        momentum = momentum_for(cfg["momentum_cfg"], learning_rate)
        self.memory.copy_(torch.where(present[:, None], torch.lerp(self.memory, statistics, momentum), self.memory))
