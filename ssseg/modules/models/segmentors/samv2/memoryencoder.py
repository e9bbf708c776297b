import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ....utils.errors import ConfigError, call_with
from ...backbones.bricks import BuildActivation, BuildDropout
from ...backbones.bricks.normalization.layernorm import LayerNorm2d
from ...backbones.hierafpn import build_sine_positions

_WHERE = "SEGMENTOR_CFG['head']['memory_encoder_cfg']"


class MaskDownsampler(nn.Module):
    """Brings a mask to the grid of the image's features by convolutions.

    Paper: Ravi et al., "SAM 2", arXiv:2408.00714, appendix D.1, memory encoder.

    Args:
        stride, total_stride: of each convolution and of all; the second is a power of the first.
    """

    def __init__(
        self,
        embed_dim: int = 256,
        kernel_size: int = 4,
        stride: int = 4,
        padding: int = 0,
        total_stride: int = 16,
        act_cfg: Mapping[str, Any] | None = {"type": "GELU"},
    ):
        super().__init__()
        count = round(math.log(total_stride, stride)) if stride > 1 else 0
        if stride**count != total_stride:
            raise ConfigError(
                f"{_WHERE}['mask_downsampler_cfg']['stride']: is {stride}, but total_stride={total_stride} must be a "
                "power of it."
            )
        self.encoder, channels = nn.Sequential(), 1
        for _ in range(count):
            self.encoder.append(nn.Conv2d(channels, channels * stride**2, kernel_size, stride, padding))
            channels *= stride**2
            self.encoder.append(LayerNorm2d(channels, eps=1e-6))
            self.encoder.append(BuildActivation(act_cfg))
        self.encoder.append(nn.Conv2d(channels, embed_dim, 1))

    def forward(self, x: Tensor) -> Tensor:  # (N, 1, H, W)
        return self.encoder(x)  # (N, embed_dim, H / total_stride, W / total_stride)


class CXBlock(nn.Module):
    """A block of ConvNeXt: a wide convolution in space, a perceptron at each place, added to the input.

    Paper: Liu et al., "A ConvNet for the 2020s", CVPR 2022, arXiv:2201.03545, figure 4.

    Args:
        layer_scale_init_value: the factor of what is added begins with; 0 means that there is none.
        use_dwconv: convolve each channel by itself.
    """

    def __init__(
        self,
        dim: int,
        kernel_size: int = 7,
        padding: int = 3,
        drop_path: float = 0.0,
        layer_scale_init_value: float = 1e-6,
        use_dwconv: bool = True,
    ):
        super().__init__()
        self.dwconv = nn.Conv2d(dim, dim, kernel_size, padding=padding, groups=dim if use_dwconv else 1)
        self.norm = LayerNorm2d(dim, eps=1e-6)
        self.pwconv1 = nn.Linear(dim, 4 * dim)
        self.act = nn.GELU()
        self.pwconv2 = nn.Linear(4 * dim, dim)
        self.gamma = nn.Parameter(torch.full((dim,), layer_scale_init_value)) if layer_scale_init_value else None
        self.drop_path = BuildDropout({"type": "DropPath", "drop_prob": drop_path})

    def forward(self, x: Tensor) -> Tensor:  # (N, dim, h, w)
        y = self.norm(self.dwconv(x)).permute(0, 2, 3, 1)
        y = self.pwconv2(self.act(self.pwconv1(y)))
        y = y if self.gamma is None else self.gamma * y
        return x + self.drop_path(y.permute(0, 3, 1, 2))


class Fuser(nn.Module):
    """Blocks that mix image and mask."""

    def __init__(self, num_layers: int, layer_cfg: Mapping[str, Any]):
        super().__init__()
        where = f"{_WHERE}['fuser_cfg']['layer_cfg']"
        self.layers = nn.ModuleList(call_with(CXBlock, layer_cfg, where=where) for _ in range(num_layers))

    def forward(self, x: Tensor) -> Tensor:  # (N, dim, h, w)
        for layer in self.layers:
            x = layer(x)
        return x


class MemoryEncoder(nn.Module):
    """Turns a frame's features and an object's mask into what is remembered of the object on that frame.

    Paper: Ravi et al., "SAM 2", arXiv:2408.00714, section 4 and appendix D.1.

    Args:
        out_dim: channels of a memory.
        in_dim: channels of the image's features.
        mask_downsampler_cfg, fuser_cfg, position_encoding_cfg: the fields of `MaskDownsampler`, `Fuser` and
            `SinePositions`.
    """

    def __init__(
        self,
        out_dim: int,
        mask_downsampler_cfg: Mapping[str, Any],
        fuser_cfg: Mapping[str, Any],
        position_encoding_cfg: Mapping[str, Any],
        in_dim: int = 256,
    ):
        super().__init__()
        self.mask_downsampler: MaskDownsampler = call_with(
            MaskDownsampler, mask_downsampler_cfg, where=f"{_WHERE}['mask_downsampler_cfg']"
        )
        self.pix_feat_proj = nn.Conv2d(in_dim, in_dim, 1)
        self.fuser: Fuser = call_with(Fuser, fuser_cfg, where=f"{_WHERE}['fuser_cfg']")
        self.position_encoding = build_sine_positions(position_encoding_cfg, f"{_WHERE}['position_encoding_cfg']")
        self.out_proj = nn.Conv2d(in_dim, out_dim, 1) if out_dim != in_dim else nn.Identity()

    def forward(self, features: Tensor, masks: Tensor) -> Tensor:
        """Return memories (N, out_dim, h, w).

        Args:
            features: (N, in_dim, h, w), of the image.
            masks: (N, 1, H, W), the object's, at the size of the network's input.
        """
        return self.out_proj(self.fuser(self.pix_feat_proj(features) + self.mask_downsampler(masks)))
