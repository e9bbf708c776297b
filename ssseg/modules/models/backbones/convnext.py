from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ...utils.errors import ShapeError
from .bricks import BuildActivation, BuildDropout, BuildNormalization
from .bricks.normalization.grn import GRN
from .checks import indices_below, one_of
from .weights import load_pretrained

_FOLDER = "https://download.openmmlab.com/mmclassification/v0/convnext/downstream"
# OpenMMLab's copies of the authors', trained on ImageNet-1k and -21k; Apache-2.0.
DEFAULT_MODEL_URLS = {
    "convnext_tiny": f"{_FOLDER}/convnext-tiny_3rdparty_32xb128-noema_in1k_20220301-795e9634.pth",
    "convnext_small": f"{_FOLDER}/convnext-small_3rdparty_32xb128-noema_in1k_20220301-303e75e3.pth",
    "convnext_base": f"{_FOLDER}/convnext-base_3rdparty_32xb128-noema_in1k_20220301-2a0ee547.pth",
    "convnext_base_21k": f"{_FOLDER}/convnext-base_3rdparty_in21k_20220301-262fd037.pth",
    "convnext_large_21k": f"{_FOLDER}/convnext-large_3rdparty_in21k_20220301-e6e0ea0a.pth",
    "convnext_xlarge_21k": f"{_FOLDER}/convnext-xlarge_3rdparty_in21k_20220301-08aa5ddc.pth",
}
AUTO_ASSERT_STRUCTURE_TYPES = {name: {"arch": name.split("_")[1]} for name in DEFAULT_MODEL_URLS}

# blocks in the four stages, and width of the first; each stage is twice as wide as the one before
ARCHS = {
    "atto": ((2, 2, 6, 2), 40),
    "femto": ((2, 2, 6, 2), 48),
    "pico": ((2, 2, 6, 2), 64),
    "nano": ((2, 2, 8, 2), 80),
    "tiny": ((3, 3, 9, 3), 96),
    "small": ((3, 3, 27, 3), 96),
    "base": ((3, 3, 27, 3), 128),
    "large": ((3, 3, 27, 3), 192),
    "xlarge": ((3, 3, 27, 3), 256),
    "huge": ((3, 3, 27, 3), 352),
}


