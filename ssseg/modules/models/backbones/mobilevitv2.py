from collections.abc import Mapping, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from .bricks import BuildActivation, ConvNormAct, conv_norm_act
from .bricks.transformer import renamed
from .checks import indices_below, one_of
from .mobilenet import InvertedResidual
from .weights import State, load_pretrained

_FOLDER = "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-mvit-weights"
_PUBLISHED = (
    "050-49951ee2 075-b5556ef6 100-e464ef3b 125-0ae35027 150-737c5019 175-16462ee2 200-b3422f67 "
    "150_in22ft1k-0b555d7b 175_in22ft1k-4117fa1f 200_in22ft1k-1d7c8927 "
    "150_384_in22ft1k-9e142854 175_384_in22ft1k-059cbe56 200_384_in22ft1k-32c87503"
)
# timm's copies of Apple's, trained on ImageNet-1k and -22k; Apple's licence for sample code.
DEFAULT_MODEL_URLS = {
    f"mobilevitv2_{name.split('-')[0]}": f"{_FOLDER}/mobilevitv2_{name}.pth" for name in _PUBLISHED.split()
}
_FACTORS = {name: int(name.split("_")[1]) / 100 for name in DEFAULT_MODEL_URLS}
AUTO_ASSERT_STRUCTURE_TYPES = {name: {"width_factor": factor} for name, factor in _FACTORS.items()}


def convert_mobilevitv2(state: State) -> State:
    """Name the entries of timm's files as ours."""
    return renamed(state, ((r"\.conv(\d)_(?:1x1|kxk)\.(?=conv\.|bn\.)", lambda m: f".conv.{int(m[1]) - 1}."),))


class SeparableSelfAttention(nn.Module):
    """One mean over all tokens, by scores of a single learnt query, gates each of them: linear in their number.

    Paper: Mehta and Rastegari, "Separable Self-attention for Mobile Vision Transformers", 2022, arXiv:2206.02680,
    section 3.2 and figure 4 (c).
    """

    def __init__(self, embed_dims: int):
        super().__init__()
        self.embed_dims = embed_dims
        self.qkv_proj = nn.Conv2d(embed_dims, 1 + 2 * embed_dims, 1)
        self.out_proj = nn.Conv2d(embed_dims, embed_dims, 1)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, 4, L)
        scores, keys, values = self.qkv_proj(x).split([1, self.embed_dims, self.embed_dims], dim=1)
        context = (keys * scores.softmax(dim=3)).sum(dim=3, keepdim=True)  # (N, C, 4, 1)
        return self.out_proj(values.relu() * context)


class ConvMLP(nn.Module):
    """A perceptron at each position of a map, of 1x1 convolutions."""

    def __init__(self, channels: int, hidden: int, act_cfg: Mapping[str, Any] | None):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, hidden, 1)
        self.act = BuildActivation(act_cfg)
        self.fc2 = nn.Conv2d(hidden, channels, 1)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, 4, L)
        return self.fc2(self.act(self.fc1(x)))


