from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...utils.errors import ConfigError
from .bricks.transformer import drop_path_rates
from .hierablocks import HieraBlock


class HieraPatches(nn.Module):
    """Turns an image into a map of overlapping patches, (N, H / 4, W / 4, embed_dim)."""

    def __init__(self, in_channels: int, embed_dim: int):
        super().__init__()
        self.proj = nn.Conv2d(in_channels, embed_dim, 7, stride=4, padding=3)

    def forward(self, x: Tensor) -> Tensor:  # (N, in_channels, H, W)
        return self.proj(x).permute(0, 2, 3, 1)


class Hiera(nn.Module):
    """Vision transformer with a pyramid of maps, made of plain blocks, as SAM 2 uses it.

    Paper: Ryali et al., "Hiera: A Hierarchical Vision Transformer without the Bells-and-Whistles", ICML 2023,
    arXiv:2306.00989; with the positions of Bolya et al., "Window Attention is Bugged: How not to Interpolate Position
    Embeddings", ICLR 2024, arXiv:2311.05613. Blocks normalize with eps 1e-6.

    Args:
        in_channels: of the images.
        embed_dim, num_heads: of the first stage; each next one has `dim_mul` and `head_mul` times as many.
        drop_path_rate: of the last block; it rises linearly from 0 at the first.
        q_pool: after how many of the stages, counted from the first, the map shrinks by `q_stride`.
        q_stride: by what; its two numbers are the same.
        stages: blocks of each stage.
        window_pos_embed_bkg_spatial_size: grid of the table of positions that is resized to that of the patches; a
            second table, of a window, is repeated over it.
        window_spec: side of the windows of each stage. The first block of a stage has those of the stage before.
        global_att_blocks: which blocks attend to the whole map.
        mlp_ratio: hidden width of the perceptrons, over that of the tokens.
        return_interm_layers: return the map of every stage, else only the last one.

    Shape:
        (N, in_channels, H, W) to a tuple of maps, at 1/4, 1/8, 1/16 and 1/32, rounded up; `out_channels` wide.

    Raises:
        ConfigError: a number does not fit the others.
    """

    def __init__(
        self,
        in_channels: int = 3,
        embed_dim: int = 96,
        num_heads: int = 1,
        drop_path_rate: float = 0.0,
        q_pool: int = 3,
        q_stride: Sequence[int] = (2, 2),
        stages: Sequence[int] = (2, 3, 16, 3),
        dim_mul: float = 2.0,
        head_mul: float = 2.0,
        window_pos_embed_bkg_spatial_size: Sequence[int] = (14, 14),
        window_spec: Sequence[int] = (8, 4, 14, 7),
        global_att_blocks: Sequence[int] = (12, 16, 20),
        mlp_ratio: float = 4.0,
        return_interm_layers: bool = True,
        act_cfg: Mapping[str, Any] | None = {"type": "GELU"},
        norm_cfg: Mapping[str, Any] | None = {"type": "LayerNorm", "eps": 1e-6},
    ):
        super().__init__()
        _check(stages, window_spec, q_pool, q_stride)
        last_blocks = [count - 1 for count in accumulate(stages)]
        self.returned = tuple(last_blocks if return_interm_layers else last_blocks[-1:])
        self.patch_embed = HieraPatches(in_channels, embed_dim)
        self.pos_embed = nn.Parameter(torch.zeros(1, embed_dim, *window_pos_embed_bkg_spatial_size))
        self.pos_embed_window = nn.Parameter(torch.zeros(1, embed_dim, window_spec[0], window_spec[0]))
        self.blocks = nn.ModuleList()
        rates, width, stage, out_channels = drop_path_rates(drop_path_rate, sum(stages)), embed_dim, 0, []
        for i, rate in enumerate(rates):
            window = 0 if i in global_att_blocks else window_spec[stage]
            shrinks, before = i - 1 in last_blocks[:q_pool], width
            if i - 1 in last_blocks:
                width, num_heads, stage = int(width * dim_mul), int(num_heads * head_mul), stage + 1
            block = HieraBlock(
                before,
                width,
                num_heads,
                window,
                q_stride[0] if shrinks else 1,
                rate,
                mlp_ratio=mlp_ratio,
                norm_cfg=norm_cfg,
                act_cfg=act_cfg,
            )
            self.blocks.append(block)
            if i in self.returned:
                out_channels.append(width)
        self.out_channels = tuple(out_channels)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # (N, in_channels, H, W)
        x = self.patch_embed(x)
        x = x + self.positions(x.shape[1], x.shape[2])
        maps = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in self.returned:
                maps.append(x.permute(0, 3, 1, 2))
        return tuple(maps)

    def positions(self, h: int, w: int) -> Tensor:
        """Return what is added to each patch of an h x w grid, (1, h, w, C)."""
        table: Tensor = self.pos_embed
        if table.shape[2:] != (h, w):
            table = F.interpolate(table, (h, w), mode="bicubic", align_corners=False)
        side = self.pos_embed_window.shape[2]
        window = self.pos_embed_window.tile(1, 1, -(-h // side), -(-w // side))[:, :, :h, :w]
        return (table + window).permute(0, 2, 3, 1)


def _check(stages: Sequence[int], window_spec: Sequence[int], q_pool: int, q_stride: Sequence[int]) -> None:
    where = "SEGMENTOR_CFG['backbone']"
    if len(window_spec) != len(stages):
        raise ConfigError(
            f"{where}['window_spec']: holds {len(window_spec)} sides, must hold one for each of {len(stages)} stages."
        )
    if not 0 <= q_pool < len(stages):
        raise ConfigError(f"{where}['q_pool']: is {q_pool}, must be from 0 to {len(stages) - 1}, less than the stages.")
    if len(set(q_stride)) != 1:
        raise ConfigError(f"{where}['q_stride']: is {tuple(q_stride)}, must be twice the same number.")
    for side in window_spec[:q_pool]:
        if side % q_stride[0]:
            raise ConfigError(
                f"{where}['window_spec']: holds {side}, but windows whose queries are pooled must be a multiple of "
                f"q_stride={q_stride[0]}. Take {side + q_stride[0] - side % q_stride[0]}."
            )
