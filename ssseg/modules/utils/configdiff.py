"""What differs between two configs, and where a config's entry comes from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...configs._base_ import (
    REGISTERED_DATALOADER_CONFIGS,
    REGISTERED_DATASET_CONFIGS,
    REGISTERED_SEGMENTOR_CONFIGS,
    SegmentorConfig,
)
from ...configs._base_.config import Config
from .configsource import plain
from .overrides import find_entry

MISSING = object()
"""Stands for an entry that one of two configs does not have."""


@dataclass(frozen=True)
class Difference:
    """One entry that differs: `path` as in overrides, `before` and `after`, either of which may be `MISSING`."""

    path: str
    before: Any
    after: Any


def config_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return the entries that differ, in the order of `before`; a list equals a tuple with the same entries."""
    return list(_differences("", plain(before), plain(after)))


def _differences(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in [*before, *(key for key in after if key not in before)]:
            entry = f"{path}.{key}" if path else str(key)
            yield from _differences(entry, before.get(key, MISSING), after.get(key, MISSING))
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple) and len(before) == len(after):
        deep = any(isinstance(entry, Mapping | list | tuple) for entry in (*before, *after))
        if deep:
            for position, (old, new) in enumerate(zip(before, after, strict=True)):
                yield from _differences(f"{path}.{position}", old, new)
        elif any(map(_differ, before, after)):
            yield Difference(path, before, after)
    elif _differ(before, after):
        yield Difference(path, before, after)


def _differ(before: Any, after: Any) -> bool:
    return bool(before != after) or isinstance(before, bool) != isinstance(after, bool)


@dataclass(frozen=True)
class Origin:
    """Where an entry comes from.

    Args:
        place: the entry, written `SEGMENTOR_CFG['head']['dropout']`.
        value: what is there.
        layer: "override", "experiment" or "base config": the last one that set it, as far as values tell.
        base_name: the registered base config that this part of the config was copied from, "" for none.
        base_value, loaded_value: what the base config and the config file had there; `MISSING` for nothing.
    """

    place: str
    value: Any
    layer: str
    base_name: str
    base_value: Any
    loaded_value: Any


def find_origin(path: str, cfg: SegmentorConfig, loaded: SegmentorConfig) -> Origin:
    """Tell where the entry at `path` comes from.

    Args:
        path: as in overrides, such as `head.dropout`.
        cfg: the config with overrides applied.
        loaded: the config as the file defines it.

    Raises:
        ConfigError: there is no such entry.
    """
    place, keys, value = find_entry(cfg, path)
    loaded_value, (base_name, base_value) = _value_at(loaded, keys), _base_at(loaded, keys)
    if _changed(loaded_value, value, place):
        layer = "override"
    elif _changed(base_value, value, place):
        layer = "experiment"
    else:
        layer = "base config"
    return Origin(place, value, layer, base_name, base_value, loaded_value)


def _changed(before: Any, after: Any, place: str) -> bool:
    return before is MISSING or any(_differences("", plain(before, place), plain(after, place)))


def _base_at(cfg: SegmentorConfig, keys: list[Any]) -> tuple[str, Any]:
    """Return the name of the base config that the part of `cfg` at `keys` was copied from, and its value there."""
    registries: dict[Any, Mapping[str, Config]] = {
        "dataset": REGISTERED_DATASET_CONFIGS,
        "dataloader": REGISTERED_DATALOADER_CONFIGS,
    }
    part = cfg.get(keys[0])
    if keys[0] in registries and isinstance(part, Config):
        name, registry, inside = part.base_name, registries[keys[0]], keys[1:]
    else:
        name, registry, inside = cfg.base_name, REGISTERED_SEGMENTOR_CONFIGS, keys
    return name, _value_at(registry[name], inside) if name in registry else MISSING


def _value_at(node: Any, keys: list[Any]) -> Any:
    for key in keys:
        try:
            node = node[key]
        except (KeyError, IndexError, TypeError):
            return MISSING
    return node
