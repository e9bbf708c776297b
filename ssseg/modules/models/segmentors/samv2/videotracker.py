from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from .imagepredictor import LOGIT_LIMIT
from .masks import without_overlap, without_small_regions
from .memories import Found, FrameMemory, OneObject
from .options import NO_OBJECT
from .samv2 import SAMV2
from .tracking import FrameFeatures, Moment, remember, track
from .videostate import Prompt, VideoState


class VideoTracker:
    """Finds prompted objects on frames, and remembers and follows them: what `SAMV2VideoPredictor` is made of.

    Args:
        fill_hole_area, ..., clear_for_several: see `SAMV2VideoPredictor`.
    """

    def __init__(
        self,
        model: SAMV2,
        fill_hole_area: float,
        non_overlap_masks: bool,
        clear_around_input: bool,
        clear_for_several: bool,
    ):
        self.model, self.fill_hole_area, self.non_overlap_masks = model, fill_hole_area, non_overlap_masks
        self.clear_around_input, self.clear_for_several = clear_around_input, clear_for_several
        self.square = (model.options.image_size, model.options.image_size)

    @torch.no_grad()
    def prompt(self, state: VideoState, frame: int, number: int, prompt: Prompt) -> Tensor:
        """Take a prompt for an object, and return logits of all objects on that frame, (B, 1, H, W) of the video."""
        before = state.found(number, frame)
        moment = Moment(frame, state.num_frames, state.directions.get(frame, False), state.begins(frame))
        points, previous = None, None
        if prompt.points is not None and prompt.labels is not None:
            points = {"point_coords": prompt.points, "point_labels": prompt.labels}
            previous = None if before is None else before.masks.to(self.model.device).clamp(-LOGIT_LIMIT, LOGIT_LIMIT)
        found, _ = track(
            self.model,
            self.features(state, frame, 1),
            OneObject(state.memories, number),
            moment,
            points=points,
            mask=prompt.mask,
            previous=previous,
        )
        state.prompts[number][frame] = prompt
        state.pending[number][frame] = Found(self.filled(found.masks), found.pointers).to(state.memories.device)
        state.version += 1
        parts = [state.found(i, frame) for i in range(len(state.obj_ids))]
        grid = found.masks.shape[2:]
        absent = found.masks.new_full((1, 1, *grid), NO_OBJECT)
        return self.at_video_size(
            state, torch.cat([absent if part is None else part.masks.to(absent) for part in parts])
        )

    @torch.no_grad()
    def take_prompts(self, state: VideoState) -> None:
        """Remember what was found on frames with new prompts, so that tracking can go on from them."""
        state.is_tracking = bool(state.obj_ids)
        frames = sorted({frame for found in state.pending for frame in found})
        for frame in frames:
            memory = self.joined(state, frame)
            if state.begins(frame) or self.model.options.add_all_frames_to_correct_as_cond:
                state.corrected.discard(frame)
                state.memories.prompt(frame, memory)
            else:
                state.corrected.add(frame)
                state.memories.track(frame, memory)
        for found in state.pending:
            found.clear()
        for frame in frames:
            self.clear_around(state, frame)

    @torch.no_grad()
    def follow(self, state: VideoState, order: range, reverse: bool) -> Iterator[tuple[int, Tensor]]:
        """Yield frames one after the other, with logits of all objects, (B, 1, H, W) of the video."""
        for frame in order:
            if frame in state.memories.prompted:
                self.clear_around(state, frame)
            if frame in state.memories.prompted or frame in state.corrected:
                masks = state.memories[frame].masks
            else:
                masks = self.step(state, frame, reverse)
            state.directions[frame] = reverse
            state.memories.send_away(frame, state.corrected)
            yield frame, self.at_video_size(state, masks.to(self.model.device))

    def step(self, state: VideoState, frame: int, reverse: bool) -> Tensor:
        """Find all objects on a frame without prompts, remember them, and return their logits."""
        features = self.features(state, frame, len(state.obj_ids))
        found, large = track(self.model, features, state.memories, Moment(frame, state.num_frames, reverse))
        masks = self.filled(found.masks)
        memory = remember(self.model, features, large, has_prompts=False)
        state.memories.track(frame, FrameMemory(masks, found.pointers, memory))
        return masks

    def joined(self, state: VideoState, frame: int) -> FrameMemory:
        """Return what is known of all objects on a frame with prompts; those without prompts there are not there."""
        device, known = self.model.device, []
        for number in range(len(state.obj_ids)):
            found = state.found(number, frame)
            known.append(self.absent(state, frame) if found is None else found.to(device))
        masks, pointers = torch.cat([part.masks for part in known]), torch.cat([part.pointers for part in known])
        large = F.interpolate(masks, self.square, mode="bilinear", align_corners=False)
        features = self.features(state, frame, len(known))
        return FrameMemory(masks, pointers, remember(self.model, features, large, has_prompts=True))

    def absent(self, state: VideoState, frame: int) -> Found:
        """Return what is known of an object that is not on a frame."""
        nothing = torch.zeros(1, 1, *self.square, device=self.model.device)
        moment = Moment(frame, state.num_frames, is_first=True)
        found, _ = track(self.model, self.features(state, frame, 1), state.memories, moment, mask=nothing)
        return Found(torch.full_like(found.masks, NO_OBJECT), found.pointers)

    def features(self, state: VideoState, frame: int, count: int) -> FrameFeatures:
        """Return what the image encoder makes of a frame, for `count` objects; that of the last frame is kept."""
        if state.image is None or state.image[0] != frame:
            state.image = None  # two at once would need twice the memory
            state.image = frame, self.model.forwardimage(state.frames[frame].to(self.model.device)[None])
        return FrameFeatures.of(self.model, state.image[1], count)

    def filled(self, masks: Tensor) -> Tensor:
        """Return logits whose masks have no small holes."""
        return without_small_regions(masks, 0.0, self.fill_hole_area, 0, margin=0.1)

    def at_video_size(self, state: VideoState, masks: Tensor) -> Tensor:
        """Return logits (B, 1, H, W) of the video, of those (B, 1, h, w)."""
        masks = F.interpolate(masks, state.frames.size, mode="bilinear", align_corners=False)
        return without_overlap(masks) if self.non_overlap_masks else masks

    def clear_around(self, state: VideoState, frame: int) -> None:
        """Forget tracked frames around one with prompts, where that is wanted, except those that have prompts, too."""
        if not self.clear_around_input or (len(state.obj_ids) > 1 and not self.clear_for_several):
            return
        span = self.model.options.memory_temporal_stride_for_eval * self.model.options.num_maskmem
        for other in range(frame - span, frame + span + 1):
            if other not in state.corrected:
                state.memories.drop(other)
