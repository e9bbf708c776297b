from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .bricks import ConvNormAct, conv_norm_act
from .bricks.transformer import build_token_norm, map_of, renamed, tokens_of
from .checks import indices_below, one_of
from .mobilenet import InvertedResidual
from .vit import ViTBlock
from .weights import State, load_pretrained

_FOLDER = "https://download.openmmlab.com/mmclassification/v0/mobilevit"
# OpenMMLab's copies of Apple's, trained on ImageNet-1k; Apple's licence for sample code.
DEFAULT_MODEL_URLS = {
    "mobilevit-small": f"{_FOLDER}/mobilevit-small_3rdparty_in1k_20221018-cb4f741c.pth",
    "mobilevit-xsmall": f"{_FOLDER}/mobilevit-xsmall_3rdparty_in1k_20221018-be39a6e7.pth",
    "mobilevit-xxsmall": f"{_FOLDER}/mobilevit-xxsmall_3rdparty_in1k_20221018-77835605.pth",
}
AUTO_ASSERT_STRUCTURE_TYPES = {
    "mobilevit-small": {"arch": "small"},
    "mobilevit-xsmall": {"arch": "x_small"},
    "mobilevit-xxsmall": {"arch": "xx_small"},
}


def convert_mobilevit(state: State) -> State:
    """Name the entries of OpenMMLab's files as ours."""
    return renamed(state, ((r"\.attn\.qkv\.", ".attn.attn.in_proj_"), (r"\.attn\.proj\.", ".attn.attn.out_proj.")))


