import os
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ....utils.errors import ConfigError, ShapeError
from ....utils.videos import open_video
from .frames import Frames
from .imagepredictor import SAMV2ImagePredictor
from .memories import Memories
from .prompts import read_mask, read_points
from .videostate import Prompt, VideoState
from .videotracker import VideoTracker

Shown = tuple[int, list[Hashable], Tensor]
"""A frame's number, the names of objects, and their logits at the size of the video, (B, 1, H, W)."""
Progress = Callable[[int, int], None]
"""Called with the number of frames done and that of all."""

FILL_HOLE_AREA = 8  # pixels of the network's mask; with apply_postprocessing


class SAMV2VideoPredictor(SAMV2ImagePredictor):
    """Follows prompted objects through videos with SAM 2.

    Paper: Ravi et al., "SAM 2: Segment Anything in Images and Videos", arXiv:2408.00714.

    Args:
        fill_hole_area: holes of so many pixels of the network's mask, or fewer, are filled.
        non_overlap_masks: each pixel of what is returned belongs to one object at most.
        clear_non_cond_mem_around_input: prompts make tracked frames around them forgotten, which they may contradict;
            for one object, with `clear_non_cond_mem_for_multi_obj` for several, too.
        predictor: arguments of `SAMV2ImagePredictor`. With `apply_postprocessing`, the default, also small holes are
            filled, and of frames with prompts masks of zeros and ones are remembered.

    Raises:
        ConfigError, CheckpointError, DownloadError, ResourceError: see `SAMV2ImagePredictor`.
    """

    def __init__(
        self,
        fill_hole_area: float = 0,
        non_overlap_masks: bool = False,
        clear_non_cond_mem_around_input: bool = False,
        clear_non_cond_mem_for_multi_obj: bool = False,
        **predictor: Any,
    ):
        super().__init__(**predictor)
        if predictor.get("apply_postprocessing", True):
            fill_hole_area = fill_hole_area or FILL_HOLE_AREA
            self.model.remember_binary_prompts()
        self.tracker = VideoTracker(
            self.model,
            fill_hole_area,
            non_overlap_masks,
            clear_non_cond_mem_around_input,
            clear_non_cond_mem_for_multi_obj,
        )

    def initstate(
        self,
        video_path: str | os.PathLike[str] | Sequence[Any] | NDArray[Any],
        offload_video_to_cpu: bool = False,
        offload_state_to_cpu: bool = False,
        async_loading_frames: bool = False,
        keep_all_memories: bool = True,
    ) -> VideoState:
        """Open a video.

        Frames are read when they are needed, and the last few are kept.

        Args:
            video_path: a folder of pictures named by numbers, a video file, or arrays: see `open_video`.
            offload_video_to_cpu: keep frames in the CPU's memory.
            offload_state_to_cpu: keep all memories there, too; else only those that the next frame cannot ask for.
            async_loading_frames: read the next frame while the last one is worked on.
            keep_all_memories: keep what was found on every frame, so that any can be corrected. Without, frames far
                from prompts and from the one that was tracked last are forgotten: how much memory is needed does not
                depend on how long the video is, and the results are the same.

        Raises:
            DataError: there are no pictures, or they cannot be read.
        """
        cpu, options = torch.device("cpu"), self.model.options
        frames = Frames(
            open_video(video_path),
            options.image_size,
            cpu if offload_video_to_cpu else self.device,
            ahead=async_loading_frames,
        )
        return VideoState(
            frames, Memories(cpu if offload_state_to_cpu else self.device, options.reach, keep_all_memories)
        )

    def addnewpoints(
        self,
        inference_state: VideoState,
        frame_idx: int,
        obj_id: Hashable,
        points: NDArray[Any] | Tensor | Sequence[Any],
        labels: NDArray[Any] | Tensor | Sequence[int],
        clear_old_points: bool = True,
        normalize_coords: bool = True,
    ) -> Shown:
        """Mark an object on a frame by points, or correct it.

        Args:
            obj_id: the object's name, a new or a known one. New ones must come before tracking begins.
            points: (P, 2), x and y in pixels of the video.
            labels: (P,), 1 on the object, 0 beside it.
            clear_old_points: the points take the place of those on that frame, else they are added.
            normalize_coords: False where points are given as shares of the video's width and height.

        Returns:
            `frame_idx`, the names of all objects, and their logits on that frame, (B, 1, H, W).

        Raises:
            ConfigError: there is no such frame, or the object is new while others are being tracked.
            ShapeError, DataError: the points have another shape, or hold what cannot be.
        """
        state, frame = inference_state, inference_state.require_frame(frame_idx)
        coords, kinds = read_points(points, labels)
        if coords is None or kinds is None or len(coords) != 1:
            raise ShapeError("points and labels: must be those of one object, (P, 2) and (P,).")
        number = state.number_for(obj_id)
        coords = self.transforms.coords(coords, state.frames.size, normalize_coords)
        prompt = Prompt(coords.to(self.device), kinds.to(self.device))
        old = state.prompts[number].get(frame)
        if old is not None and not clear_old_points:
            prompt = old.joined(prompt)
        return frame, list(state.obj_ids), self.tracker.prompt(state, frame, number, prompt)

    def addnewmask(
        self, inference_state: VideoState, frame_idx: int, obj_id: Hashable, mask: NDArray[Any] | Tensor
    ) -> Shown:
        """Mark an object on a frame by its mask (H, W), which takes the place of points on that frame.

        See `addnewpoints`.
        """
        state, frame = inference_state, inference_state.require_frame(frame_idx)
        pixels = read_mask(mask)
        number, side = state.number_for(obj_id), self.model.options.image_size
        resized = F.interpolate(pixels[None, None], (side, side), mode="bilinear", antialias=True)
        prompt = Prompt(mask=(resized >= 0.5).float().to(self.device))
        return frame, list(state.obj_ids), self.tracker.prompt(state, frame, number, prompt)

    def propagateinvideo(
        self,
        inference_state: VideoState,
        start_frame_idx: int | None = None,
        max_frame_num_to_track: int | None = None,
        reverse: bool = False,
        progress: Progress | None = None,
    ) -> Iterator[Shown]:
        """Follow the objects, one frame at each step of what is returned.

        Args:
            start_frame_idx: where to begin; None means the first frame with prompts.
            max_frame_num_to_track: how many frames to go at most; None means to the end.
            reverse: go backwards.
            progress: called for each frame with the number of frames done and that of all.

        Returns:
            A generator of what `addnewpoints` returns, for each frame.

        Raises:
            ConfigError: there are no prompts, or no such frame; or, at a step, prompts or objects were changed since
                the one before.
        """
        state = inference_state
        self.tracker.take_prompts(state)
        if not state.memories.prompted:
            raise ConfigError("propagateinvideo: there are no prompts; call addnewpoints or addnewmask first.")
        start = min(state.memories.prompted)
        if start_frame_idx is not None:
            start = state.require_frame(start_frame_idx, "start_frame_idx")
        count = state.num_frames if max_frame_num_to_track is None else max_frame_num_to_track
        if count < 0:
            raise ConfigError(f"max_frame_num_to_track: is {count}, must be 0 or more.")
        if reverse:
            order = range(start, max(start - count, 0) - 1, -1) if start else range(0)
        else:
            order = range(start, min(start + count, state.num_frames - 1) + 1)
        return self._follow(state, order, reverse, progress)

    def resetstate(self, inference_state: VideoState) -> None:
        """Forget all objects and prompts, and keep the video."""
        inference_state.reset()

    def removeobject(self, inference_state: VideoState, obj_id: Hashable) -> list[Hashable]:
        """Forget an object and its prompts, and return the names of the others.

        The others keep what was found.

        Raises:
            UnknownNameError: there is no such object.
        """
        state = inference_state
        number = state.number_of(obj_id)
        if len(state.obj_ids) == 1:
            state.reset()
        else:
            state.remove(number)
        return list(state.obj_ids)

    def _follow(self, state: VideoState, order: range, reverse: bool, progress: Progress | None) -> Iterator[Shown]:
        version = state.version
        steps = self.tracker.follow(state, order, reverse)
        for done in range(1, len(order) + 1):
            if state.version != version:
                raise ConfigError("propagateinvideo: prompts or objects were changed; call it again to go on.")
            frame, masks = next(steps)
            if progress is not None:
                progress(done, len(order))
            yield frame, list(state.obj_ids), masks
