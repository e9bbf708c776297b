"""Checks at build time that a head reads maps which the backbone makes, so that no convolution fails later."""

from collections.abc import Sequence

from torch import nn

from ....utils.errors import ConfigError

_BACKBONE = "SEGMENTOR_CFG['backbone']"


class SelectedMaps:
    """The maps that a segmentor selects from its backbone's.

    Args:
        backbone: with `out_channels`, the width of each map it returns; without, nothing is checked.
        selected_indices: None means what `default_indices` says.

    Raises:
        ConfigError: an index has no map.
    """

    def __init__(self, backbone: nn.Module, selected_indices: Sequence[int] | None):
        self.name = type(backbone).__name__
        self.widths: tuple[int, ...] | None = getattr(backbone, "out_channels", None)
        if self.widths is None:
            return
        self.indices = tuple(default_indices(len(self.widths)) if selected_indices is None else selected_indices)
        for index in self.indices:
            if index not in range(len(self.widths)):
                raise ConfigError(
                    f"{_BACKBONE}['selected_indices']: {self.indices} must be numbers from 0 to "
                    f"{len(self.widths) - 1}. {self.describe()}"
                )

    def require_width(self, where: str, given: int, position: int) -> None:
        """Check that the selected map at `position` has `given` channels; `where` is the place that says so."""
        if self.widths is None:
            return
        if not -len(self.indices) <= position < len(self.indices):
            raise ConfigError(
                f"{_BACKBONE}['selected_indices']: {self.indices} is too short: {where} needs one map more. "
                f"{self.describe()}"
            )
        index = self.indices[position]
        if given != self.widths[index]:
            raise ConfigError(
                f"{where}: is {given}, but map {index}, which it reads, has {self.widths[index]} channels. "
                f"{self.describe()}"
            )

    def describe(self) -> str:
        """Say how wide the backbone's maps are."""
        return f"The maps of this {self.name} have {', '.join(map(str, self.widths or ()))} channels."


def default_indices(num_maps: int) -> tuple[int, ...]:
    """Return which maps are selected where nothing says so: the first four, or four times the only one."""
    return (0, 0, 0, 0) if num_maps == 1 else (0, 1, 2, 3)
