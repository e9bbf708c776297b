from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...backbones.bricks.transformer import MLP, MultiheadAttention, tokens_of
from ..base import resize
from ..maskclassification import (
    MaskPrediction,
    add_branch,
    init_xavier,
    masks_of,
    project_input,
    require_predictor,
    sine_tokens,
)
from .pixeldecoder import NUM_MAPS


class SelfAttentionLayer(nn.Module):
    """Queries attend to each other."""

    def __init__(self, dim: int, num_heads: int, pre_norm: bool):
        super().__init__()
        self.pre_norm = pre_norm
        self.self_attn = MultiheadAttention(dim, num_heads)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor, queries: Tensor) -> Tensor:  # (N, Q, C), (Q, C)
        def attention(x: Tensor) -> Tensor:
            return self.self_attn(x + queries, x + queries, x)

        return add_branch(x, attention, self.norm, pre_norm=self.pre_norm)


class CrossAttentionLayer(nn.Module):
    """Queries attend to the pixels that a mask leaves."""

    def __init__(self, dim: int, num_heads: int, pre_norm: bool):
        super().__init__()
        self.pre_norm = pre_norm
        self.multihead_attn = MultiheadAttention(dim, num_heads)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor, queries: Tensor, memory: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
        """Return (N, Q, C).

        Args:
            memory: (N, S, C), at `positions` (1, S, C).
            mask: (N, 1, Q, S) bool, True where a query may look.
        """

        def attention(x: Tensor) -> Tensor:
            return self.multihead_attn(x + queries, memory + positions, memory, mask)

        return add_branch(x, attention, self.norm, pre_norm=self.pre_norm)


class FFNLayer(nn.Module):
    """A perceptron at each query."""

    def __init__(self, dim: int, hidden_dim: int, pre_norm: bool):
        super().__init__()
        self.pre_norm = pre_norm
        self.linear1, self.linear2 = nn.Linear(dim, hidden_dim), nn.Linear(hidden_dim, dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:  # (N, Q, C)
        def perceptron(x: Tensor) -> Tensor:
            return self.linear2(F.relu(self.linear1(x)))

        return add_branch(x, perceptron, self.norm, pre_norm=self.pre_norm)


class Mask2FormerPredictor(nn.Module):
    """Predicts Q masks by queries that look, layer by layer, where the mask of the layer before is.

    The layers look at three maps in turn, the coarsest first.

    Paper: Cheng et al., "Masked-attention Mask Transformer for Universal Image Segmentation", CVPR 2022,
    arXiv:2112.01527, sections 3.2 and 3.3.

    Args:
        in_channels: of the maps that queries look at.
        mask_dim: width of the map for masks.
        hidden_dim: width of the transformer, a multiple of 4 and of `nheads`.
        num_queries: Q.
        dec_layers: predictions made: the first before any layer, one after each.
        pre_norm: normalize before attention and perceptrons, instead of after.
        mask_classification: predict a class for each mask; there is nothing else here.
        enforce_input_project: project the maps even where they have `hidden_dim` channels.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        mask_dim: int,
        hidden_dim: int,
        num_queries: int,
        nheads: int,
        dim_feedforward: int,
        dec_layers: int,
        pre_norm: bool = False,
        mask_classification: bool = True,
        enforce_input_project: bool = False,
    ):
        super().__init__()  # the order of the next lines is that of the entries in published checkpoints
        require_predictor("SEGMENTOR_CFG['head']['predictor']", hidden_dim, nheads, mask_classification)
        num_layers = dec_layers - 1
        self.transformer_self_attention_layers = nn.ModuleList(
            SelfAttentionLayer(hidden_dim, nheads, pre_norm) for _ in range(num_layers)
        )
        self.transformer_cross_attention_layers = nn.ModuleList(
            CrossAttentionLayer(hidden_dim, nheads, pre_norm) for _ in range(num_layers)
        )
        self.transformer_ffn_layers = nn.ModuleList(
            FFNLayer(hidden_dim, dim_feedforward, pre_norm) for _ in range(num_layers)
        )
        init_xavier(self)
        self.decoder_norm = nn.LayerNorm(hidden_dim)
        self.query_feat = nn.Embedding(num_queries, hidden_dim)
        self.query_embed = nn.Embedding(num_queries, hidden_dim)
        self.level_embed = nn.Embedding(NUM_MAPS, hidden_dim)
        self.input_proj = nn.ModuleList(
            project_input(in_channels, hidden_dim, enforce_input_project) for _ in range(NUM_MAPS)
        )
        for unseen in self.input_proj[num_layers:]:  # no layer looks at its map
            unseen.requires_grad_(False)
        self.class_embed = nn.Linear(hidden_dim, num_classes + 1)
        self.mask_embed = MLP(hidden_dim, hidden_dim, mask_dim, 3)

    def forward(self, maps: Sequence[Tensor], mask_features: Tensor) -> list[MaskPrediction]:
        """Return what is predicted after the last layer, then before the first, and after each of the others.

        Args:
            maps: (N, in_channels, ., .), the coarsest first.
            mask_features: (N, mask_dim, h, w), the size of the masks.
        """
        projected = [project(x) for project, x in zip(self.input_proj, maps, strict=True)]
        memories = [tokens_of(x) + level for x, level in zip(projected, self.level_embed.weight, strict=True)]
        positions = [sine_tokens(x) for x in projected]
        queries = self.query_embed.weight
        x = self.query_feat.weight.repeat(mask_features.shape[0], 1, 1)  # (N, Q, C)
        made = [self.read(x, mask_features)]
        layers = zip(
            self.transformer_cross_attention_layers,
            self.transformer_self_attention_layers,
            self.transformer_ffn_layers,
            strict=True,
        )
        for i, (to_pixels, to_queries, perceptron) in enumerate(layers):
            level = i % NUM_MAPS
            mask = where_to_look(made[-1].mask_logits, maps[level].shape[2:])  # type: ignore[arg-type]
            x = to_pixels(x, queries, memories[level], positions[level], mask)
            x = perceptron(to_queries(x, queries))
            made.append(self.read(x, mask_features))
        return [made[-1], *made[:-1]]

    def read(self, x: Tensor, mask_features: Tensor) -> MaskPrediction:
        """Return what queries (N, Q, C) show."""
        x = self.decoder_norm(x)
        return MaskPrediction(self.class_embed(x), masks_of(self.mask_embed(x), mask_features))


@torch.no_grad()
def where_to_look(mask_logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Return which pixels of a map of `size` are inside each mask, (N, 1, Q, S) bool; for an empty mask all are.

    Args:
        mask_logits: (N, Q, h, w).
    """
    inside = resize(mask_logits.float(), size, align_corners=False).flatten(2) >= 0
    return (inside | ~inside.any(dim=2, keepdim=True))[:, None]
