from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from ....utils.errors import ConfigError, call_with
from ...backbones.bricks import BuildActivation
from .ropeattention import RoPEAttention

_WHERE = "SEGMENTOR_CFG['head']['memory_attention_cfg']"


def _build_attention(cfg: Mapping[str, Any], where: str) -> RoPEAttention:
    if cfg.get("type", "RoPEAttention") != "RoPEAttention":
        raise ConfigError(f"{where}['type']: is {cfg['type']!r}, must be 'RoPEAttention'.")
    return call_with(RoPEAttention, {name: value for name, value in cfg.items() if name != "type"}, where=where)


class MemoryAttentionLayer(nn.Module):
    """Attention among a frame's tokens, attention to memories, and a perceptron, each after a normalization.

    Paper: Ravi et al., "SAM 2", arXiv:2408.00714, section 4.

    Args:
        dropout: share of what each of the three adds that is dropped while training.
        pos_enc_at_attn, pos_enc_at_cross_attn_queries, pos_enc_at_cross_attn_keys: where positions are added.
        self_attention_cfg, cross_attention_cfg: the fields of `RoPEAttention`.
    """

    def __init__(
        self,
        act_cfg: Mapping[str, Any] | None,
        dim_feedforward: int,
        dropout: float,
        d_model: int,
        pos_enc_at_attn: bool,
        pos_enc_at_cross_attn_keys: bool,
        pos_enc_at_cross_attn_queries: bool,
        self_attention_cfg: Mapping[str, Any],
        cross_attention_cfg: Mapping[str, Any],
    ):
        super().__init__()
        where = f"{_WHERE}['layer_cfg']"
        self.self_attn = _build_attention(self_attention_cfg, f"{where}['self_attention_cfg']")
        self.cross_attn_image = _build_attention(cross_attention_cfg, f"{where}['cross_attention_cfg']")
        self.linear1 = nn.Linear(d_model, dim_feedforward)
        self.dropout = nn.Dropout(dropout)
        self.linear2 = nn.Linear(dim_feedforward, d_model)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(d_model) for _ in range(3))
        self.dropout1, self.dropout2, self.dropout3 = (nn.Dropout(dropout) for _ in range(3))
        self.activation = BuildActivation(act_cfg)
        self.positions_in_self = pos_enc_at_attn
        self.positions_in_queries = pos_enc_at_cross_attn_queries
        self.positions_in_keys = pos_enc_at_cross_attn_keys

    def forward(
        self, x: Tensor, positions: Tensor, memory: Tensor, memory_positions: Tensor, num_pointers: int
    ) -> Tensor:  # x (N, L, C), memory (N, S, Cm)
        y = self.norm1(x)
        q = y + positions if self.positions_in_self else y
        x = x + self.dropout1(self.self_attn(q, q, y))
        y = self.norm2(x)
        q = y + positions if self.positions_in_queries else y
        k = memory + memory_positions if self.positions_in_keys else memory
        x = x + self.dropout2(self.cross_attn_image(q, k, memory, num_pointers))
        y = self.linear2(self.dropout(self.activation(self.linear1(self.norm3(x)))))
        return x + self.dropout3(y)


class MemoryAttention(nn.Module):
    """Lets a frame's features attend to what is remembered of an object.

    Paper: Ravi et al., "SAM 2", arXiv:2408.00714, section 4 and appendix D.1.

    Args:
        pos_enc_at_input: add a tenth of the positions to the features.
        layer_cfg: the fields of `MemoryAttentionLayer`.
    """

    def __init__(self, d_model: int, pos_enc_at_input: bool, num_layers: int, layer_cfg: Mapping[str, Any]):
        super().__init__()
        self.d_model, self.positions_at_input = d_model, pos_enc_at_input
        where = f"{_WHERE}['layer_cfg']"
        self.layers = nn.ModuleList(call_with(MemoryAttentionLayer, layer_cfg, where=where) for _ in range(num_layers))
        self.norm = nn.LayerNorm(d_model)

    def forward(
        self,
        curr: list[Tensor],
        memory: Tensor,
        curr_pos: list[Tensor],
        memory_pos: Tensor,
        num_obj_ptr_tokens: int = 0,
    ) -> Tensor:
        """Return the features (L, N, C), conditioned on the memory.

        Args:
            curr, curr_pos: one tensor each, (L, N, C): the frame's features and positions.
            memory, memory_pos: (S, N, Cm): maps of that size, then `num_obj_ptr_tokens` tokens of object pointers.
        """
        (x,), (positions,) = curr, curr_pos
        x, positions, memory, memory_pos = (t.transpose(0, 1) for t in (x, positions, memory, memory_pos))
        if self.positions_at_input:
            x = x + 0.1 * positions
        for layer in self.layers:
            x = layer(x, positions, memory, memory_pos, num_obj_ptr_tokens)
        return self.norm(x).transpose(0, 1)
