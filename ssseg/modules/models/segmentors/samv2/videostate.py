from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ....utils.errors import ConfigError, UnknownNameError, listed
from .frames import Frames
from .memories import Found, Memories, OneObject


@dataclass(frozen=True)
class Prompt:
    """What marks an object on a frame: points, or a mask.

    Args:
        points: (1, P, 2) in pixels of the network's input.
        labels: (1, P).
        mask: (1, 1, S, S) of zeros and ones.
    """

    points: Tensor | None = None
    labels: Tensor | None = None
    mask: Tensor | None = None

    def joined(self, later: "Prompt") -> "Prompt":
        """Return the points of both, or the later prompt where one of them is a mask."""
        if self.points is None or self.labels is None or later.points is None or later.labels is None:
            return later
        return Prompt(torch.cat([self.points, later.points], dim=1), torch.cat([self.labels, later.labels], dim=1))


@dataclass
class VideoState:
    """A video and what is known of objects in it. `SAMV2VideoPredictor` makes and changes it.

    Args:
        frames: of the video.
        memories: of all objects on frames that were tracked, or had prompts when tracking began.
        obj_ids: the user's names of objects, in order of appearance; below objects have numbers.
        prompts: for each object those of each frame.
        pending: for each object what was found on frames with prompts since tracking went on the last time.
        corrected: frames that had been tracked when they got prompts.
        directions: for each tracked frame whether the video was followed backwards.
        is_tracking: no objects can be added.
        image: the frame that was encoded last, and what came out.
        version: counts changes, except by tracking.
    """

    frames: Frames
    memories: Memories
    obj_ids: list[Hashable] = field(default_factory=list)
    prompts: list[dict[int, Prompt]] = field(default_factory=list)
    pending: list[dict[int, Found]] = field(default_factory=list)
    corrected: set[int] = field(default_factory=set)
    directions: dict[int, bool] = field(default_factory=dict)
    is_tracking: bool = False
    image: tuple[int, Mapping[str, Any]] | None = None
    version: int = 0

    @property
    def num_frames(self) -> int:
        """The number of frames of the video."""
        return len(self.frames)

    def require_frame(self, frame: Any, name: str = "frame_idx") -> int:
        """Return the number of a frame; ConfigError where there is no such frame."""
        if isinstance(frame, bool) or not hasattr(frame, "__index__") or not 0 <= frame < self.num_frames:
            raise ConfigError(
                f"{name}: is {frame!r}, must be from 0 to {self.num_frames - 1}: the video has {self.num_frames} "
                "frames."
            )
        return int(frame)

    def number_of(self, obj_id: Hashable) -> int:
        """Return the number of an object; UnknownNameError where there is none of that name."""
        if obj_id not in self.obj_ids:
            raise UnknownNameError(f"obj_id={obj_id!r}: no such object; there are: {listed(self.obj_ids) or 'none'}.")
        return self.obj_ids.index(obj_id)

    def number_for(self, obj_id: Hashable) -> int:
        """Return the number of an object, a new one for a new name; ConfigError where tracking began without it."""
        if obj_id not in self.obj_ids:
            if self.is_tracking:
                raise ConfigError(
                    f"obj_id={obj_id!r}: is new, but others are being tracked already: {listed(self.obj_ids)}. "
                    "Call resetstate(inference_state), and give the prompts of all objects before propagateinvideo."
                )
            self.obj_ids.append(obj_id)
            self.prompts.append({})
            self.pending.append({})
        return self.obj_ids.index(obj_id)

    def begins(self, frame: int) -> bool:
        """Say whether prompts on a frame are where tracking begins, not a correction of what was tracked."""
        return frame not in self.directions or frame in self.memories.prompted

    def found(self, number: int, frame: int) -> Found | None:
        """Return what is known of an object on a frame, or None."""
        return self.pending[number].get(frame) or OneObject(self.memories, number).find(frame)

    def reset(self) -> None:
        """Forget all but the video."""
        self.memories.clear()
        self.obj_ids.clear()
        self.prompts.clear()
        self.pending.clear()
        self.corrected.clear()
        self.directions.clear()
        self.is_tracking = False
        self.version += 1

    def remove(self, number: int) -> None:
        """Forget an object, and prompted frames that only it had."""
        prompted = self.prompts[number].keys()
        del self.obj_ids[number], self.prompts[number], self.pending[number]
        self.memories.keep_objects([i for i in range(len(self.obj_ids) + 1) if i != number])
        for frame in prompted - {frame for prompts in self.prompts for frame in prompts}:
            self.corrected.discard(frame)
            if frame in self.memories.prompted:  # of the others it said that they are not there
                self.memories.drop_prompted(frame)
                self.directions.pop(frame, None)
        self.version += 1
