"""Fully convolutional networks."""

from .depthwiseseparablefcn import DepthwiseSeparableFCN
from .fcn import FCN
