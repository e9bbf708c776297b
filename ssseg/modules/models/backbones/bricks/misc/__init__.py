"""What fits nowhere else."""

from .divisible import makedivisible