class MobileViTBlock(nn.Module):
    """A convolution, attention among the pixels that lie 2 rows or columns apart, and a convolution over both maps.

    Paper: Mehta and Rastegari, "MobileViT", ICLR 2022, arXiv:2110.02178, section 3.1 and figure 1 (b).

    Args:
        embed_dims, hidden_dims: width of the tokens, and inside their perceptrons.
        activate_projection: put an activation after `conv_proj`.
    """

    def __init__(
        self,
        channels: int,
        embed_dims: int,
        hidden_dims: int,
        num_layers: int,
        *,
        num_heads: int = 4,
        activate_projection: bool,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        token_norm_cfg = {"type": "LayerNorm"}
        self.local_rep = nn.Sequential(
            ConvNormAct(*conv_norm_act(channels, channels, 3, **layers)),
            ConvNormAct(*conv_norm_act(channels, embed_dims, 1, norm_cfg=None, act_cfg=None)),
        )
        blocks = [
            ViTBlock(
                embed_dims,
                num_heads,
                hidden_dims,
                drop_path=0.0,
                num_fcs=2,
                qkv_bias=True,
                attn_drop=0.0,
                drop=0.0,
                norm_cfg=token_norm_cfg,
                act_cfg=act_cfg,
            )
            for _ in range(num_layers)
        ]
        self.global_rep = nn.ModuleList([*blocks, build_token_norm(embed_dims, token_norm_cfg)])
        projected = conv_norm_act(
            embed_dims, channels, 1, norm_cfg=norm_cfg, act_cfg=act_cfg if activate_projection else None
        )
        self.conv_proj = ConvNormAct(*projected)
        self.conv_fusion = ConvNormAct(*conv_norm_act(2 * channels, channels, 3, **layers))

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        local = self.local_rep(x)  # (N, embed_dims, H, W)
        size = (x.shape[2], x.shape[3])
        even = (size[0] + size[0] % 2, size[1] + size[1] % 2)
        pixels = local if even == size else F.interpolate(local, even, mode="bilinear")
        y = join_quarters(self.attend(split_quarters(pixels)))
        if even != size:
            y = F.interpolate(y, size, mode="bilinear")
        return self.conv_fusion(torch.cat([x, self.conv_proj(y)], dim=1))

    def attend(self, x: Tensor) -> Tensor:  # (N, embed_dims, h, w)
        """Return what the transformer makes of the map's positions."""
        tokens, grid = tokens_of(x), (x.shape[2], x.shape[3])
        *blocks, norm = self.global_rep.children()
        for block in blocks:
            tokens = block(tokens, grid)
        return map_of(norm(tokens), grid)


def split_quarters(x: Tensor) -> Tensor:
    """Return (4 * N, C, h/2, w/2) of (N, C, h, w): its even and odd rows and columns."""
    return F.pixel_unshuffle(x, 2).unflatten(1, (-1, 4)).transpose(1, 2).flatten(0, 1)


def join_quarters(x: Tensor) -> Tensor:
    """Return (N, C, h, w) of what `split_quarters` returns."""
    return F.pixel_shuffle(x.unflatten(0, (-1, 4)).transpose(1, 2).flatten(1, 2), 2)


class MobileViT(nn.Module):
    """Inverted residuals, and from the third of five stages on attention that spans the map.

    Paper: Mehta and Rastegari, "MobileViT: Light-weight, General-purpose, and Mobile-friendly Vision Transformer", ICLR
    2022, arXiv:2110.02178, table 4.

    Args:
        structure_type: names the pretrained weights, a key of `DEFAULT_MODEL_URLS`.
        arch: "small", "x_small" or "xx_small".
        in_channels: of the images.
        stem_channels: of the first convolution.
        last_exp_factor: the last map is widened by so much with a 1x1 convolution.
        out_indices: which of the five stages to return.
        activate_projection: put an activation where attention ends, as the authors do; the pretrained weights come from
            such a network, while SSSegmentation's segmentors were trained without.
        pretrained: load weights, from `pretrained_model_path` or, where that is None or "", fetched.

    Shape:
        (N, in_channels, H, W) to a tuple of maps, at 1/2, 1/4, 1/8, 1/16 and 1/32, rounded up; `out_channels` wide.

    Raises:
        ConfigError: there is no such arch or stage, or the weights do not fit.
    """

    # channels of the stages; expansion of their inverted residuals; width, hidden width and depth of the transformers
    archs = {
        "small": ((32, 64, 96, 128, 160), 4, ((144, 288, 2), (192, 384, 4), (240, 480, 3))),
        "x_small": ((32, 48, 64, 80, 96), 4, ((96, 192, 2), (120, 240, 4), (144, 288, 3))),
        "xx_small": ((16, 24, 48, 64, 80), 2, ((64, 128, 2), (80, 160, 4), (96, 192, 3))),
    }

    def __init__(
        self,
        structure_type: str,
        arch: str = "small",
        in_channels: int = 3,
        stem_channels: int = 16,
        last_exp_factor: int = 4,
        out_indices: Sequence[int] = (0, 1, 2, 3, 4),
        activate_projection: bool = False,
        norm_cfg: Mapping[str, Any] | None = {"type": "SyncBatchNorm"},
        act_cfg: Mapping[str, Any] | None = {"type": "Swish"},
        pretrained: bool = True,
        pretrained_model_path: str | None = "",
    ):
        super().__init__()
        widths, expand_ratio, transformers = one_of("arch", arch, self.archs)
        self.structure_type, self.arch = structure_type, arch
        self.out_indices = indices_below(len(widths), out_indices)
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        self.stem = ConvNormAct(*conv_norm_act(in_channels, stem_channels, 3, stride=2, **layers))
        self.layers = nn.ModuleList()
        inner = stem_channels
        for i, width in enumerate(widths):
            strides = ((1,), (2, 1, 1), (2,), (2,), (2,))[i]
            blocks: list[nn.Module] = []
            for stride in strides:
                blocks.append(
                    InvertedResidual(inner, width, stride=stride, dilation=1, expand_ratio=expand_ratio, **layers)
                )
                inner = width
            if i >= 2:
                blocks.append(
                    MobileViTBlock(width, *transformers[i - 2], activate_projection=activate_projection, **layers)
                )
            self.layers.append(nn.Sequential(*blocks))
        last = last_exp_factor * widths[-1]
        self.conv_1x1_exp = ConvNormAct(*conv_norm_act(widths[-1], last, 1, **layers))
        self.out_channels = tuple((*widths[:-1], last)[i] for i in self.out_indices)
        if pretrained:
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls=DEFAULT_MODEL_URLS,
                built_as=AUTO_ASSERT_STRUCTURE_TYPES,
                convert=convert_mobilevit,
                input_key="stem.conv.weight",
                unused=("head.",),
            )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # (N, C, H, W)
        x = self.stem(x)  # (N, stem_channels, H/2, W/2)
        maps = []
        for stage in self.layers:
            x = stage(x)
            maps.append(x)
        maps[-1] = self.conv_1x1_exp(x)
        return tuple(maps[i] for i in self.out_indices)
