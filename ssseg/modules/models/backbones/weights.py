"""Pretrained weights: from a file of somebody else's into a backbone, with nothing lost in silence."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from ...utils.errors import CheckpointError, ConfigError, listed
from ...utils.pretrained import loadpretrainedweights

_LOGGER = logging.getLogger(__name__)
State = Mapping[str, Tensor]


@dataclass(frozen=True)
class LoadReport:
    """Which entries were taken, taken with a change, kept as they were, and left in the file."""

    matched: tuple[str, ...]
    adapted: tuple[str, ...]
    new: tuple[str, ...]
    unused: tuple[str, ...]

    def __str__(self) -> str:
        parts = [f"{len(self.matched)} entries loaded"]
        for verb, names in (("adapted", self.adapted), ("left as initialised", self.new), ("not used", self.unused)):
            if names:
                parts.append(f"{verb}: {listed(names, 6)}")
        return "; ".join(parts)


def load_pretrained(
    backbone: nn.Module,
    structure_type: str,
    pretrained_model_path: str | None,
    *,
    urls: Mapping[str, str],
    built_as: Mapping[str, Mapping[str, Any]],
    input_key: str,
    unused: tuple[str, ...],
    new: tuple[str, ...] = (),
    convert: Callable[[State], State] = lambda state: state,
) -> LoadReport:
    """Fetch or read the weights that belong to `structure_type` and load them into `backbone`.

    Args:
        pretrained_model_path: a file; None or "" takes the one of `urls`.
        built_as: for names in `urls`, the attributes that a backbone for those weights has.
        input_key, unused, new: see `load_backbone`.
        convert: names the entries of a foreign file as ours.

    Raises:
        ConfigError: there are no weights of that name, or they are those of another structure.
        CheckpointError, DownloadError: see `load_backbone` and `loadpretrainedweights`.
    """
    if not pretrained_model_path:
        for name, expected in built_as.get(structure_type, {}).items():
            given = getattr(backbone, name)
            if given != expected:
                raise ConfigError(
                    f"SEGMENTOR_CFG['backbone'][{name!r}]: is {given!r}, but the weights of structure_type "
                    f"{structure_type!r} need {expected!r}. Change one of the two, or set pretrained=False."
                )
    state = loadpretrainedweights(structure_type, pretrained_model_path or "", default_model_urls=urls)
    where = pretrained_model_path or urls[structure_type]
    inner = backbone_part(state)
    try:
        converted = convert(inner)
    except CheckpointError as error:
        raise CheckpointError(f"{where}: {error}") from error
    report = load_backbone(backbone, converted, where=where, input_key=input_key, unused=unused, new=new)
    _LOGGER.info("%s: %d of %d entries are the backbone's. %s", where, len(inner), len(state), report)
    return report


def load_backbone(
    backbone: nn.Module, state: State, *, where: str, input_key: str, unused: tuple[str, ...], new: tuple[str, ...] = ()
) -> LoadReport:
    """Load `state` into `backbone` and report what became of every entry.

    The first convolution is adapted to another number of image channels: its kernels are summed for a single one, else
    repeated and scaled, so that its output keeps its size. Counters of batches, which old files lack, may be missing.

    Args:
        where: the file, for messages.
        input_key: the weight of the first convolution.
        unused: how the names of entries begin that belong to the classifier, not to the backbone.
        new: how the names of entries begin that the file may lack, because only segmentation needs them.

    Raises:
        CheckpointError: any other entry is missing, is not known or has another shape; the backbone is unchanged.
    """
    own = backbone.state_dict()
    taken = {name: value for name, value in state.items() if name in own}
    adapted = []
    if input_key in taken and taken[input_key].shape[1:2] != own[input_key].shape[1:2]:
        taken[input_key] = _change_channels(taken[input_key], own[input_key].shape[1])
        adapted.append(input_key)
    left = [name for name in state if name not in own]
    left_out = [name for name in own if name not in taken]
    problems = {
        "missing": [name for name in left_out if not name.endswith("num_batches_tracked") and not name.startswith(new)],
        "not known": [name for name in left if not name.startswith(unused)],
        "of another shape": [
            f"{name} {tuple(value.shape)} instead of {tuple(own[name].shape)}"
            for name, value in taken.items()
            if value.shape != own[name].shape
        ],
    }
    if any(problems.values()):
        found = "; ".join(f"{len(names)} {what}: {listed(names, 4)}" for what, names in problems.items() if names)
        raise CheckpointError(f"{where}: these are not the weights of this {type(backbone).__name__}. {found}.")
    backbone.load_state_dict({**own, **taken})
    matched = tuple(name for name in taken if name not in adapted)
    return LoadReport(matched, tuple(adapted), tuple(left_out), tuple(left))


def backbone_part(state: State) -> State:
    """Return the entries below `backbone_net.` (a segmentor of ours) or `backbone.` (OpenMMLab's), else all of them."""
    for prefix in ("backbone_net.", "backbone."):
        inner = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
        if inner:
            return inner
    return state


def _change_channels(kernel: Tensor, channels: int) -> Tensor:
    given = kernel.shape[1]
    if channels == 1:
        return kernel.sum(dim=1, keepdim=True)
    order = [channel % given for channel in range(channels)]
    return kernel[:, order] * (given / channels)