class SeparableBlock(nn.Module):
    """Separable attention and a perceptron, each after a normalization and added to its input.

    Paper: Mehta and Rastegari, 2022, arXiv:2206.02680, section 3.3.
    """

    def __init__(self, embed_dims: int, act_cfg: Mapping[str, Any] | None):
        super().__init__()
        self.norm1 = nn.GroupNorm(1, embed_dims)
        self.attn = SeparableSelfAttention(embed_dims)
        self.norm2 = nn.GroupNorm(1, embed_dims)
        self.mlp = ConvMLP(embed_dims, 2 * embed_dims, act_cfg)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, 4, L)
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class MobileViTV2Block(nn.Module):
    """A depthwise convolution, and separable attention among the pixels that lie 2 rows or columns apart.

    Paper: Mehta and Rastegari, 2022, arXiv:2206.02680, section 3.3.
    """

    def __init__(
        self,
        channels: int,
        embed_dims: int,
        num_layers: int,
        *,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        local = conv_norm_act(channels, channels, 3, groups=channels, norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.conv_kxk = ConvNormAct(*local)
        self.conv_1x1 = nn.Conv2d(channels, embed_dims, 1, bias=False)
        self.transformer = nn.Sequential(*(SeparableBlock(embed_dims, act_cfg) for _ in range(num_layers)))
        self.norm = nn.GroupNorm(1, embed_dims)
        self.conv_proj = ConvNormAct(*conv_norm_act(embed_dims, channels, 1, norm_cfg=norm_cfg, act_cfg=None))

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        """Return (N, C, H, W), odd heights and widths one larger."""
        even = tuple(size + size % 2 for size in x.shape[2:])
        if x.shape[2:] != even:
            x = F.interpolate(x, even, mode="bilinear", align_corners=True)
        x = F.pixel_unshuffle(self.conv_1x1(self.conv_kxk(x)), 2)  # (N, embed_dims * 4, h/2, w/2)
        tokens = self.norm(self.transformer(x.unflatten(1, (-1, 4)).flatten(3)))  # (N, embed_dims, 4, h/2 * w/2)
        return self.conv_proj(F.pixel_shuffle(tokens.flatten(1, 2).unflatten(2, x.shape[2:]), 2))


class MobileViTV2(nn.Module):
    """MobileViT with attention whose cost is linear in the number of pixels.

    Paper: Mehta and Rastegari, "Separable Self-attention for Mobile Vision Transformers", 2022, arXiv:2206.02680, table
    6.

    Args:
        structure_type: names the pretrained weights, a key of `DEFAULT_MODEL_URLS`.
        arch: a key of `DEFAULT_MODEL_URLS` too, which tells the widths; None means `structure_type`.
        in_channels: of the images.
        out_indices: which of the five stages to return.
        pretrained: load weights, from `pretrained_model_path` or, where that is None or "", fetched.

    Shape:
        (N, in_channels, H, W) to a tuple of maps, at 1/2, 1/4, 1/8, 1/16 and 1/32, rounded up, the last three to even
        heights and widths; `out_channels` wide.

    Raises:
        ConfigError: there is no such arch or stage, or the weights do not fit.
    """

    def __init__(
        self,
        structure_type: str,
        arch: str | None = None,
        in_channels: int = 3,
        out_indices: Sequence[int] = (0, 1, 2, 3, 4),
        norm_cfg: Mapping[str, Any] | None = {"type": "SyncBatchNorm"},
        act_cfg: Mapping[str, Any] | None = {"type": "SiLU"},
        pretrained: bool = True,
        pretrained_model_path: str | None = "",
    ):
        super().__init__()
        self.structure_type = structure_type
        self.width_factor = one_of("arch", arch or structure_type, _FACTORS)
        inner, *widths = (int(width * self.width_factor) for width in (32, 64, 128, 256, 384, 512))
        self.out_indices = indices_below(len(widths), out_indices)
        layers: dict[str, Any] = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        self.stem = ConvNormAct(*conv_norm_act(in_channels, inner, 3, stride=2, **layers))
        self.stages = nn.ModuleList()
        for i, width in enumerate(widths):
            blocks: list[nn.Module] = []
            for stride in ((1,), (2, 1), (2,), (2,), (2,))[i]:
                blocks.append(InvertedResidual(inner, width, stride=stride, dilation=1, expand_ratio=2, **layers))
                inner = width
            if i >= 2:
                blocks.append(MobileViTV2Block(width, width // 2, (2, 4, 3)[i - 2], **layers))
            self.stages.append(nn.Sequential(*blocks))
        self.out_channels = tuple(widths[i] for i in self.out_indices)
        if pretrained:
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls=DEFAULT_MODEL_URLS,
                built_as=AUTO_ASSERT_STRUCTURE_TYPES,
                convert=convert_mobilevitv2,
                input_key="stem.conv.weight",
                unused=("head.",),
            )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # (N, C, H, W)
        x = self.stem(x)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return tuple(maps[i] for i in self.out_indices)
