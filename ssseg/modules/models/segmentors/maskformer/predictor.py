from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from ...backbones import BuildActivation, BuildNormalization
from ...backbones.bricks.transformer import MLP, MultiheadAttention, tokens_of
from ..maskclassification import (
    MaskPrediction,
    add_branch,
    init_xavier,
    masks_of,
    project_input,
    require_predictor,
    sine_tokens,
)


class AttentionLayer(nn.Module):
    """Attention of a sequence to itself, to another one where `attends_to_memory`, and a perceptron.

    Paper: Carion et al., "End-to-End Object Detection with Transformers", ECCV 2020, arXiv:2005.12872, appendix A.3.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        hidden_dim: int,
        dropout: float,
        *,
        attends_to_memory: bool,
        pre_norm: bool,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()  # the order of the next lines is that of the entries in published checkpoints
        self.pre_norm = pre_norm
        self.self_attn = MultiheadAttention(dim, num_heads, dropout)
        if attends_to_memory:
            self.multihead_attn = MultiheadAttention(dim, num_heads, dropout)
        self.linear1, self.linear2 = nn.Linear(dim, hidden_dim), nn.Linear(hidden_dim, dim)
        self.norm1, self.norm2 = (BuildNormalization(placeholder=dim, norm_cfg=norm_cfg) for _ in range(2))
        if attends_to_memory:
            self.norm3 = BuildNormalization(placeholder=dim, norm_cfg=norm_cfg)
        self.activation, self.dropout = BuildActivation(act_cfg), nn.Dropout(dropout)

    def forward(self, x: Tensor, positions: Tensor, memory: Tensor | None = None, key: Tensor | None = None) -> Tensor:
        """Return (N, L, C) of (N, L, C).

        Args:
            positions: (N or 1, L, C), added to where queries and keys are made.
            memory: (N, S, C), with attention to another sequence; `key` is that with its own positions.
        """

        def itself(x: Tensor) -> Tensor:
            placed = x + positions
            return self.dropout(self.self_attn(placed, placed, x))

        def perceptron(x: Tensor) -> Tensor:
            return self.dropout(self.linear2(self.dropout(self.activation(self.linear1(x)))))

        x = add_branch(x, itself, self.norm1, pre_norm=self.pre_norm)
        if memory is None or key is None:
            return add_branch(x, perceptron, self.norm2, pre_norm=self.pre_norm)

        def to_memory(x: Tensor) -> Tensor:
            return self.dropout(self.multihead_attn(x + positions, key, memory))

        x = add_branch(x, to_memory, self.norm2, pre_norm=self.pre_norm)
        return add_branch(x, perceptron, self.norm3, pre_norm=self.pre_norm)


class Encoder(nn.Module):
    """Layers of self-attention; with `pre_norm` nothing else normalizes what leaves the last one, so `norm` does."""

    def __init__(self, dim: int, num_layers: int, **layer: Any):
        super().__init__()
        norm_cfg = layer["norm_cfg"] if layer["pre_norm"] else None
        self.norm = BuildNormalization(placeholder=dim, norm_cfg=norm_cfg)
        self.layers = nn.ModuleList(AttentionLayer(dim, attends_to_memory=False, **layer) for _ in range(num_layers))

    def forward(self, x: Tensor, positions: Tensor) -> Tensor:  # (N, S, C)
        for layer in self.layers:
            x = layer(x, positions)
        return self.norm(x)


class Decoder(nn.Module):
    """Layers in which queries attend to each other and to a sequence; `norm` follows each of them."""

    def __init__(self, dim: int, num_layers: int, **layer: Any):
        super().__init__()
        self.norm = BuildNormalization(placeholder=dim, norm_cfg=layer["norm_cfg"])
        self.layers = nn.ModuleList(AttentionLayer(dim, attends_to_memory=True, **layer) for _ in range(num_layers))

    def forward(self, queries: Tensor, memory: Tensor, positions: Tensor) -> list[Tensor]:
        """Return what each layer makes, (N, Q, C), of queries (Q, C), which are places of things yet unknown.

        Args:
            memory: (N, S, C), at `positions` (1, S, C).
        """
        key, outputs = memory + positions, []
        x = memory.new_zeros(memory.shape[0], *queries.shape)
        for layer in self.layers:
            x = layer(x, queries, memory, key)
            outputs.append(self.norm(x))
        return outputs


class DETRTransformer(nn.Module):
    """An encoder of a map, and a decoder of queries that attends to it.

    Paper: Carion et al., "End-to-End Object Detection with Transformers", ECCV 2020, arXiv:2005.12872, section 3.2.
    """

    def __init__(self, dim: int, enc_layers: int, dec_layers: int, **layer: Any):
        super().__init__()
        self.encoder = Encoder(dim, enc_layers, **layer)
        self.decoder = Decoder(dim, dec_layers, **layer)
        init_xavier(self)

    def forward(self, x: Tensor, queries: Tensor) -> list[Tensor]:  # (N, C, h, w), (Q, C)
        positions = sine_tokens(x)
        return self.decoder(queries, self.encoder(tokens_of(x), positions), positions)


class MaskFormerPredictor(nn.Module):
    """Predicts Q masks from a map that queries look at, and a finer one that tells the masks' pixels apart.

    Paper: Cheng et al., "Per-Pixel Classification is Not All You Need for Semantic Segmentation", NeurIPS 2021,
    arXiv:2107.06278, section 3.3.

    Args:
        in_channels: of the map that queries look at.
        mask_dim: width of the finer map.
        hidden_dim: width of the transformer, a multiple of 4 and of `nheads`.
        num_queries: Q.
        dropout: of every layer of the transformer.
        pre_norm: normalize before attention and perceptrons, instead of after.
        deep_supervision: return what every layer of the decoder predicts, not the last one only.
        mask_classification: predict a class for each mask; there is nothing else here.
        enforce_input_project: project the map even where it has `hidden_dim` channels.
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
        enc_layers: int,
        dec_layers: int,
        dropout: float,
        pre_norm: bool = False,
        deep_supervision: bool = True,
        mask_classification: bool = True,
        enforce_input_project: bool = False,
        *,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        require_predictor("SEGMENTOR_CFG['head']['predictor']", hidden_dim, nheads, mask_classification)
        self.deep_supervision = deep_supervision
        self.transformer = DETRTransformer(
            hidden_dim,
            enc_layers,
            dec_layers,
            num_heads=nheads,
            hidden_dim=dim_feedforward,
            dropout=dropout,
            pre_norm=pre_norm,
            norm_cfg=norm_cfg,
            act_cfg=act_cfg,
        )
        self.query_embed = nn.Embedding(num_queries, hidden_dim)
        self.input_proj = project_input(in_channels, hidden_dim, enforce_input_project)
        self.class_embed = nn.Linear(hidden_dim, num_classes + 1)
        self.mask_embed = MLP(hidden_dim, hidden_dim, mask_dim, 3)

    def forward(self, x: Tensor, mask_features: Tensor) -> list[MaskPrediction]:
        """Return what the last layer predicts, then with `deep_supervision` the others, from the first on.

        Args:
            x: (N, in_channels, h, w).
            mask_features: (N, mask_dim, H, W), the size of the masks.
        """
        *others, last = self.transformer(self.input_proj(x), self.query_embed.weight)
        made = [last, *others] if self.deep_supervision else [last]
        return [
            MaskPrediction(self.class_embed(x), masks_of(self.mask_embed(x), mask_features))
            for x in made  # each (N, Q, hidden_dim)
        ]
