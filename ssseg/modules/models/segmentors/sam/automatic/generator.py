"""Masks of everything in a picture."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .....utils.errors import ConfigError, listed, nearest
from ..prompts import require_image
from .boxes import boxes_of_masks, near_inner_edges, xywh
from .crops import Box, crop_boxes
from .grids import Points, point_grids
from .nms import nms
from .regions import remove_small_regions
from .rle import area_of_rle, coco_rle, mask_of_rle, rle_of_mask
from .stability import stability_score

Progress = Callable[[int, int], None]
"""Called with the number of points done and that of all."""

MAX_LOGITS = 1 << 25  # at once: 128 MB of float32
OUTPUT_MODES = {"binary_mask": mask_of_rle, "uncompressed_rle": lambda rle: rle, "coco_rle": coco_rle}


@dataclass
class Candidates:
    """N masks, with what is known of each.

    Args:
        rles: run lengths in the whole picture.
        boxes: (N, 4) int64, x0, y0, x1, y1 in the whole picture.
        scores, stability: (N,).
        points: (N, 2) float64, the prompts, in the whole picture.
        crops: (N, 4) int64, where they were looked for.
    """

    rles: list[dict[str, Any]]
    boxes: Tensor
    scores: Tensor
    stability: Tensor
    points: Tensor
    crops: Tensor

    def __len__(self) -> int:
        return len(self.rles)

    def select(self, indices: Tensor) -> Self:
        """Return those at `indices` (K,)."""
        kept = {field.name: getattr(self, field.name) for field in fields(self)}
        rles = [self.rles[i] for i in indices.tolist()]
        return type(self)(rles, **{name: values[indices] for name, values in kept.items() if name != "rles"})

    @classmethod
    def join(cls, parts: "Sequence[Candidates]") -> "Candidates":
        """Return all of several; there is at least one part."""
        names = [field.name for field in fields(cls) if field.name != "rles"]
        joined = {name: torch.cat([getattr(part, name) for part in parts]) for name in names}
        return cls([rle for part in parts for rle in part.rles], **joined)


class MaskGenerator:
    """Finds everything in a picture: prompts with a grid of points, keeps good masks, takes out doubles.

    Paper: Kirillov et al., "Segment Anything", ICCV 2023, arXiv:2304.02643, appendix B.

    Args:
        predictor: answers prompts.
        points_per_side: points along each side of the grid; None where `point_grids` are given.
        points_per_batch: points at once: more are faster and need more memory.
        pred_iou_thresh: keep masks of a higher predicted quality; 0 keeps all.
        stability_score_thresh: keep masks of at least this stability, see `stability_score`; 0 keeps all.
        stability_score_offset: of the two thresholds that are compared.
        box_nms_thresh: intersection over union of boxes above which the worse mask of a crop is a double.
        crop_n_layers: also look into crops, see `crop_boxes`.
        crop_nms_thresh: as `box_nms_thresh`, between crops; those in smaller crops count as better.
        crop_overlap_ratio: see `crop_boxes`.
        crop_n_points_downscale_factor: by what grids of each next layer are sparser.
        point_grids: grids (N, 2) in 0..1, x and y, one for each layer, in place of even ones.
        min_mask_region_area: take out smaller holes and islands, in pixels.
        output_mode: "binary_mask", "uncompressed_rle" or "coco_rle".

    Raises:
        ConfigError: an option is unknown or does not fit the others.
    """

    def __init__(
        self,
        predictor: Any,
        *,
        points_per_side: int | None = 32,
        points_per_batch: int = 64,
        pred_iou_thresh: float = 0.88,
        stability_score_thresh: float = 0.95,
        stability_score_offset: float = 1.0,
        box_nms_thresh: float = 0.7,
        crop_n_layers: int = 0,
        crop_nms_thresh: float = 0.7,
        crop_overlap_ratio: float = 512 / 1500,
        crop_n_points_downscale_factor: int = 1,
        point_grids: Sequence[NDArray[Any]] | None = None,
        min_mask_region_area: float = 0,
        output_mode: str = "binary_mask",
    ):
        self.predictor = predictor
        self.points_per_batch = points_per_batch
        self.pred_iou_thresh = pred_iou_thresh
        self.stability_score_thresh, self.stability_score_offset = stability_score_thresh, stability_score_offset
        self.box_nms_thresh, self.crop_nms_thresh = box_nms_thresh, crop_nms_thresh
        self.crop_n_layers, self.crop_overlap_ratio = crop_n_layers, crop_overlap_ratio
        self.min_mask_region_area, self.output_mode = min_mask_region_area, output_mode
        if output_mode not in OUTPUT_MODES:
            raise ConfigError(
                f"output_mode: is {output_mode!r}, must be one of {listed(OUTPUT_MODES)}."
                f"{nearest(output_mode, OUTPUT_MODES)}"
            )
        if points_per_batch < 1:
            raise ConfigError(f"points_per_batch: is {points_per_batch}, must be 1 or more.")
        self.point_grids = _grids(points_per_side, point_grids, crop_n_layers, crop_n_points_downscale_factor)

    @property
    def mask_threshold(self) -> float:
        """The logit from which on a pixel belongs to a mask."""
        return self.predictor.model.mask_threshold

    def decode(self, points: Tensor, **options: Any) -> tuple[Tensor, Tensor]:
        """Return logits (B, M, ., .) and qualities (B, M) for single points (B, 2) in the picture that is set."""
        coords = self.predictor.transform.applycoordstorch(points, self.predictor.original_size)
        coords = coords.float().to(self.predictor.device)
        labels = torch.ones(len(points), 1, dtype=torch.int64, device=coords.device)
        return self.predictor.decode(coords[:, None], labels, None, None, **options)

    def enlarge(self, low_res: Tensor) -> Tensor:
        """Return logits (N, 1, ., .) at the size of the picture that is set, (N, 1, H, W)."""
        return self.predictor.enlarge(low_res)

    @torch.no_grad()
    def search(self, image: NDArray[np.uint8], progress: Progress | None, **options: Any) -> list[dict[str, Any]]:
        """Return what `generate` does; `options` are those of `decode`."""
        require_image(image)
        size = (image.shape[0], image.shape[1])
        crops = crop_boxes(size, self.crop_n_layers, self.crop_overlap_ratio)
        total, done = sum(len(self.point_grids[layer]) for _, layer in crops), 0
        found = []
        for crop, layer in crops:
            x0, y0, x1, y1 = crop
            self.predictor.setimage(np.ascontiguousarray(image[y0:y1, x0:x1]))
            points = torch.from_numpy(self.point_grids[layer] * (x1 - x0, y1 - y0))
            parts: list[Candidates] = []
            for batch in points.split(self.points_per_batch):
                parts.extend(self._look(batch, crop, size, **options))
                done += len(batch)
                if progress is not None:
                    progress(done, total)
            self.predictor.resetimage()
            if parts:
                part = Candidates.join(parts)
                found.append(part.select(nms(part.boxes, part.scores, self.box_nms_thresh)))
        return [self._record(one) for one in self._clean(found)]

    def _look(self, points: Tensor, crop: Box, size: tuple[int, int], **options: Any) -> Iterator[Candidates]:
        """Yield good masks at `points` (B, 2) in a crop."""
        low_res, scores = self.decode(points, **options)
        count = low_res.shape[1]
        low_res, scores = low_res.flatten(0, 1)[:, None], scores.flatten()
        points = (points + torch.tensor(crop[:2])).repeat_interleave(count, dim=0)
        if self.pred_iou_thresh > 0:
            good = scores > self.pred_iou_thresh
            low_res, scores, points = low_res[good], scores[good], points[good.cpu()]
        side = getattr(self.predictor.model, "img_size", 0)
        at_once = max(1, MAX_LOGITS // max(math.prod(self.predictor.original_size), side * side))
        for i in range(0, len(scores), at_once):
            some = slice(i, i + at_once)
            kept = self._keep(self.enlarge(low_res[some])[:, 0], scores[some], points[some], crop, size)
            if len(kept):
                yield kept

    def _keep(self, logits: Tensor, scores: Tensor, points: Tensor, crop: Box, size: tuple[int, int]) -> Candidates:
        """Return stable masks, of logits (N, h, w) in a crop, that do not go on outside of it."""
        stability = stability_score(logits, self.mask_threshold, self.stability_score_offset)
        good = torch.ones_like(stability, dtype=torch.bool)
        if self.stability_score_thresh > 0:
            good = stability >= self.stability_score_thresh
        masks = logits > self.mask_threshold
        boxes = boxes_of_masks(masks) + torch.tensor([*crop[:2], *crop[:2]], device=masks.device)
        good &= ~near_inner_edges(boxes, crop, size)
        rles = []
        for mask in masks[good].cpu().numpy():
            whole = np.zeros(size, dtype=bool)
            whole[crop[1] : crop[3], crop[0] : crop[2]] = mask
            rles.append(rle_of_mask(whole))
        good_cpu = good.cpu()
        crops = torch.tensor(crop).expand(len(rles), 4)
        return Candidates(
            rles, boxes.cpu()[good_cpu], scores.cpu()[good_cpu], stability.cpu()[good_cpu], points[good_cpu], crops
        )

    def _clean(self, found: list[Candidates]) -> Iterator[Candidates]:
        """Yield, one by one, masks of several crops without doubles and small regions."""
        if not found:
            return
        masks = Candidates.join(found)
        if len(self.point_grids) > 1:
            areas = (masks.crops[:, 2:] - masks.crops[:, :2]).prod(dim=1)
            masks = masks.select(nms(masks.boxes, 1 / areas, self.crop_nms_thresh))
        if self.min_mask_region_area > 0:
            masks = self._without_small_regions(masks)
        for i in range(len(masks)):
            yield masks.select(torch.tensor([i]))

    def _without_small_regions(self, masks: Candidates) -> Candidates:
        """Return masks without small holes and islands; of doubles that this makes those that it changed go first."""
        rles, boxes, unchanged = [], [], []
        for rle, box in zip(masks.rles, masks.boxes, strict=True):
            mask, without_holes = remove_small_regions(mask_of_rle(rle), self.min_mask_region_area, "holes")
            mask, without_islands = remove_small_regions(mask, self.min_mask_region_area, "islands")
            changed = without_holes or without_islands
            rles.append(rle_of_mask(mask) if changed else rle)
            boxes.append(boxes_of_masks(torch.from_numpy(mask)) if changed else box)
            unchanged.append(float(not changed))
        if not rles:
            return masks
        masks.rles, masks.boxes = rles, torch.stack(boxes)
        threshold = max(self.box_nms_thresh, self.crop_nms_thresh)
        return masks.select(nms(masks.boxes, torch.tensor(unchanged), threshold))

    def _record(self, one: Candidates) -> dict[str, Any]:
        (rle,) = one.rles
        return {
            "segmentation": OUTPUT_MODES[self.output_mode](rle),
            "area": area_of_rle(rle),
            "bbox": xywh(one.boxes[0].tolist()),
            "predicted_iou": one.scores.item(),
            "point_coords": one.points.tolist(),
            "stability_score": one.stability.item(),
            "crop_box": xywh(one.crops[0].tolist()),
        }


def _grids(
    per_side: int | None, given: Sequence[NDArray[Any]] | None, num_layers: int, downscale_factor: int
) -> list[Points]:
    if (per_side is None) == (given is None):
        raise ConfigError("points_per_side and point_grids: give one of them, and None for the other.")
    if per_side is not None:
        return point_grids(per_side, num_layers, downscale_factor)
    grids = [np.asarray(grid, dtype=np.float64) for grid in given or ()]
    if len(grids) != num_layers + 1 or any(grid.ndim != 2 or grid.shape[1] != 2 for grid in grids):
        raise ConfigError(
            f"point_grids: holds {len(grids)} of shapes {listed([grid.shape for grid in grids], 4)}, must hold "
            f"{num_layers + 1}, one for the picture and one for each of crop_n_layers, (N, 2) each."
        )
    return grids
