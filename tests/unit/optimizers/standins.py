"""Models with the names of backbones, as small as can be."""

import torch
from torch import nn


def norm_and_conv():
    return nn.Sequential(nn.LayerNorm(2), nn.Conv2d(2, 2, 1))


class ConvNeXt(nn.Module):
    """The parts of a ConvNeXt of depths 3, 3, 9, 3, as small as can be."""

    def __init__(self):
        super().__init__()
        self.downsample_layers = nn.ModuleList(norm_and_conv() for _ in range(4))
        self.stages = nn.ModuleList(nn.Sequential(*(norm_and_conv() for _ in range(n))) for n in (3, 3, 9, 3))
        self.norm0 = nn.LayerNorm(2)


class BEiT(nn.Module):
    """The parts of a BEiT of three layers."""

    def __init__(self):
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, 2))
        self.pos_embed = nn.Parameter(torch.zeros(1, 3, 2))
        self.patch_embed = nn.Conv2d(3, 2, 1)
        self.layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
        self.ln1 = nn.LayerNorm(2)


class MAE(BEiT):
    """Has the same parts."""
