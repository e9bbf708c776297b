"""Of which frames a frame of a video recalls memories and pointers."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from .options import SAMV2Options


@dataclass(frozen=True)
class Recall:
    """What a frame recalls.

    Args:
        masks: frames whose memories are attended to, each with its row in the table of temporal positions.
        pointers: frames whose pointers are attended to, each with how many frames it is away.
    """

    masks: list[tuple[int, int]]
    pointers: list[tuple[int, int]]


def nearest_frames(frame: int, frames: Collection[int], limit: int) -> list[int]:
    """Return at most `limit` of `frames`, in their order where all fit; -1 means all.

    Else the last before `frame` and the first from it on come first, then those nearest to it.
    """
    if limit == -1 or len(frames) <= limit:
        return list(frames)
    before, after = [f for f in frames if f < frame], [f for f in frames if f >= frame]
    chosen = [*([max(before)] if before else []), *([min(after)] if after else [])]
    rest = sorted((f for f in frames if f not in chosen), key=lambda f: abs(f - frame))
    return chosen + rest[: limit - len(chosen)]


def recall(
    frame: int,
    options: SAMV2Options,
    prompted: Collection[int],
    is_tracked: Callable[[int], bool],
    num_frames: int,
    reverse: bool,
) -> Recall:
    """Say which frames `frame` recalls when a video is followed forwards, or with `reverse` backwards.

    These are frames with prompts; of the frames just passed, the last `num_maskmem` - 1 (every so many-th); and for
    pointers the last `max_obj_ptrs_in_encoder` - 1.

    Paper: Ravi et al., "SAM 2", arXiv:2408.00714, section 4, memory bank.

    Args:
        prompted: frames with prompts, whatever their order.
        is_tracked: whether a frame without prompts was followed already.
        num_frames: of the video.
    """
    chosen = nearest_frames(frame, prompted, options.max_cond_frames_in_attn)
    others = set(prompted) - set(chosen)
    sign = -1 if reverse else 1

    def is_known(t: int) -> bool:
        return is_tracked(t) or t in others

    stride, slots = options.memory_temporal_stride_for_eval, options.num_maskmem - 1
    masks = [(t, slots) for t in chosen]
    last = sign * ((sign * frame - 2) // stride) * stride  # of those at multiples of the stride
    for back in range(slots, 0, -1):
        t = frame - sign if back == 1 else last - sign * (back - 2) * stride
        if is_known(t):
            masks.append((t, back - 1))
    pointers: list[tuple[int, int]] = []
    if options.use_obj_ptrs_in_encoder:
        only_past = options.only_obj_ptrs_in_the_past_for_eval
        pointers = [(t, abs(frame - t)) for t in chosen if not only_past or sign * t <= sign * frame]
        for back in range(1, min(num_frames, options.max_obj_ptrs_in_encoder)):
            if is_known(frame - sign * back):
                pointers.append((frame - sign * back, back))
    return Recall(masks, pointers)
