"""One step of following objects through a video."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from .memories import Found, Memories, OneObject
from .recall import recall
from .samv2 import SAMV2, PointInputs


@dataclass(frozen=True)
class FrameFeatures:
    """What the image encoder makes of a frame, for B objects: tokens (h * w, B, C) and positions alike, finest first.

    Args:
        sizes: (h, w) of each.
    """

    tokens: list[Tensor]
    places: list[Tensor]
    sizes: list[tuple[int, int]]

    @classmethod
    def of(cls, model: SAMV2, image: Mapping[str, Any], count: int) -> Self:
        """Return those of what `model.forwardimage` returns of one frame, for `count` objects."""
        _, tokens, places, sizes = model.preparebackbonefeatures(image)
        tokens, places = ([x.expand(-1, count, -1) for x in side] for side in (tokens, places))
        return cls(tokens, places, sizes)

    @property
    def maps(self) -> list[Tensor]:
        """The tokens as maps (B, C, h, w)."""
        return [x.permute(1, 2, 0).unflatten(2, size) for x, size in zip(self.tokens, self.sizes, strict=True)]


@dataclass(frozen=True)
class Moment:
    """Where in a video a step is.

    Args:
        frame: its number.
        num_frames: of the video.
        reverse: the video is followed backwards.
        is_first: the frame is not tracked, but begins with prompts.
    """

    frame: int
    num_frames: int
    reverse: bool = False
    is_first: bool = False


def pointer_places(distances: Tensor, channels: int) -> Tensor:
    """Return sines, then cosines, of (n,) distances: (n, channels)."""
    half = channels // 2
    pair = torch.arange(half, device=distances.device) // 2
    angles = distances[:, None] / 10000 ** (2 * pair / half)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def remembering(model: SAMV2, features: FrameFeatures, memories: Memories | OneObject, moment: Moment) -> Tensor:
    """Return a frame's coarsest map (B, C, h, w) after attention to what is remembered.

    Paper: Ravi et al., "SAM 2", arXiv:2408.00714, section 4.
    """
    o, tokens, places = model.options, features.tokens[-1], features.places[-1]
    size, batch = features.sizes[-1], tokens.shape[1]
    if moment.is_first and o.directly_add_no_mem_embed:
        return (tokens + model.no_mem_embed).permute(1, 2, 0).unflatten(2, size)
    contents, positions, num_pointers = [], [], 0
    if moment.is_first:
        contents.append(model.no_mem_embed.expand(1, batch, model.mem_dim))
        positions.append(model.no_mem_pos_enc.expand(1, batch, model.mem_dim))
    else:
        wanted = recall(moment.frame, o, memories.prompted, memories.is_tracked, moment.num_frames, moment.reverse)
        table: Tensor | None = None  # of positions on a map, the same for all frames
        for frame, row in wanted.masks:
            remembered = memories[frame].features.to(tokens.device, tokens.dtype)
            if table is None:
                table = model.memory_encoder.position_encoding(remembered).flatten(2).permute(2, 0, 1)
            contents.append(remembered.flatten(2).permute(2, 0, 1))
            positions.append(table + model.maskmem_tpos_enc[row])
        if wanted.pointers:
            pointers, where = _pointers(model, memories, wanted.pointers, moment.num_frames)
            contents.append(pointers.to(tokens.dtype))
            positions.append(where.expand(-1, batch, -1))
            num_pointers = len(pointers)
    attended = model.memory_attention(
        curr=[tokens],
        curr_pos=[places],
        memory=torch.cat(contents),
        memory_pos=torch.cat(positions),
        num_obj_ptr_tokens=num_pointers,
    )
    return attended.permute(1, 2, 0).unflatten(2, size)


def _pointers(
    model: SAMV2, memories: Memories | OneObject, wanted: list[tuple[int, int]], num_frames: int
) -> tuple[Tensor, Tensor]:
    """Return pointers, each cut into tokens as wide as a memory, (n, B, mem_dim), and positions (n, 1, mem_dim)."""
    o, device = model.options, model.device
    pointers = torch.stack([memories[frame].pointers.to(device) for frame, _ in wanted])  # (n, B, C)
    pieces = pointers.unflatten(2, (-1, model.mem_dim)).transpose(1, 2)  # (n, C / mem_dim, B, mem_dim)
    if o.add_tpos_enc_to_obj_ptrs:
        longest = max(1, min(num_frames, o.max_obj_ptrs_in_encoder) - 1)
        distances = torch.tensor([distance / longest for _, distance in wanted], device=device)
        width = model.hidden_dim if o.proj_tpos_enc_in_obj_ptrs else model.mem_dim
        places = model.obj_ptr_tpos_proj(pointer_places(distances, width))
    else:
        places = pointers.new_zeros(len(wanted), model.mem_dim)
    return pieces.flatten(0, 1), places[:, None].repeat_interleave(pieces.shape[1], dim=0)


def track(
    model: SAMV2,
    features: FrameFeatures,
    memories: Memories | OneObject,
    moment: Moment,
    points: PointInputs | None = None,
    mask: Tensor | None = None,
    previous: Tensor | None = None,
) -> tuple[Found, Tensor]:
    """Find B objects on a frame.

    Args:
        points: prompts, in pixels of the network's input.
        mask: a prompt (B, 1, S, S) of zeros and ones, without points.
        previous: logits (B, 1, S / 4, S / 4) found before, which points correct.

    Returns:
        Their masks and pointers, and logits (B, 1, S, S).
    """
    o = model.options
    *finer, _ = features.maps
    high_res = finer or None
    if mask is not None and o.use_mask_input_as_output_without_sam:
        outputs = model.usemaskasoutput(features.maps[-1], high_res, mask)
    else:
        count = points["point_labels"].shape[1] if points else 0
        outputs = model.forwardsamheads(
            remembering(model, features, memories, moment),
            point_inputs=points,
            mask_inputs=mask if previous is None else previous,
            high_res_features=high_res,
            multimask_output=o.multimask_output_in_sam
            and (moment.is_first or o.multimask_output_for_tracking)
            and o.multimask_min_pt_num <= count <= o.multimask_max_pt_num,
        )
    _, _, _, masks, masks_large, pointers, _ = outputs
    return Found(masks, pointers), masks_large


def remember(model: SAMV2, features: FrameFeatures, masks_large: Tensor, has_prompts: bool) -> Tensor:
    """Return what later frames attend to, (B, mem_dim, h, w) bfloat16, of logits (B, 1, S, S).

    Published results were made with memories of that precision.
    """
    memory, _ = model.encodenewmemory(features.tokens, features.sizes, masks_large, is_mask_from_pts=has_prompts)
    return memory.to(torch.bfloat16)
