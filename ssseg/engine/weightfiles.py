"""Checkpoint files as things to look at, check, convert and average."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from ..modules.utils import safeload
from ..modules.utils.checkpoint import loadckpts, saveckpts
from ..modules.utils.errors import CheckpointError
from ..modules.utils.files import write_atomically
from ..modules.utils.jsontext import parse_json
from .runlog import plain_values

SAFETENSORS = ".safetensors"
_HEADER = ("config", "label_map", "position", "metrics", "versions")


def read_header(path: str | Path) -> dict[str, Any]:
    """Return what a checkpoint says of itself besides its weights: config, label map, position, metrics, versions.

    Empty for files of others. No weights are read.

    Raises:
        CheckpointError: the file is missing, damaged, or none of these formats.
    """
    if Path(path).suffix != SAFETENSORS:
        return _checked_header(safeload.scan(path).get("ssseg") or {}, path)
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            header = parse_json((file.metadata() or {}).get("ssseg", "{}")) or {}
    except (OSError, safetensors.SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path}: cannot be read as safetensors: {error}") from error
    return _checked_header(header, path)


def _checked_header(header: Any, path: str | Path) -> dict[str, Any]:
    """Return `header`; CheckpointError where it or one of its parts is no dictionary."""
    parts = {name: header.get(name) for name in _HEADER} if isinstance(header, Mapping) else {"ssseg": header}
    for name, part in parts.items():
        if part is not None and not isinstance(part, Mapping):
            raise CheckpointError(f"{path}: its header is damaged: {name} is a {type(part).__name__}")
    return dict(header)


def weights_of(path: str | Path, *, ema: bool = False) -> dict[str, Tensor]:
    """Return a checkpoint's weights by name: `model`, with `ema` `model_ema`, or all of a file of bare weights.

    Raises:
        CheckpointError: it cannot be read, or has no such weights.
    """
    checkpoint = loadckpts(path)
    name = "model_ema" if ema else "model"
    weights = checkpoint.get(name)
    if weights is None and not ema and all(isinstance(value, Tensor) for value in checkpoint.values()):
        weights = checkpoint
    if not isinstance(weights, Mapping | None) or not all(map(_is_weight, (weights or {}).items())):
        raise CheckpointError(f"{path}: {name!r} holds something else than weights")
    if weights is None:
        held = ", ".join(key for key in ("model", "model_ema") if key in checkpoint) or "neither model nor model_ema"
        raise CheckpointError(f"{path}: has no {name!r} weights; it holds {held}.")
    return dict(weights)


def _is_weight(item: tuple[Any, Any]) -> bool:
    return isinstance(item[0], str) and isinstance(item[1], Tensor)


def check(path: str | Path) -> list[str]:
    """Read every byte of a checkpoint; return the names of weights that hold values that are not finite.

    Raises:
        CheckpointError: the file cannot be used.
    """
    if Path(path).suffix != SAFETENSORS:
        safeload.verify(path)
    checkpoint = loadckpts(path)
    parts = [part for name in ("model", "model_ema") if isinstance(part := checkpoint.get(name), Mapping)] or [
        checkpoint
    ]
    return [
        name
        for part in parts
        for name, value in part.items()
        if isinstance(value, Tensor) and value.is_floating_point() and not bool(torch.isfinite(value).all())
    ]


def convert(source: str | Path, target: str | Path, *, ema: bool = False) -> None:
    """Write a checkpoint's weights alone: as safetensors, or as a `.pth` that holds `model`; the header goes along.

    Raises:
        CheckpointError: the source cannot be used, or the target's name ends otherwise.
    """
    header, weights = read_header(source), weights_of(source, ema=ema)
    if Path(target).suffix == ".pth":
        saveckpts({"model": weights, "ssseg": header}, target, make_soft_link=False)
    elif Path(target).suffix == SAFETENSORS:
        apart = {name: value.contiguous().clone() for name, value in weights.items()}  # the format shares no memory

        def text_of(value: Any) -> str:
            if isinstance(value, torch.dtype | torch.device):
                return str(value)  # configs take their names as well
            raise CheckpointError(f"{source}: its header holds a {type(value).__name__}, which JSON cannot")

        metadata = {"format": "pt", "ssseg": json.dumps(plain_values(header), default=text_of)}
        content = safetensors.torch.save(apart, metadata)
        write_atomically(target, lambda stream: stream.write(content) and None, expected_bytes=len(content))
    else:
        raise CheckpointError(f"{target}: must end in {SAFETENSORS} or .pth")


def average(sources: Sequence[str | Path], target: str | Path, *, ema: bool = False) -> None:
    """Write the mean of several checkpoints' weights; counters are those of the last.

    Source: Izmailov et al., "Averaging Weights Leads to Wider Optima", UAI 2018, arXiv:1803.05407. Batch norm
    statistics are averaged too, not computed anew.

    Raises:
        CheckpointError: one cannot be used, or their names or shapes differ.
    """
    total: dict[str, Tensor] = {}
    for number, source in enumerate(sources):
        weights = weights_of(source, ema=ema)
        shapes, first = ({name: value.shape for name, value in part.items()} for part in (weights, total or weights))
        if shapes != first:
            raise CheckpointError(f"{source}: its weights have other names or shapes than those of {sources[0]}")
        for name, value in weights.items():
            if value.is_floating_point():
                before = total.get(name, torch.zeros((), dtype=torch.float64))
                total[name] = before + (value.double() - before) / (number + 1)
            else:
                total[name] = value
    mean = {name: value.to(weights[name].dtype) for name, value in total.items()}
    saveckpts({"model": mean, "ssseg": read_header(sources[-1])}, target, make_soft_link=False)
