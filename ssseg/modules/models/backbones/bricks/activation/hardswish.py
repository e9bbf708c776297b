from torch import nn


class HardSwish(nn.Hardswish):
    """x * relu6(x + 3) / 6.

    Paper: Howard et al., "Searching for MobileNetV3", ICCV 2019, arXiv:1905.02244, section 5.2.
    """
