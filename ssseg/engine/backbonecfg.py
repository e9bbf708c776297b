"""Changes of `SEGMENTOR_CFG['backbone']` and of the one inside of it, as BiSeNetV1 has it."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..modules import BackboneBuilder
from .problems import section

Backbone = Mapping[str, Any]
INNER = "backbone_cfg"


def backbones_of(cfg: Mapping[str, Any]) -> Iterator[tuple[str, Backbone]]:
    """Yield each backbone with its place below `SEGMENTOR_CFG['backbone']`."""
    outer = section(cfg, "backbone")
    for place, backbone in (("", outer), (f"[{INNER!r}]", section(outer, INNER))):
        if backbone:
            yield place, backbone


def without_pretrained(cfg: Mapping[str, Any]) -> Any:
    """Return a cfg whose backbones look for no pretrained weights."""
    return change_backbones(cfg, lambda backbone: {"pretrained": False} if _looks_for_weights(backbone) else {})


def change_backbones(cfg: Mapping[str, Any], change: Callable[[Backbone], Backbone]) -> Any:
    """Return a cfg in whose backbones the entries that `change` returns for each stand; `cfg` stays as it is."""
    outer = section(cfg, "backbone")
    if not outer:
        return cfg
    changed = {**outer, **change(outer)}
    if inner := section(outer, INNER):
        changed[INNER] = {**inner, **change(inner)}
    return {**cfg, "backbone": changed}


def _looks_for_weights(backbone: Backbone) -> bool:
    name = backbone.get("type")
    if "pretrained" in backbone or name not in BackboneBuilder.REGISTERED_MODULES:
        return bool(backbone.get("pretrained"))
    default = inspect.signature(BackboneBuilder().get(name)).parameters.get("pretrained")
    return default is not None and default.default is True
