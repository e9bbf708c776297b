from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .bricks import BuildDropout
from .bricks.transformer import (
    FFN,
    PatchEmbed,
    Size,
    attend_in_bands,
    build_token_norm,
    drop_path_rates,
    map_of,
    renamed,
    square,
)
from .bricks.transformer.biastables import CLASS_ROWS, relative_position_index_with_class, resize_bias_table
from .vit import block_indices
from .weights import State, load_pretrained

_FOLDER = "https://github.com/SegmentationBLWX/modelstore/releases/download/ssseg_beit"
_PUBLISHED = ("beit_base_patch16_224_pt22k_ft22k", "beit_large_patch16_224_pt22k_ft22k")
# Copies of the authors', trained on ImageNet-22k without and then with labels; MIT.
DEFAULT_MODEL_URLS = {name: f"{_FOLDER}/{name}.pth" for name in _PUBLISHED}
AUTO_ASSERT_STRUCTURE_TYPES = {
    "beit_base_patch16_224_pt22k_ft22k": {"embed_dims": 768, "num_layers": 12, "num_heads": 12},
    "beit_large_patch16_224_pt22k_ft22k": {"embed_dims": 1024, "num_layers": 24, "num_heads": 16},
}


def convert_beit(state: State) -> State:
    """Name the entries of the authors' files as ours, without what follows from the size of the grid."""
    rules = (
        (r"^norm\.", "ln1."),
        (r"^patch_embed\.proj\.", "patch_embed.projection."),
        (r"^blocks\.", "layers."),
        (r"\.norm(\d)\.", r".ln\1."),
        (r"\.mlp\.fc1\.", ".ffn.layers.0.0."),
        (r"\.mlp\.fc2\.", ".ffn.layers.1."),
    )
    kept = {key: value for key, value in state.items() if not key.endswith("relative_position_index")}
    return renamed(kept, rules)


def fit_bias_tables(state: State, grid: Size) -> State:
    """Interpolate tables of biases that were learnt on another, square grid."""
    fitted, own = dict(state), (2 * grid[0] - 1) * (2 * grid[1] - 1)
    for key, value in state.items():
        if key.endswith("relative_position_bias_table") and len(value) - CLASS_ROWS != own:
            side = (square(len(value) - CLASS_ROWS)[0] + 1) // 2
            fitted[key] = resize_bias_table(value, (side, side), grid)
    return fitted


class BEiTAttention(nn.Module):
    """Attention with a learnt bias for each offset and head.

    Paper: Bao et al., "BEiT", ICLR 2022, arXiv:2106.08254, as in the authors' code.

    Args:
        grid: (h, w) for which the table is kept; for others it is interpolated.
        bias: which of the projections have one.
    """

    relative_position_index: Tensor

    def __init__(
        self, embed_dims: int, num_heads: int, grid: Size, bias: Literal["", "qv", "qkv"], attn_drop: float = 0.0
    ):
        super().__init__()
        self.num_heads, self.grid, self.attn_drop = num_heads, grid, attn_drop
        if bias == "qv":
            self.q_bias, self.v_bias = (nn.Parameter(torch.zeros(embed_dims)) for _ in range(2))
        rows = (2 * grid[0] - 1) * (2 * grid[1] - 1) + CLASS_ROWS
        self.relative_position_bias_table = nn.Parameter(torch.zeros(rows, num_heads))
        self.register_buffer("relative_position_index", relative_position_index_with_class(grid))
        self.qkv = nn.Linear(embed_dims, 3 * embed_dims, bias=bias == "qkv")
        self.proj = nn.Linear(embed_dims, embed_dims)

    def forward(self, x: Tensor, size: Size) -> Tensor:  # (N, 1 + h * w, C)
        qkv_bias: Tensor | None = self.qkv.bias
        if hasattr(self, "q_bias"):
            qkv_bias = torch.cat([self.q_bias, torch.zeros_like(self.v_bias), self.v_bias])
        qkv = F.linear(x, self.qkv.weight, qkv_bias).unflatten(2, (3, self.num_heads, -1))
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # (N, heads, L, d) each
        table = resize_bias_table(self.relative_position_bias_table, self.grid, size).T  # (heads, rows)

        def biases(some: slice) -> Tensor:  # (1, heads, L or fewer, L)
            same = size == self.grid
            own = self.relative_position_index
            return table[None, :, own[some] if same else relative_position_index_with_class(size, some, own.device)]

        found = attend_in_bands(q, k, v, biases, self.attn_drop * self.training)
        return self.proj(found.transpose(1, 2).flatten(2))


