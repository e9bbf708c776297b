"""What fits nowhere else."""

from .divisible import makedivisible
from .resize import resize_like
from .squeezeexcite import SqueezeExcite
