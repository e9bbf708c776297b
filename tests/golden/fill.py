"""Deterministic weights and inputs for the golden cases.

The golden files hold what a reference implementation computed for weights and
inputs that are functions of their *names* alone, so no weight file has to be
stored. Needs numpy and torch only.

Rule, for each state-dict entry in its own key's random stream:

* integer and bool tensors stay as the module built them;
* ``running_var``              uniform in [0.5, 1.5);
* two or more dimensions      normal, scaled by 1/sqrt(fan_in), fan_in = numel / shape[0]
                               (scaled by 1/sqrt(numel) where shape[0] == 1);
* one dimension, key ends in ``weight``   1 + 0.1 * normal;
* everything else             0.1 * normal.
"""

import zlib

import numpy as np
import torch


def stream(name: str) -> np.random.RandomState:
    """The random stream that belongs to `name` (stable across NumPy versions)."""
    return np.random.RandomState(zlib.crc32(name.encode()) & 0x7FFFFFFF)


def fill_tensor(name: str, like: torch.Tensor) -> torch.Tensor:
    """The golden value of the state-dict entry `name`, shaped like `like`."""
    if not like.is_floating_point():
        return like.clone()
    rng, shape = stream(name), tuple(like.shape)
    if name.endswith("running_var"):
        value = rng.uniform(0.5, 1.5, size=shape)
    elif like.ndim >= 2:
        fan_in = like.numel() / shape[0] if shape[0] > 1 else like.numel()
        value = rng.standard_normal(size=shape) / np.sqrt(fan_in)
    elif name.endswith("weight"):
        value = 1 + 0.1 * rng.standard_normal(size=shape)
    else:
        value = 0.1 * rng.standard_normal(size=shape)
    return torch.from_numpy(np.asarray(value)).to(like.dtype)


def fill(module: torch.nn.Module) -> None:
    """Give every entry of `module`'s state dict its golden value, in place."""
    state = module.state_dict()
    module.load_state_dict({key: fill_tensor(key, value) for key, value in state.items()})


def golden_input(case: str, shape: tuple[int, ...]) -> torch.Tensor:
    """The golden float32 input of `case`: standard normal values."""
    return torch.from_numpy(stream("input:" + case).standard_normal(size=shape)).float()


def golden_labels(case: str, shape: tuple[int, ...], num_classes: int, ignore_index: int | None = 255) -> torch.Tensor:
    """The golden int64 label map of `case`: blocks of 8x8 pixels, one block in ten ignored."""
    rng = stream("labels:" + case)
    n, h, w = shape
    blocks = rng.randint(0, num_classes, size=(n, -(-h // 8), -(-w // 8)))
    if ignore_index is not None:
        blocks[rng.uniform(size=blocks.shape) < 0.1] = ignore_index
    return torch.from_numpy(blocks.repeat(8, axis=1).repeat(8, axis=2)[:, :h, :w].astype(np.int64))
