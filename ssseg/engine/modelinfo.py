"""How large a network is and what it costs, without data, weights or, where it takes that, memory for them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.modules.conv import _ConvNd
from torch.utils.flop_counter import FlopCounterMode

from ..modules import BaseSegmentor, BuildSegmentor, SSSegInputStructure
from ..modules.utils.errors import ConfigError
from .backbonecfg import without_pretrained
from .imagechannels import with_image_channels


@dataclass(frozen=True)
class FeatureMap:
    """A map (N, channels, height, width) that a backbone returns; it is `stride` times smaller than the images."""

    channels: int
    stride: int
    height: int
    width: int


@dataclass(frozen=True)
class ModelInfo:
    """What a network holds, and what one pass over `input_shape` in eval mode costs.

    Args:
        parameters, trainable: numbers of values; running averages are none.
        macs: multiply-adds of convolutions and linear layers, over the whole batch.
        total_macs: those and the ones of all other matrix products, as in attention. Sums of products that are
            written elementwise are not in it.
        maps: of the backbone.
    """

    input_shape: tuple[int, int, int, int]
    parameters: int
    trainable: int
    macs: int
    total_macs: int
    maps: tuple[FeatureMap, ...]


def describe(model: Mapping[str, Any] | nn.Module, input_shape: Sequence[int]) -> ModelInfo:
    """Return size and cost of a network.

    Args:
        model: `SEGMENTOR_CFG`, which is built without pretrained weights; or a segmentor or backbone, which is run
            where it is and left in the mode that it is in.
        input_shape: (N, C, H, W).

    Raises:
        ConfigError: the cfg does not fit, or the network does not run on such images.
    """
    if len(input_shape) != 4 or min(input_shape) < 1:
        raise ConfigError(f"input_shape={tuple(input_shape)}: must be four numbers from 1 on, (N, C, H, W)")
    if isinstance(model, nn.Module):
        return _measure(model, input_shape)
    cfg = with_image_channels(without_pretrained(model))
    try:
        with torch.device("meta"):  # shapes without values: no memory, no arithmetic
            return _measure(BuildSegmentor(cfg, "TEST"), input_shape)
    except (RuntimeError, _RunError):  # what it does may depend on values
        return _measure(BuildSegmentor(cfg, "TEST"), input_shape)


class _RunError(ConfigError):
    """The network is built, but does not run."""


def _measure(model: nn.Module, input_shape: Sequence[int]) -> ModelInfo:
    images = torch.zeros(*input_shape, device=next(model.parameters()).device)
    backbone: nn.Module = model
    sample: Any = images
    if isinstance(model, BaseSegmentor):
        backbone, sample = model.backbone_net, SSSegInputStructure(mode="TEST", images=images)
    outputs: list[Any] = []
    hook = backbone.register_forward_hook(lambda module, args, result: outputs.append(result))
    training = model.training
    try:
        attention = sdpa_kernel(SDPBackend.MATH)  # as matrix products, which are counted on any device
        with _macs_of_layers(model) as counts, FlopCounterMode(display=False) as flops, attention, torch.no_grad():
            model.eval()(sample)
    except (RuntimeError, ValueError) as error:
        name, shape = type(model).__name__, " x ".join(map(str, input_shape))
        raise _RunError(f"{name} does not run on images of {shape}: {error}") from error
    finally:
        hook.remove()
        model.train(training)
    n, c, h, w = input_shape
    return ModelInfo(
        input_shape=(n, c, h, w),
        parameters=sum(p.numel() for p in model.parameters()),
        trainable=sum(p.numel() for p in model.parameters() if p.requires_grad),
        macs=sum(counts),
        total_macs=flops.get_total_flops() // 2,
        maps=tuple(_feature_map(x, h) for x in outputs[-1] if x.ndim == 4),
    )


@contextmanager
def _macs_of_layers(model: nn.Module) -> Iterator[list[int]]:
    """Collect the multiply-adds of each convolution and linear layer that runs; biases are not counted."""
    counts: list[int] = []

    def count(layer: Any, args: tuple[Tensor, ...], output: Tensor) -> None:
        spread = args[0] if getattr(layer, "transposed", False) else output  # each value of it takes part in one
        counts.append(spread.numel() * layer.weight[0].numel())  # product with each weight of a filter

    layers = [layer for layer in model.modules() if isinstance(layer, _ConvNd | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        yield counts
    finally:
        for hook in hooks:
            hook.remove()


def _feature_map(x: Tensor, image_height: int) -> FeatureMap:
    _, channels, height, width = x.shape
    return FeatureMap(channels, round(image_height / height), height, width)
