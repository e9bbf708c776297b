"""What fits nowhere else."""

from .divisible import makedivisible
from .squeezeexcite import SqueezeExcite
