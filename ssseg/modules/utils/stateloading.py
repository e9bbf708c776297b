"""Loads saved states into models and optimizers. What does not fit is told at once, with the likely reason."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .errors import CheckpointError, listed

_PREFIXES = ("module.", "_orig_mod.")  # of DistributedDataParallel and of torch.compile
_ROWS = 15
_KINDS = {"momentum", "betas", "rho", "alpha", "lambd", "etas", "lr_decay", "ns_steps"}  # tell optimizers apart
_IMPLEMENTATIONS = {"fused", "foreach"}  # how the update is computed: this run's choice, not that of the one saved

Shape = tuple[int, ...] | str | None


def load_state(module: nn.Module, state_dict: Mapping[str, Any], *, partial: bool = False, source: object) -> list[str]:
    """Load weights if all names and shapes fit.

    The prefixes that parallel and compiled wrappers put before names do not count. Counters of batches
    (`num_batches_tracked`), which files before 2018 lack, may be missing.

    Args:
        module: the model itself, not a wrapper of it.
        partial: load what fits; otherwise anything that does not fit is an error, and nothing is loaded.
            Values that are not finite are loaded, with a warning.
        source: where the weights come from, for messages.

    Returns:
        The names in the model that kept their values for want of others; empty unless `partial`.

    Raises:
        CheckpointError: with a table of what does not fit, and what that points to.
    """
    wanted = {name: value for name, value in module.state_dict().items() if isinstance(value, Tensor)}
    saved = _without_prefixes(state_dict)
    rows = {name: (_shape(saved, name), _shape(wanted, name)) for name in {**wanted, **saved}}
    rows = {
        name: (have, want)
        for name, (have, want) in rows.items()
        if have != want and not (have is None and name.endswith("num_batches_tracked"))
    }
    if rows and not partial:
        raise CheckpointError(f"{source}: does not fit the model.\n{_table(rows)}\n{_diagnosis(rows, saved, wanted)}")
    broken = [name for name, value in saved.items() if name not in rows and not _is_finite(value)]
    if broken:
        warnings.warn(f"{source}: {broken[0]} and {len(broken) - 1} more hold values that are not finite", stacklevel=2)
    module.load_state_dict({name: value for name, value in saved.items() if name not in rows}, strict=False)
    return [name for name in wanted if name in rows]


def load_optimizer(optimizer: torch.optim.Optimizer, state_dict: Mapping[str, Any], *, source: object) -> None:
    """Load an optimizer's state if it was saved from such an optimizer of such a model.

    Raises:
        CheckpointError: the kind of optimizer, the parameter groups or the shapes of its entries are others.
    """
    groups = state_dict.get("param_groups") or [{"params": []}]
    ours, kind = optimizer.param_groups, type(optimizer).__name__
    fields, known = _KINDS & groups[0].keys(), _KINDS & optimizer.defaults.keys()
    if fields != known:
        raise CheckpointError(
            f"{source}: is the state of another optimizer than {kind}: it has {listed(sorted(fields))}, {kind} has "
            f"{listed(sorted(known))}. Was SEGMENTOR_CFG['scheduler']['optimizer']['type'] changed?"
        )
    if [len(group["params"]) for group in groups] != [len(group["params"]) for group in ours]:
        raise CheckpointError(
            f"{source}: {_groups(groups, ours)} there, {_groups(ours, groups)} here. Was the model or "
            "SEGMENTOR_CFG['scheduler']['optimizer']['params_rules'] changed?"
        )
    indices, params = ([item for group in side for item in group["params"]] for side in (groups, ours))
    if indices != list(range(len(params))) or not state_dict["state"].keys() <= set(indices):
        raise CheckpointError(
            f"{source}: its parameters are not numbered from 0 to {len(params) - 1}, one after another"
        )
    for index, parameter in zip(indices, params, strict=True):
        for name, value in state_dict["state"].get(index, {}).items():
            if isinstance(value, Tensor) and value.ndim and value.shape != parameter.shape:
                raise CheckpointError(
                    f"{source}: {name} of parameter {index} has shape {tuple(value.shape)}, the parameter "
                    f"{tuple(parameter.shape)}: it is the state of another model"
                )
    for group, own in zip(groups, ours, strict=True):
        for name in sorted(own.keys() & group.keys() - _IMPLEMENTATIONS):
            if not _alike(group[name], own[name]):
                given = f"{group[name]!r}, not like {own[name]!r}"
                raise CheckpointError(f"{source}: the {name} of a parameter group is {given}")
    kept = [{name: own[name] for name in _IMPLEMENTATIONS & own.keys()} for own in ours]
    groups = [{**group, **own} for group, own in zip(groups, kept, strict=True)]
    optimizer.load_state_dict({**state_dict, "param_groups": groups})


def _alike(value: Any, own: Any) -> bool:
    """Whether two options of an optimizer are of one kind: numbers, sequences, or of the same type."""
    kinds = {type(value), type(own)}
    return len(kinds) == 1 or kinds <= {int, float} or kinds <= {list, tuple}


def _is_finite(value: Any) -> bool:
    return not isinstance(value, Tensor) or not value.is_floating_point() or bool(torch.isfinite(value).all())


def _groups(groups: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]) -> str:
    names = {group.get("name") for group in groups} - {group.get("name") for group in others}
    only = f" (only in these: {listed(sorted(map(str, names)), 5)})" if names else ""
    return f"{len(groups)} parameter groups{only} of {sum(len(group['params']) for group in groups)} parameters"


def _without_prefixes(state_dict: Mapping[str, Any]) -> dict[str, Any]:
    saved = dict(state_dict)
    while saved and any(all(name.startswith(prefix) for name in saved) for prefix in _PREFIXES):
        saved = {name.partition(".")[2]: value for name, value in saved.items()}
    return saved


def _shape(state: Mapping[str, Any], name: str) -> Shape:
    value = state.get(name)
    return tuple(value.shape) if isinstance(value, Tensor) else None if value is None else type(value).__name__


def _table(rows: Mapping[str, tuple[Shape, Shape]]) -> str:
    """At most 17 lines; a dash stands for what is missing."""
    lines = [(name, *("-" if shape is None else str(shape) for shape in shapes)) for name, shapes in rows.items()]
    shown = [("", "checkpoint", "model"), *lines[:_ROWS]]
    widths = [max(len(line[column]) for line in shown) for column in (0, 1)]
    text = [f"  {name:{widths[0]}}  {have:{widths[1]}}  {want}" for name, have, want in shown]
    return "\n".join(text + ([f"  ... and {len(lines) - _ROWS} more"] if len(lines) > _ROWS else []))


def _diagnosis(rows: Mapping[str, tuple[Shape, Shape]], saved: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    if not saved.keys() & wanted.keys():
        return "No name is common to both: these are the weights of another model."
    pairs = [(have, want) for have, want in rows.values() if isinstance(have, tuple) and isinstance(want, tuple)]
    changes = {
        (a, b) for have, want in pairs if len(have) == len(want) for a, b in zip(have, want, strict=True) if a != b
    }
    in_backbone = any(name.startswith("backbone_net.") for name in rows)
    if len(pairs) == len(rows) and len(changes) == 1 and not in_backbone:
        ((there, here),) = changes
        return f"The weights are for {there} classes; SEGMENTOR_CFG['num_classes'] is {here}."
    backbone = {name for name in (*wanted, *saved) if name.startswith("backbone_net.")}
    if sum(name in rows for name in backbone) > len(backbone) / 2:
        return "Most of the backbone differs: compare SEGMENTOR_CFG['backbone'] with that of the training."
    parts = {name.partition(".")[0] for name in rows}
    return f"What differs lies in {listed(sorted(parts), 5)}: compare SEGMENTOR_CFG with that of the training."
