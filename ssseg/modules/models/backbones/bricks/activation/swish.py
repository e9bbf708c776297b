from torch import nn


class Swish(nn.SiLU):
    """x * sigmoid(x).

    Paper: Ramachandran et al., "Searching for Activation Functions", 2017, arXiv:1710.05941.
    """
