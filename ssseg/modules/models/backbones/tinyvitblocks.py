"""What MobileSAMTinyViT is made of."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .bricks import BuildActivation, BuildDropout
from .bricks.convolution.convbn import ConvBN
from .bricks.transformer import attend_in_windows, join_windows, map_of, pad_to_fit, run_block, split_windows, tokens_of

Cfg = Mapping[str, Any] | None


class TinyViTStem(nn.Module):
    """Two convolutions that make a map of a quarter of the size."""

    def __init__(self, in_channels: int, out_channels: int, norm_cfg: Cfg, act_cfg: Cfg):
        super().__init__()
        half = out_channels // 2
        self.seq = nn.Sequential(
            ConvBN(in_channels, half, 3, stride=2, norm_cfg=norm_cfg),
            BuildActivation(act_cfg),
            ConvBN(half, out_channels, 3, stride=2, norm_cfg=norm_cfg),
        )

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        return self.seq(x)


class MBConv(nn.Module):
    """Inverted residual: wider, a depthwise convolution, narrower again, added to the input.

    Paper: Sandler et al., "MobileNetV2", CVPR 2018, arXiv:1801.04381, section 3.3.
    """

    def __init__(self, channels: int, expand_ratio: float, drop_path: float, norm_cfg: Cfg, act_cfg: Cfg):
        super().__init__()
        inside = int(channels * expand_ratio)
        self.conv1 = ConvBN(channels, inside, norm_cfg=norm_cfg)
        self.conv2 = ConvBN(inside, inside, 3, groups=inside, norm_cfg=norm_cfg)
        self.conv3 = ConvBN(inside, channels, norm_cfg=norm_cfg)
        self.act = BuildActivation(act_cfg)
        self.drop_path = BuildDropout({"type": "DropPath", "drop_prob": drop_path})

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        return self.act(x + self.drop_path(self.conv3(self.act(self.conv2(self.act(self.conv1(x)))))))


class TinyViTMerging(nn.Module):
    """Three convolutions, the depthwise one of which has `stride`, that change the width."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, norm_cfg: Cfg, act_cfg: Cfg):
        super().__init__()
        self.conv1 = ConvBN(in_channels, out_channels, norm_cfg=norm_cfg)
        self.conv2 = ConvBN(out_channels, out_channels, 3, stride=stride, groups=out_channels, norm_cfg=norm_cfg)
        self.conv3 = ConvBN(out_channels, out_channels, norm_cfg=norm_cfg)
        self.act = BuildActivation(act_cfg)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        return self.conv3(self.act(self.conv2(self.act(self.conv1(x)))))


class BiasedAttention(nn.Module):
    """Attention in each window, with a learnt bias for each distance, whatever its direction.

    Paper: Graham et al., "LeViT", ICCV 2021, arXiv:2104.01136, section 4.2.
    """

    def __init__(self, channels: int, num_heads: int, window_size: int):
        super().__init__()
        self.num_heads, self.window_size = num_heads, window_size
        self.attention_biases = nn.Parameter(torch.zeros(num_heads, window_size**2))
        self.norm = nn.LayerNorm(channels)
        self.proj = nn.Linear(channels, channels)
        self.qkv = nn.Linear(channels, 3 * channels)

    def forward(self, windows: Tensor) -> Tensor:  # (N, windows, L, C)
        qkv = self.qkv(self.norm(windows)).unflatten(3, (self.num_heads, 3, -1))  # the parts of a head stand together
        qkv = qkv.transpose(3, 4).flatten(3)
        return self.proj(attend_in_windows(qkv, self.num_heads, self.bias()[None]))

    def bias(self) -> Tensor:
        """Return what is added for each pair of places, (heads, L, L). It is made anew, so that it is never stale."""
        places = torch.arange(self.window_size, device=self.attention_biases.device)
        away = (places[:, None] - places).abs()  # (s, s)
        index = away[:, None, :, None] * self.window_size + away[None, :, None, :]  # (y, x, y', x')
        return self.attention_biases[:, index.flatten(2).flatten(0, 1)]


class TinyViTMLP(nn.Module):
    """Normalization and two linear layers with an activation between them, at each token."""

    def __init__(self, channels: int, hidden_channels: int, drop: float, act_cfg: Cfg):
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.fc1 = nn.Linear(channels, hidden_channels)
        self.fc2 = nn.Linear(hidden_channels, channels)
        self.act, self.drop = BuildActivation(act_cfg), nn.Dropout(drop)

    def forward(self, x: Tensor) -> Tensor:  # (..., channels)
        return self.drop(self.fc2(self.drop(self.act(self.fc1(self.norm(x))))))


class TinyViTBlock(nn.Module):
    """Attention in windows, a depthwise convolution and a perceptron.

    Paper: Wu et al., "TinyViT", ECCV 2022, arXiv:2207.10666, section 3.2.
    """

    def __init__(
        self,
        channels: int,
        num_heads: int,
        window_size: int,
        mlp_ratio: float,
        local_conv_size: int,
        drop: float,
        drop_path: float,
        norm_cfg: Cfg,
        act_cfg: Cfg,
    ):
        super().__init__()
        self.window_size = window_size
        self.attn = BiasedAttention(channels, num_heads, window_size)
        self.drop_path = BuildDropout({"type": "DropPath", "drop_prob": drop_path})
        self.mlp = TinyViTMLP(channels, int(channels * mlp_ratio), drop, act_cfg)
        self.local_conv = ConvBN(channels, channels, local_conv_size, groups=channels, norm_cfg=norm_cfg)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        height, width = size = (x.shape[2], x.shape[3])
        padded = pad_to_fit(x, self.window_size, self.window_size)
        windows = self.attn(split_windows(padded, self.window_size))
        attended = join_windows(windows, (padded.shape[2], padded.shape[3]))[:, :, :height, :width]
        x = self.local_conv(x + self.drop_path(attended))
        return x + map_of(self.drop_path(self.mlp(tokens_of(x))), size)


class TinyViTStage(nn.Module):
    """Blocks, and what changes their map for the next stage; that is None in the last one."""

    def __init__(self, blocks: list[nn.Module], downsample: TinyViTMerging | None, use_checkpoint: bool):
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.downsample = downsample
        self.use_checkpoint = use_checkpoint

    def forward(self, x: Tensor) -> Tensor:  # (N, C, h, w)
        for block in self.blocks:
            x = run_block(block, x, use_checkpoint=self.use_checkpoint)
        return x if self.downsample is None else self.downsample(x)
