from torch import Tensor, nn


class HardSigmoid(nn.Module):
    """A straight line clipped to [0, 1]: min(max((x + bias) / divisor, 0), 1).

    Paper: Howard et al., "Searching for MobileNetV3", ICCV 2019, arXiv:1905.02244, section 5.2, whose bias and divisor
    are the defaults.
    """

    def __init__(self, bias: float = 3.0, divisor: float = 6.0):
        super().__init__()
        self.bias, self.divisor = bias, divisor

    def forward(self, x: Tensor) -> Tensor:
        return ((x + self.bias) / self.divisor).clamp(0, 1)
