from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from torch import Tensor, nn

from .bricks import BuildActivation, BuildDropout, BuildNormalization
from .bricks.normalization.grn import GRN
from .checks import one_of
from .convnext import ARCHS, ConvNeXtStages
from .weights import State, load_pretrained

_FOLDER = "https://dl.fbaipublicfiles.com/convnext/convnextv2"
_PUBLISHED = {
    "pt_only": "atto_1k_224_fcmae femto_1k_224_fcmae pico_1k_224_fcmae nano_1k_224_fcmae tiny_1k_224_fcmae "
    "base_1k_224_fcmae large_1k_224_fcmae huge_1k_224_fcmae",
    "im1k": "atto_1k_224_ema femto_1k_224_ema pico_1k_224_ema nano_1k_224_ema tiny_1k_224_ema base_1k_224_ema "
    "large_1k_224_ema huge_1k_224_ema",
    "im22k": "nano_22k_224_ema nano_22k_384_ema tiny_22k_224_ema tiny_22k_384_ema base_22k_224_ema base_22k_384_ema "
    "large_22k_224_ema large_22k_384_ema huge_22k_384_ema huge_22k_512_ema",
}
# The authors', trained on ImageNet without labels (fcmae), on ImageNet-1k and on -22k; CC-BY-NC-4.0.
DEFAULT_MODEL_URLS = {
    f"convnextv2_{name}": f"{_FOLDER}/{folder}/convnextv2_{name}.pt"
    for folder, names in _PUBLISHED.items()
    for name in names.split()
}
AUTO_ASSERT_STRUCTURE_TYPES = {name: {"arch": name.split("_")[1]} for name in DEFAULT_MODEL_URLS}


def convert_convnextv2(state: State) -> State:
    """Give the authors' response normalization, kept as (1, 1, 1, C), the shape (C,) of ours."""
    return {key: value.flatten() if ".grn." in key else value for key, value in state.items()}


class ConvNeXtV2Block(nn.Module):
    """7x7 depthwise convolution and a perceptron with response normalization at each position, added to the input.

    Paper: Woo et al., "ConvNeXt V2", CVPR 2023, arXiv:2301.00808, section 3 and figure 5.

    Args:
        drop_path: probability of leaving a sample out.
    """

    def __init__(
        self, channels: int, drop_path: float, *, norm_cfg: Mapping[str, Any] | None, act_cfg: Mapping[str, Any] | None
    ):
        super().__init__()  # the order of the next lines is that of the entries in published checkpoints
        self.dwconv = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = BuildNormalization(placeholder=channels, norm_cfg=norm_cfg)
        self.pwconv1 = nn.Linear(channels, 4 * channels)
        self.act = BuildActivation(act_cfg)
        self.grn = GRN(4 * channels, data_format="channels_last")
        self.pwconv2 = nn.Linear(4 * channels, channels)
        self.drop_path = BuildDropout({"type": "DropPath", "drop_prob": drop_path})

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        y = self.norm(self.dwconv(x)).permute(0, 2, 3, 1)  # (N, H, W, C)
        y = self.pwconv2(self.grn(self.act(self.pwconv1(y))))
        return x + self.drop_path(y.permute(0, 3, 1, 2))


class ConvNeXtV2(ConvNeXtStages):
    """ConvNeXt with global response normalization instead of a scale, made to be trained by filling in masks.

    Paper: Woo et al., "ConvNeXt V2: Co-designing and Scaling ConvNets with Masked Autoencoders", CVPR 2023,
    arXiv:2301.00808.

    Args:
        structure_type: names the pretrained weights, a key of `DEFAULT_MODEL_URLS`.
        arch: a key of `convnext.ARCHS`.
        in_channels: of the images.
        drop_path_rate: of the last block; it rises linearly from 0 at the first.
        out_indices: which of the four stages to return; negative ones count from the end.
        norm_cfg: any normalization of maps (N, C, H, W).
        pretrained: load weights, from `pretrained_model_path` or, where that is None or "", fetched.

    Shape:
        (N, in_channels, H, W) to a tuple of maps, at 1/4, 1/8, 1/16 and 1/32, rounded down; `out_channels` are their
        widths.

    Raises:
        ConfigError: there is no such arch or stage, or the weights do not fit.
        ShapeError: an image is smaller than a pixel of the last map.
    """

    def __init__(
        self,
        structure_type: str,
        arch: str = "tiny",
        in_channels: int = 3,
        drop_path_rate: float = 0.0,
        out_indices: Sequence[int] = (0, 1, 2, 3),
        norm_cfg: Mapping[str, Any] | None = {"type": "LayerNormConvNeXtV2", "eps": 1e-6},
        act_cfg: Mapping[str, Any] | None = {"type": "GELU"},
        pretrained: bool = True,
        pretrained_model_path: str | None = "",
    ):
        num_blocks, width = one_of("arch", arch, ARCHS)
        if norm_cfg is not None and norm_cfg.get("type") == "LayerNormConvNeXtV2":
            norm_cfg = {**norm_cfg, "data_format": "channels_first"}
        super().__init__(
            in_channels,
            num_blocks,
            width,
            patch_size=4,
            drop_path_rate=drop_path_rate,
            out_indices=out_indices,
            block=partial(ConvNeXtV2Block, norm_cfg=norm_cfg, act_cfg=act_cfg),
            norm_cfg=norm_cfg,
        )
        self.structure_type, self.arch = structure_type, arch
        if pretrained:
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls=DEFAULT_MODEL_URLS,
                built_as=AUTO_ASSERT_STRUCTURE_TYPES,
                convert=convert_convnextv2,
                input_key="downsample_layers.0.0.weight",
                unused=("norm.", "head."),  # the classifier's
                new=("norm0.", "norm1.", "norm2.", "norm3."),
            )
