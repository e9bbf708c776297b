from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ...utils.errors import ConfigError
from .bricks import BuildDropout
from .bricks.transformer import (
    FFN,
    PatchEmbed,
    Size,
    SpatialReductionAttention,
    build_token_norm,
    drop_path_rates,
    map_of,
    renamed,
    resize_positions,
    run_block,
    square,
)
from .checks import indices_below
from .weights import State, load_pretrained

# timm's copy of Google's, trained on ImageNet-21k and -1k; Apache-2.0.
DEFAULT_MODEL_URLS = {
    "jx_vit_large_p16_384": "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-vitjx/"
    "jx_vit_large_p16_384-b3be5167.pth"
}
AUTO_ASSERT_STRUCTURE_TYPES = {
    "jx_vit_large_p16_384": {"patch_size": 16, "embed_dims": 1024, "num_layers": 24, "num_heads": 16}
}


def convert_vit(state: State) -> State:
    """Name the entries of timm's vision transformers as ours."""
    rules = (
        (r"^norm\.", "ln1."),
        (r"^patch_embed\.proj\.", "patch_embed.projection."),
        (r"^blocks\.", "layers."),
        (r"\.norm(\d)\.", r".ln\1."),
        (r"\.mlp\.fc1\.", ".ffn.layers.0.0."),
        (r"\.mlp\.fc2\.", ".ffn.layers.1."),
        (r"\.attn\.qkv\.", ".attn.attn.in_proj_"),
        (r"\.attn\.proj\.", ".attn.attn.out_proj."),
    )
    return renamed(state, rules)


def fit_pos_embed(state: State, grid: Size, mode: str) -> State:
    """Interpolate `pos_embed`, of a class token and a square grid, to `grid`."""
    if "pos_embed" not in state or state["pos_embed"].shape[1] == grid[0] * grid[1] + 1:
        return state
    table = state["pos_embed"]
    return {**state, "pos_embed": resize_positions(table, square(table.shape[1] - 1), grid, mode, leading=1)}


def block_indices(num_layers: int, given: int | Sequence[int]) -> tuple[int, ...]:
    """Return `out_indices`, one or several, counted from the start."""
    indices = [given] if isinstance(given, int) else given
    return indices_below(num_layers, [i + num_layers if -num_layers <= i < 0 else i for i in indices])


class ViTBlock(nn.Module):
    """Attention and a perceptron, each after a normalization and added to its input.

    Paper: Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021, arXiv:2010.11929, section 3.1 and figure 1.
    """

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        hidden_dims: int,
        drop_path: float,
        *,
        num_fcs: int,
        qkv_bias: bool,
        attn_drop: float,
        drop: float,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()  # the order of the next lines is that of the entries in published checkpoints
        self.ln1 = build_token_norm(embed_dims, norm_cfg)
        self.attn = SpatialReductionAttention(
            embed_dims, num_heads, attn_drop=attn_drop, proj_drop=drop, bias=qkv_bias, norm_cfg=norm_cfg
        )
        self.ln2 = build_token_norm(embed_dims, norm_cfg)
        self.ffn = FFN(embed_dims, hidden_dims, num_fcs=num_fcs, dropout=drop, act_cfg=act_cfg)
        self.drop_path = BuildDropout({"type": "DropPath", "drop_prob": drop_path})

    def forward(self, x: Tensor, size: Size) -> Tensor:  # (N, 1 + h * w, C)
        x = x + self.drop_path(self.attn(self.ln1(x), size))
        return x + self.drop_path(self.ffn(self.ln2(x)))


