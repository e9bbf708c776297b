"""Learning rates that fall towards the input of a pretrained backbone."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from ...utils.errors import ConfigError, call_with, listed
from .groups import WHERE, group_of, require_number, unwrapped

_WHERE = f"{WHERE}['params_rules']"


@dataclass(frozen=True)
class LayerDecay:
    """The fields of `params_rules` beside `type`.

    Args:
        num_layers: of the backbone; ids run from 0 (the embedding) to num_layers + 1 (everything after it).
        decay_rate: in (0, 1]; a layer's rate is the next one's times this.
        decay_type: `layer_wise` (`layer_wise_vit` means the same) or `stage_wise`.
    """

    num_layers: int
    decay_rate: float
    decay_type: str = "layer_wise"

    def __post_init__(self) -> None:
        if not isinstance(self.num_layers, int) or self.num_layers < 1:
            raise ConfigError(f"{_WHERE}['num_layers']={self.num_layers!r} must be a positive integer")
        require_number(self.decay_rate, f"{_WHERE}['decay_rate']")
        if not 0 < self.decay_rate <= 1:
            raise ConfigError(f"{_WHERE}['decay_rate']={self.decay_rate!r} must be in (0, 1]")
        if self.decay_type not in ("layer_wise", "layer_wise_vit", "stage_wise"):
            raise ConfigError(f"{_WHERE}['decay_type']={self.decay_type!r} must be 'layer_wise' or 'stage_wise'")


class LearningRateDecayParamsConstructor:
    """Two groups a layer, with and without weight decay; the learning rate falls from layer to layer.

    The rate of layer i is `decay_rate ** (num_layers + 1 - i)` times the optimizer's. Vectors, biases, class tokens and
    position embeddings have no weight decay. Parameters that need no gradient are left out.

    Papers: Clark et al., "ELECTRA", ICLR 2020, arXiv:2003.10555; Bao et al., "BEiT", ICLR 2022, arXiv:2106.08254;
    Liu et al., "A ConvNet for the 2020s", CVPR 2022, arXiv:2201.03545, appendix A.

    Args:
        params_rules: see `LayerDecay`.
        filter_params: has no effect; frozen parameters are always left out.
        optimizer_cfg: `lr` and `weight_decay` of the optimizer.

    Raises:
        ConfigError: a field is unknown or out of range, or, when called, the backbone is of another kind or has
            more layers than `num_layers`.
    """

    def __init__(
        self,
        params_rules: Mapping[str, Any],
        filter_params: bool = False,
        optimizer_cfg: Mapping[str, Any] | None = None,
    ):
        self.decay: LayerDecay = call_with(LayerDecay, params_rules, where=_WHERE)
        self.settings = dict(optimizer_cfg or {})

    def __call__(self, model: nn.Module) -> list[dict[str, Any]]:
        """Return the groups in the order in which their first parameters appear in the model."""
        model, decay = unwrapped(model), self.decay
        layer_of, last = _layers_of(model, decay), decay.num_layers + 1
        groups: dict[str, dict[str, Any]] = {}
        for name, parameter in model.named_parameters():
            if not parameter.requires_grad:
                continue
            layer = layer_of(name.removeprefix("backbone_net.")) if name.startswith("backbone_net.") else None
            layer = last if layer is None else layer
            if layer > last:
                raise ConfigError(f"{_WHERE}['num_layers']={decay.num_layers}, but {name} is in layer {layer}")
            decays = parameter.ndim != 1 and not name.endswith((".bias", "pos_embed", "cls_token"))
            title = f"layer_{layer}_{'decay' if decays else 'no_decay'}"
            if title not in groups:
                scale = decay.decay_rate ** (last - layer)
                groups[title] = group_of([], self.settings, scale, float(decays), name=title)
            groups[title]["params"].append(parameter)
        return list(groups.values())


def _layers_of(model: nn.Module, decay: LayerDecay) -> Callable[[str], int | None]:
    """Return what gives a backbone parameter's layer by its name, None for those after the layers."""
    kinds = [kind.__name__ for kind in type(getattr(model, "backbone_net", None)).__mro__]
    known: dict[str, Callable[[str], int | None]]
    if decay.decay_type == "stage_wise":
        known = {"ConvNeXt": _convnext_stage, "ConvNeXtV2": _convnext_stage}
    else:
        convnext = _convnext_layers(decay.num_layers)
        known = {"ConvNeXt": convnext, "ConvNeXtV2": convnext, "BEiT": _vit_layer, "MAE": _vit_layer}
    for kind in kinds:
        if kind in known:
            return known[kind]
    raise ConfigError(f"{_WHERE}: {decay.decay_type} knows the layers of {listed(known)}, not those of {kinds[0]}")


def _vit_layer(name: str) -> int | None:
    """Embeddings are layer 0, block i is layer i + 1."""
    if name.startswith(("cls_token", "mask_token", "pos_embed", "patch_embed")):
        return 0
    block = re.match(r"layers\.(\d+)\.", name)
    return int(block[1]) + 1 if block else None


def _convnext_stage(name: str) -> int | None:
    """The stem and all downsampling are layer 0, stage s is layer s + 1."""
    stage = re.match(r"stages\.(\d+)\.", name)
    return int(stage[1]) + 1 if stage else 0 if name.startswith("downsample_layers.") else None


def _convnext_layers(num_layers: int) -> Callable[[str], int | None]:
    """The long third stage counts a layer for every three blocks; a downsampling belongs to the stage after it."""

    def layer_of(name: str) -> int | None:
        part = re.match(r"(downsample_layers|stages)\.(\d)\.(\d+)", name)
        if part is None:
            return None
        stage, block = int(part[2]), int(part[3])
        if part[1] == "downsample_layers":
            return (0, 2, 3, num_layers)[stage]
        return (1, 2, 3 + block // 3, num_layers)[stage]

    return layer_of