class ConvNeXtBlock(nn.Module):
    """7x7 depthwise convolution and a perceptron at each position, scaled a channel and added to the input.

    Paper: Liu et al., "A ConvNet for the 2020s", CVPR 2022, arXiv:2201.03545, figure 4; response normalization: Woo et
    al., "ConvNeXt V2", CVPR 2023, arXiv:2301.00808, section 3.

    Args:
        drop_path: probability of leaving a sample out.
        layer_scale: first value of the scale; 0 or less leaves it out.
        linear: compute the perceptron by nn.Linear on (N, H, W, C) instead of by 1x1 convolutions; as exact, faster.
    """

    def __init__(
        self,
        channels: int,
        drop_path: float,
        *,
        layer_scale: float,
        linear: bool,
        use_grn: bool,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()  # the order of the next lines is that of the entries in published checkpoints
        self.linear = linear
        pointwise = nn.Linear if linear else partial(nn.Conv2d, kernel_size=1)
        hidden = 4 * channels
        self.gamma = nn.Parameter(torch.full((channels,), float(layer_scale))) if layer_scale > 0 else None
        self.depthwise_conv = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = BuildNormalization(placeholder=channels, norm_cfg=norm_cfg)
        self.pointwise_conv1 = pointwise(channels, hidden)
        self.act = BuildActivation(act_cfg)
        self.pointwise_conv2 = pointwise(hidden, channels)
        self.grn = (
            GRN(hidden, data_format="channels_last" if linear else "channels_first") if use_grn else nn.Identity()
        )
        self.drop_path = BuildDropout({"type": "DropPath", "drop_prob": drop_path})

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        y = self.norm(self.depthwise_conv(x))
        if self.linear:
            y = y.permute(0, 2, 3, 1)
        y = self.pointwise_conv2(self.grn(self.act(self.pointwise_conv1(y))))
        if self.linear:
            y = y.permute(0, 3, 1, 2)
        if self.gamma is not None:
            y = y * self.gamma[:, None, None]
        return x + self.drop_path(y)


class ConvNeXtStages(nn.Module):
    """What ConvNeXt and ConvNeXtV2 share: four stages of blocks, strided convolutions before, normalized outputs.

    Args:
        num_blocks, width: see `ARCHS`.
        patch_size: stride of the first convolution; the other three have stride 2.
        drop_path_rate: of the last block; it rises linearly from 0 at the first.
        block: called with channels and drop path.
        norm_cfg: of everything outside the blocks.
        out_indices: which stages to return; negative ones count from the end.
    """

    def __init__(
        self,
        in_channels: int,
        num_blocks: Sequence[int],
        width: int,
        *,
        patch_size: int,
        drop_path_rate: float,
        out_indices: Sequence[int],
        block: Callable[[int, float], nn.Module],
        norm_cfg: Mapping[str, Any] | None,
    ):
        super().__init__()
        self.out_indices = indices_below(4, [i + 4 if -4 <= i < 0 else i for i in out_indices])
        rates = iter(torch.linspace(0, drop_path_rate, sum(num_blocks), device="cpu").tolist())
        self.downsample_layers, self.stages = nn.ModuleList(), nn.ModuleList()
        widths = [width * 2**i for i in range(4)]
        for i, (channels, depth) in enumerate(zip(widths, num_blocks, strict=True)):
            layers = (
                [
                    nn.Conv2d(in_channels, channels, patch_size, stride=patch_size),
                    BuildNormalization(placeholder=channels, norm_cfg=norm_cfg),
                ]
                if i == 0
                else [
                    BuildNormalization(placeholder=widths[i - 1], norm_cfg=norm_cfg),
                    nn.Conv2d(widths[i - 1], channels, 2, stride=2),
                ]
            )
            self.downsample_layers.append(nn.Sequential(*layers))
            self.stages.append(nn.Sequential(*(block(channels, next(rates)) for _ in range(depth))))
            if i in self.out_indices:
                self.add_module(f"norm{i}", BuildNormalization(placeholder=channels, norm_cfg=norm_cfg))
        self.out_channels = tuple(widths[i] for i in self.out_indices)
        self.least = 8 * patch_size

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # (N, C, H, W)
        height, width = x.shape[2:]
        if height < self.least or width < self.least:
            raise ShapeError(
                f"{type(self).__name__}: the images are {height} x {width} pixels; this one needs at least "
                f"{self.least} x {self.least}, because its last map is {self.least} times smaller."
            )
        maps = {}
        for i, (downsample, stage) in enumerate(zip(self.downsample_layers, self.stages, strict=True)):
            x = stage(downsample(x))
            if i in self.out_indices:
                maps[i] = self.output(x, getattr(self, f"norm{i}"))
        return tuple(maps[i] for i in self.out_indices)

    def output(self, x: Tensor, norm: nn.Module) -> Tensor:
        """Return what leaves the network of a stage's map (N, C, H, W)."""
        return norm(x)


class ConvNeXt(ConvNeXtStages):
    """A convolutional network with the proportions of a vision transformer.

    Paper: Liu et al., "A ConvNet for the 2020s", CVPR 2022, arXiv:2201.03545.

    Args:
        structure_type: names the pretrained weights, a key of `DEFAULT_MODEL_URLS`.
        arch: a key of `ARCHS`.
        in_channels: of the images.
        stem_patch_size: image size / size of the first map.
        linear_pw_conv, layer_scale_init_value, use_grn: see `ConvNeXtBlock`.
        drop_path_rate: of the last block; it rises linearly from 0 at the first.
        out_indices: which of the four stages to return; negative ones count from the end.
        gap_before_final_norm: return vectors, the averages of the maps, as a classifier wants them.
        pretrained: load weights, from `pretrained_model_path` or, where that is None or "", fetched.

    Shape:
        (N, in_channels, H, W) to a tuple of maps, at 1/4, 1/8, 1/16 and 1/32, rounded down, or vectors; `out_channels`
        are their widths.

    Raises:
        ConfigError: there is no such arch or stage, or the weights do not fit.
        ShapeError: an image is smaller than a pixel of the last map.
    """

    def __init__(
        self,
        structure_type: str,
        arch: str = "tiny",
        in_channels: int = 3,
        stem_patch_size: int = 4,
        norm_cfg: Mapping[str, Any] | None = {"type": "LayerNorm2d", "eps": 1e-6},
        act_cfg: Mapping[str, Any] | None = {"type": "GELU"},
        linear_pw_conv: bool = True,
        use_grn: bool = False,
        drop_path_rate: float = 0.0,
        layer_scale_init_value: float = 1e-6,
        out_indices: Sequence[int] = (0, 1, 2, 3),
        gap_before_final_norm: bool = True,
        pretrained: bool = True,
        pretrained_model_path: str | None = "",
    ):
        num_blocks, width = one_of("arch", arch, ARCHS)
        super().__init__(
            in_channels,
            num_blocks,
            width,
            patch_size=stem_patch_size,
            drop_path_rate=drop_path_rate,
            out_indices=out_indices,
            block=partial(
                ConvNeXtBlock,
                layer_scale=layer_scale_init_value,
                linear=linear_pw_conv,
                use_grn=use_grn,
                norm_cfg=norm_cfg,
                act_cfg=act_cfg,
            ),
            norm_cfg=norm_cfg,
        )
        self.structure_type, self.arch, self.averages = structure_type, arch, gap_before_final_norm
        if pretrained:
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls=DEFAULT_MODEL_URLS,
                built_as=AUTO_ASSERT_STRUCTURE_TYPES,
                input_key="downsample_layers.0.0.weight",
                unused=("norm3.",),  # there where the last stage is not returned
                new=("norm0.", "norm1.", "norm2.", "norm3."),  # a classifier normalizes the last stage at most
            )

    def output(self, x: Tensor, norm: nn.Module) -> Tensor:
        return norm(x.mean(dim=(2, 3), keepdim=True)).flatten(1) if self.averages else norm(x)