class VisionTransformer(nn.Module):
    """Transformer of patches, all of whose maps have one size.

    Paper: Dosovitskiy et al., "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale", ICLR 2021,
    arXiv:2010.11929.

    Args:
        structure_type: names the pretrained weights, a key of `DEFAULT_MODEL_URLS`.
        img_size: (H, W) for which there are positions; those of other sizes are interpolated with `interpolate_mode`.
        in_channels: of the images.
        mlp_ratio: hidden width of the perceptrons, over that of the tokens.
        out_origin: return the embedded patches before the other maps.
        out_indices: which blocks' maps to return, one or several; negative ones count from the end.
        drop_rate, attn_drop_rate: dropout of tokens and of attention.
        drop_path_rate: of the last block; it rises linearly from 0 at the first.
        with_cls_token: let patches and a class token attend to each other.
        output_cls_token: return pairs of a map and the class token (N, C).
        patch_norm, pre_norm, final_norm: normalize patches, the input of the first block, the output of the last.
        patch_bias: give the embedding of patches a bias.
        num_fcs: layers of the perceptrons.
        use_checkpoint: save memory in training by computing each block twice.
        pretrained: load weights, from `pretrained_model_path` or, where that is None or "", fetched.

    Shape:
        (N, in_channels, H, W) to a tuple of maps (N, embed_dims, H / patch_size, W / patch_size), rounded up.

    Raises:
        ConfigError: there is no such block, or the weights do not fit.
    """

    def __init__(
        self,
        structure_type: str,
        img_size: Sequence[int] = (224, 224),
        patch_size: int = 16,
        in_channels: int = 3,
        embed_dims: int = 1024,
        num_layers: int = 24,
        num_heads: int = 16,
        mlp_ratio: float = 4,
        out_origin: bool = False,
        out_indices: int | Sequence[int] = (9, 14, 19, 23),
        qkv_bias: bool = True,
        drop_rate: float = 0.0,
        attn_drop_rate: float = 0.0,
        drop_path_rate: float = 0.0,
        with_cls_token: bool = True,
        output_cls_token: bool = False,
        patch_norm: bool = False,
        patch_bias: bool = True,
        pre_norm: bool = False,
        final_norm: bool = False,
        interpolate_mode: str = "bilinear",
        num_fcs: int = 2,
        norm_cfg: Mapping[str, Any] | None = {"type": "LayerNorm", "eps": 1e-6},
        act_cfg: Mapping[str, Any] | None = {"type": "GELU"},
        use_checkpoint: bool = False,
        pretrained: bool = True,
        pretrained_model_path: str | None = "",
    ):
        super().__init__()
        if output_cls_token and not with_cls_token:
            raise ConfigError("SEGMENTOR_CFG['backbone']['output_cls_token']: needs 'with_cls_token', which is False.")
        self.structure_type, self.patch_size, self.embed_dims = structure_type, patch_size, embed_dims
        self.num_layers, self.num_heads, self.use_checkpoint = num_layers, num_heads, use_checkpoint
        self.with_cls_token, self.output_cls_token = with_cls_token, output_cls_token
        self.out_origin, self.out_indices = out_origin, block_indices(num_layers, out_indices)
        self.grid: Size = (img_size[0] // patch_size, img_size[1] // patch_size)
        self.interpolate_mode = interpolate_mode
        self.patch_embed = PatchEmbed(
            in_channels, embed_dims, patch_size, patch_size, bias=patch_bias, norm_cfg=norm_cfg if patch_norm else None
        )
        self.cls_token = nn.Parameter(torch.zeros(1, 1, embed_dims))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + self.grid[0] * self.grid[1], embed_dims))
        self.drop_after_pos = nn.Dropout(drop_rate)
        self.ln_pre = build_token_norm(embed_dims, norm_cfg if pre_norm else None)
        self.layers = nn.ModuleList(
            ViTBlock(
                embed_dims,
                num_heads,
                int(mlp_ratio * embed_dims),
                rate,
                num_fcs=num_fcs,
                qkv_bias=qkv_bias,
                attn_drop=attn_drop_rate,
                drop=drop_rate,
                norm_cfg=norm_cfg,
                act_cfg=act_cfg,
            )
            for rate in drop_path_rates(drop_path_rate, num_layers)
        )
        self.ln1 = build_token_norm(embed_dims, norm_cfg if final_norm else None)
        self.out_channels = (embed_dims,) * (len(self.out_indices) + out_origin)
        if pretrained:
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls=DEFAULT_MODEL_URLS,
                built_as=AUTO_ASSERT_STRUCTURE_TYPES,
                convert=lambda state: fit_pos_embed(convert_vit(state), self.grid, interpolate_mode),
                input_key="patch_embed.projection.weight",
                unused=("ln1.", "head.", "pre_logits."),  # the classifier's
            )

    def forward(self, x: Tensor) -> tuple[Any, ...]:  # (N, C, H, W)
        x, size = self.patch_embed(x)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], dim=1)
        x = x + resize_positions(self.pos_embed, self.grid, size, self.interpolate_mode, leading=1)
        x = self.drop_after_pos(x)
        x = self.ln_pre(x if self.with_cls_token else x[:, 1:])
        maps = [self.output(x, size)] if self.out_origin else []
        for i, block in enumerate(self.layers):
            x = run_block(block, x, size, use_checkpoint=self.use_checkpoint)
            if i == self.num_layers - 1:
                x = self.ln1(x)
            if i in self.out_indices:
                maps.append(self.output(x, size))
        return tuple(maps)

    def output(self, x: Tensor, size: Size) -> Any:
        """Return the map of a block's tokens, with `output_cls_token` and the class token (N, C)."""
        tokens = map_of(x[:, 1:] if self.with_cls_token else x, size)
        return [tokens, x[:, 0]] if self.output_cls_token else tokens