class BEiTBlock(nn.Module):
    """Attention and a perceptron, each after a normalization, scaled a channel and added to its input.

    Paper: Bao et al., "BEiT", ICLR 2022, arXiv:2106.08254; the scales: Touvron et al., "Going deeper with Image
    Transformers", ICCV 2021, arXiv:2103.17239, section 2.
    """

    def __init__(
        self,
        embed_dims: int,
        attention: BEiTAttention,
        hidden_dims: int,
        drop_path: float,
        *,
        num_fcs: int,
        init_values: float,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()  # the order of the next lines is that of the entries in published checkpoints
        self.gamma_1, self.gamma_2 = (nn.Parameter(torch.full((embed_dims,), float(init_values))) for _ in range(2))
        self.ln1 = build_token_norm(embed_dims, norm_cfg)
        self.attn = attention
        self.ln2 = build_token_norm(embed_dims, norm_cfg)
        self.ffn = FFN(embed_dims, hidden_dims, num_fcs=num_fcs, act_cfg=act_cfg)
        self.drop_path = BuildDropout({"type": "DropPath", "drop_prob": drop_path})

    def forward(self, x: Tensor, size: Size) -> Tensor:  # (N, 1 + h * w, C)
        x = x + self.drop_path(self.gamma_1 * self.attn(self.ln1(x), size))
        return x + self.drop_path(self.gamma_2 * self.ffn(self.ln2(x)))


class BEiT(nn.Module):
    """Plain vision transformer with biases for offsets instead of positions, trained by predicting hidden patches.

    Paper: Bao et al., "BEiT: BERT Pre-Training of Image Transformers", ICLR 2022, arXiv:2106.08254.

    Args:
        structure_type: names the pretrained weights, a key of `DEFAULT_MODEL_URLS`.
        img_size: (H, W) for which there are biases; those of other sizes are interpolated.
        in_channels: of the images.
        mlp_ratio: hidden width of the perceptrons, over that of the tokens.
        out_indices: which blocks' maps to return, one or several; negative ones count from the end.
        qv_bias: give queries and values a bias.
        attn_drop_rate: dropout of attention.
        drop_path_rate: of the last block; it rises linearly from 0 at the first.
        patch_norm, final_norm: normalize patches, and the output of the last block.
        num_fcs: layers of the perceptrons.
        init_values: first value of the scales.
        pretrained: load weights, from `pretrained_model_path` or, where that is None or "", fetched.

    Shape:
        (N, in_channels, H, W) to a tuple of maps (N, embed_dims, H / patch_size, W / patch_size), rounded up.

    Raises:
        ConfigError: there is no such block, or the weights do not fit.
    """

    urls: Mapping[str, str] = DEFAULT_MODEL_URLS
    built_as: Mapping[str, Mapping[str, Any]] = AUTO_ASSERT_STRUCTURE_TYPES
    may_lack: tuple[str, ...] = ("relative_position_index",)
    """How the names of entries end that a file may lack."""

    def __init__(
        self,
        structure_type: str,
        img_size: Sequence[int] = (640, 640),
        patch_size: int = 16,
        in_channels: int = 3,
        embed_dims: int = 768,
        num_layers: int = 12,
        num_heads: int = 12,
        mlp_ratio: float = 4,
        out_indices: int | Sequence[int] = (3, 5, 7, 11),
        qv_bias: bool = True,
        attn_drop_rate: float = 0.0,
        drop_path_rate: float = 0.1,
        norm_cfg: Mapping[str, Any] | None = {"type": "LayerNorm", "eps": 1e-6},
        act_cfg: Mapping[str, Any] | None = {"type": "GELU"},
        patch_norm: bool = False,
        final_norm: bool = False,
        num_fcs: int = 2,
        init_values: float = 0.1,
        pretrained: bool = True,
        pretrained_model_path: str | None = "",
    ):
        super().__init__()
        self.structure_type, self.embed_dims = structure_type, embed_dims
        self.num_layers, self.num_heads = num_layers, num_heads
        self.out_indices = block_indices(num_layers, out_indices)
        self.grid: Size = (img_size[0] // patch_size, img_size[1] // patch_size)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, embed_dims))
        self.add_positions()
        patch_norm_cfg = norm_cfg if patch_norm else None
        self.patch_embed = PatchEmbed(in_channels, embed_dims, patch_size, patch_size, norm_cfg=patch_norm_cfg)
        self.layers = nn.ModuleList(
            BEiTBlock(
                embed_dims,
                self.build_attention(qv_bias, attn_drop_rate),
                int(mlp_ratio * embed_dims),
                rate,
                num_fcs=num_fcs,
                init_values=init_values,
                norm_cfg=norm_cfg,
                act_cfg=act_cfg,
            )
            for rate in drop_path_rates(drop_path_rate, num_layers)
        )
        self.ln1 = build_token_norm(embed_dims, norm_cfg if final_norm else None)
        self.out_channels = (embed_dims,) * len(self.out_indices)
        if pretrained:
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls=self.urls,
                built_as=self.built_as,
                convert=self.convert,
                input_key="patch_embed.projection.weight",
                unused=("ln1.", "fc_norm.", "head.", "mask_token"),  # of the classifier and the training
                new=tuple(key for key in self.state_dict() if key.endswith(self.may_lack)),
            )

    def add_positions(self) -> None:
        """Add what `embed` needs; BEiT has no positions."""

    def build_attention(self, bias: bool, attn_drop: float) -> BEiTAttention:
        """Build a block's attention, whose table has small random values."""
        attention = BEiTAttention(self.embed_dims, self.num_heads, self.grid, "qv" if bias else "", attn_drop)
        nn.init.trunc_normal_(attention.relative_position_bias_table, std=0.02)
        return attention

    def convert(self, state: State) -> State:
        """Make the entries of a published file ours."""
        return fit_bias_tables(convert_beit(state), self.grid)

    def embed(self, tokens: Tensor, size: Size) -> Tensor:
        """Return (N, 1 + h * w, C) of the class token and patches (N, 1 + h * w, C)."""
        return tokens

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # (N, C, H, W)
        x, size = self.patch_embed(x)
        x = self.embed(torch.cat([self.cls_token.expand(len(x), -1, -1), x], dim=1), size)
        maps = []
        for i, block in enumerate(self.layers):
            x = block(x, size)
            if i == self.num_layers - 1:
                x = self.ln1(x)
            if i in self.out_indices:
                maps.append(map_of(x[:, 1:], size))
        return tuple(maps)
