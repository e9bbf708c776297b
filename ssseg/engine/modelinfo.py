"""How large a network is and what it costs, without data, weights or, where it takes that, memory for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from ..modules import BaseSegmentor, BuildSegmentor, SSSegInputStructure
from ..modules.utils.errors import ConfigError
from .backbonecfg import without_pretrained
from .imagechannels import with_image_channels

_TRANSPOSED = {F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d}
_LAYERS = {F.linear, F.conv1d, F.conv2d, F.conv3d, *_TRANSPOSED}


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
        with _MacsOfLayers(model) as layers, FlopCounterMode(display=False) as flops, attention, torch.no_grad():
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
        macs=layers.total,
        total_macs=flops.get_total_flops() // 2,
        maps=tuple(_feature_map(x, h) for x in outputs[-1] if x.ndim == 4),
    )


class _MacsOfLayers(TorchFunctionMode):
    """Counts the multiply-adds of convolutions and linear layers that run; biases are not counted.

    Weights, whole or in part, tell a layer, for some are not called but have their weights read.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        self.total = 0
        self.weights: dict[int, Tensor] = {id(weight): weight for weight in model.parameters()}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if func in _LAYERS:
            x, weight = (args[i] if len(args) > i else kwargs[name] for i, name in enumerate(("input", "weight")))
            if id(weight) in self.weights:
                spread = x if func in _TRANSPOSED else result  # each value of it takes part in one product with each
                self.total += spread.numel() * (weight.numel() // len(weight))  # weight of a filter
        elif self._all_weights([args, kwargs]):
            self.weights |= {id(x): x for x in tree_leaves(result) if isinstance(x, Tensor)}  # held: ids come again
        return result

    def _all_weights(self, arguments: Any) -> bool:
        """Say whether all tensors among the arguments are weights or made of weights alone."""
        tensors = [x for x in tree_leaves(arguments) if isinstance(x, Tensor)]
        return bool(tensors) and all(id(x) in self.weights for x in tensors)


def _feature_map(x: Tensor, image_height: int) -> FeatureMap:
    _, channels, height, width = x.shape
    return FeatureMap(channels, round(image_height / height), height, width)
