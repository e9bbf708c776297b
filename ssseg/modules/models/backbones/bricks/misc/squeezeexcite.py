from collections import OrderedDict

from torch import Tensor, nn

from ..activation import BuildActivation
from .divisible import makedivisible


class SqueezeExcite(nn.Module):
    """Scales each channel by a gate in [0, 1] that depends on the averages of all channels.

    Papers: Hu et al., "Squeeze-and-Excitation Networks", CVPR 2018, arXiv:1709.01507, section 3; with hard sigmoid and
    a quarter of the channels inside: Howard et al., "Searching for MobileNetV3", ICCV 2019, arXiv:1905.02244, section
    5.3.
    """

    def __init__(self, channels: int, ratio: int = 4):
        super().__init__()
        squeezed = makedivisible(channels // ratio, 8)
        self.conv1 = _conv_act(channels, squeezed, "ReLU")
        self.conv2 = _conv_act(squeezed, channels, "HardSigmoid")

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        return x * self.conv2(self.conv1(x.mean(dim=(2, 3), keepdim=True)))


def _conv_act(in_channels: int, out_channels: int, act: str) -> nn.Sequential:
    layers = (("conv", nn.Conv2d(in_channels, out_channels, 1)), ("activate", BuildActivation({"type": act})))
    return nn.Sequential(OrderedDict(layers))
