"""The global random generators, and seeds made of positions."""

import random

import numpy as np
import torch

_MASK = (1 << 64) - 1


def setrandomseed(seed: int) -> None:
    """Seed Python's, NumPy's and torch's (CPU and GPU) global generators with `seed`, in [0, 2**32)."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def mixed_seed(*parts: int) -> int:
    """Return 64 well-mixed bits of the integers `parts`: positions next to one another get unrelated seeds.

    Source: the output function of SplitMix64, Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
    Generators", OOPSLA 2014, applied after each part.
    """
    state = 0
    for part in parts:
        state = (state + (part & _MASK) + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state


def seed_generators(*parts: int) -> None:
    """Seed all global generators with a mix of `parts`; some ten times faster than `setrandomseed`.

    What is drawn next is then a function of the parts alone: a sample of (seed, epoch, index), a training step of
    (seed, iteration, rank). So nothing about generators has to be saved, and no number of workers changes a run.
    """
    seed = mixed_seed(*parts)
    random.seed(mixed_seed(seed, 1))
    np.random.seed([seed & 0xFFFFFFFF, seed >> 32])
    torch_seed = mixed_seed(seed, 2)
    torch.default_generator.manual_seed(torch_seed)  # torch.manual_seed would visit every kind of device: 230 us
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed(torch_seed)
