"""Which maps of the backbone a segmentor works with, and how wide they are."""

from collections.abc import Sequence

from torch import nn

from ....utils.errors import ConfigError


def default_indices(num_maps: int) -> tuple[int, ...]:
    """Return which maps are selected where nothing says so: the first four, or four times the only one."""
    return (0, 0, 0, 0) if num_maps == 1 else (0, 1, 2, 3)


class SelectedMaps:
    """Checks, before anything runs, that heads fit the maps they read.

    Args:
        backbone: its `out_channels` are the widths of the maps it returns; where it has none nothing is checked.
        selected_indices: negative ones count from the end; see `default_indices` for None.

    Raises:
        ConfigError: an index has no map.
    """

    def __init__(self, backbone: nn.Module, selected_indices: Sequence[int] | None):
        self.widths: tuple[int, ...] = getattr(backbone, "out_channels", ())
        self.indices = tuple(default_indices(len(self.widths)) if selected_indices is None else selected_indices)
        self.description = f"The maps of this {type(backbone).__name__} have {_words(self.widths)} channels."
        count = len(self.widths)
        for index in self.indices if count else ():
            if index not in range(-count, count):
                raise ConfigError(
                    f"SEGMENTOR_CFG['backbone']['selected_indices']: is {self.indices}, must be numbers from 0 to "
                    f"{count - 1}. {self.description}"
                )
        self.indices = tuple(index + count if index < 0 else index for index in self.indices)

    def replace_last(self, width: int) -> None:
        """Work with a map of `width` channels in place of the last selected one."""
        if self.widths:
            self.widths = (*self.widths, width)
            self.indices = (*self.indices[:-1], len(self.widths) - 1)
            self.description += f" A neck puts one of {width} in place of the last."

    def require(self, where: str, given: object, positions: Sequence[int] | None) -> None:
        """Check that the selected maps at `positions` are as wide as `given` says, a number or one for each.

        Args:
            where: the place of `given`, for messages.
            positions: None means all.

        Raises:
            ConfigError: a map is missing or has another width.
        """
        if not self.widths:
            return
        positions = range(len(self.indices)) if positions is None else positions
        lacking = [position for position in positions if not -len(self.indices) <= position < len(self.indices)]
        if lacking:
            which = f"number {-lacking[0]} from the end" if lacking[0] < 0 else f"number {lacking[0]}, counted from 0,"
            raise ConfigError(
                f"{where}: its map is {which} of the selected ones, but "
                f"SEGMENTOR_CFG['backbone']['selected_indices'] is {self.indices}. {self.description}"
            )
        indices = [self.indices[position] for position in positions]
        expected = [self.widths[index] for index in indices]
        if (list(given) if isinstance(given, Sequence) else [given]) != expected:
            raise ConfigError(
                f"{where}: is {given}, but must be {_words(expected)}, the width of map {_words(indices)}, which it "
                f"reads. {self.description}"
            )


def _words(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
