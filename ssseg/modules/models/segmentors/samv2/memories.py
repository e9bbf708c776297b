from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor

from ....utils.errors import ConfigError


@dataclass(frozen=True)
class Found:
    """B objects that were found on a frame.

    Args:
        masks: logits (B, 1, S / 4, S / 4).
        pointers: (B, C).
    """

    masks: Tensor
    pointers: Tensor

    def to(self, device: torch.device) -> Self:
        """Return it on `device`."""
        return self._changed(lambda x: x.to(device))

    def of(self, objects: Sequence[int]) -> Self:
        """Return it of some of the objects, by their numbers."""
        return self._changed(lambda x: x[list(objects)])

    def _changed(self, change: Callable[[Tensor], Tensor]) -> Self:
        return type(self)(**{field.name: change(getattr(self, field.name)) for field in fields(self)})


@dataclass(frozen=True)
class FrameMemory(Found):
    """What is remembered of B objects on a frame.

    Args:
        features: (B, mem_dim, S / 16, S / 16) bfloat16, what later frames attend to.
    """

    features: Tensor


class Memories:
    """What is remembered of the frames of a video.

    Frames with prompts, and tracked frames at most `reach` frames away from one of them or from the one that is tracked
    last, stay on the device, since these are what the next frame may ask for. Others go to the CPU, or are forgotten:
    how much memory the device needs does not depend on how long the video is.

    Args:
        device: where memories stay.
        reach: see `SAMV2Options`.
        keep_all: keep the others on the CPU, else forget them. Asking for one that is forgotten is an error.
    """

    def __init__(self, device: torch.device, reach: int, keep_all: bool):
        self.device, self.reach, self.keep_all = device, reach, keep_all
        self.prompted: dict[int, FrameMemory] = {}
        self.tracked: dict[int, FrameMemory] = {}
        self.forgotten: set[int] = set()
        self.near: set[int] = set()  # tracked frames that were not sent away yet

    def find(self, frame: int) -> FrameMemory | None:
        """Return what is remembered of a frame; None where it was not tracked.

        Raises:
            ConfigError: it was, but is forgotten.
        """
        if frame in self.forgotten:
            raise ConfigError(
                f"frame_idx={frame}: its memory is needed, but was forgotten: it is more than {self.reach} frames away "
                "from prompts and from the frame that was tracked last. To go back to any frame leave "
                "initstate(keep_all_memories=True), which keeps them on the CPU."
            )
        return self.prompted.get(frame) or self.tracked.get(frame)

    def __getitem__(self, frame: int) -> FrameMemory:
        """Return what is remembered of a frame that was tracked; see `find`."""
        memory = self.find(frame)
        if memory is None:
            raise KeyError(frame)
        return memory

    def is_tracked(self, frame: int) -> bool:
        """Say whether a frame without prompts was tracked, even if it is forgotten."""
        return frame in self.tracked or frame in self.forgotten

    def prompt(self, frame: int, memory: FrameMemory) -> None:
        """Remember a frame with prompts."""
        self.drop(frame)
        self.prompted[frame] = memory.to(self.device)

    def track(self, frame: int, memory: FrameMemory) -> None:
        """Remember a tracked frame."""
        self.drop(frame)
        self.tracked[frame] = memory.to(self.device)
        self.near.add(frame)

    def drop(self, frame: int) -> None:
        """Remember no longer that a frame was tracked."""
        self.tracked.pop(frame, None)
        self.forgotten.discard(frame)
        self.near.discard(frame)

    def send_away(self, last: int, corrected: Collection[int]) -> None:
        """Send away what no frame can ask for when tracking goes on at frame `last`, or at frames with prompts.

        Args:
            corrected: tracked frames that have prompts.
        """
        here = [last, *self.prompted, *corrected]
        for frame in [f for f in self.near if min(abs(f - other) for other in here) > self.reach]:
            memory = self.tracked[frame]
            self.drop(frame)
            if self.keep_all:
                self.tracked[frame] = memory.to(torch.device("cpu"))
            else:
                self.forgotten.add(frame)

    def drop_prompted(self, frame: int) -> None:
        """Remember no longer a frame with prompts."""
        self.prompted.pop(frame, None)

    def clear(self) -> None:
        """Remember nothing."""
        for frames in (self.prompted, self.tracked, self.forgotten, self.near):
            frames.clear()

    def keep_objects(self, objects: Sequence[int]) -> None:
        """Remember only some of the objects, by their numbers."""
        for frames in (self.prompted, self.tracked):
            for frame, memory in frames.items():
                frames[frame] = memory.of(objects)


@dataclass(frozen=True)
class OneObject:
    """What is remembered of one of the objects, by its number."""

    memories: Memories
    number: int

    @property
    def prompted(self) -> Collection[int]:
        """The frames with prompts."""
        return self.memories.prompted

    def is_tracked(self, frame: int) -> bool:
        """See `Memories.is_tracked`."""
        return self.memories.is_tracked(frame)

    def find(self, frame: int) -> FrameMemory | None:
        """See `Memories.find`."""
        memory = self.memories.find(frame)
        return None if memory is None else memory.of([self.number])

    def __getitem__(self, frame: int) -> FrameMemory:
        return self.memories[frame].of([self.number])
