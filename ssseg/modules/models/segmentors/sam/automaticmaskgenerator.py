from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from ....utils.errors import ConfigError, call_with
from .automatic.generator import MaskGenerator, Progress
from .predictor import ImagePredictor, SAMPredictor


class SAMAutomaticMaskGenerator(MaskGenerator):
    """Finds everything in a picture with SAM.

    Paper: Kirillov et al., "Segment Anything", ICCV 2023, arXiv:2304.02643, appendix B.

    Args:
        points_per_side, ..., output_mode: see `MaskGenerator`.
        user_defined_sam_predictor: takes the place of the predictor that would be made.
        sam_cfg, device, model: what the predictor is made of, see `SAMPredictor`.

    Raises:
        ConfigError: an option is unknown or does not fit the others.
    """

    predictor_class: ClassVar[type[ImagePredictor]] = SAMPredictor
    point_options: ClassVar[Mapping[str, Any]] = {"multimask_output": True}
    """How the model answers the points of a grid."""

    def __init__(
        self,
        points_per_side: int | None = 32,
        points_per_batch: int = 64,
        pred_iou_thresh: float = 0.88,
        stability_score_thresh: float = 0.95,
        stability_score_offset: float = 1.0,
        device: str | torch.device | None = None,
        box_nms_thresh: float = 0.7,
        crop_n_layers: int = 0,
        crop_nms_thresh: float = 0.7,
        crop_overlap_ratio: float = 512 / 1500,
        crop_n_points_downscale_factor: int = 1,
        point_grids: Sequence[NDArray[Any]] | None = None,
        min_mask_region_area: float = 0,
        output_mode: str = "binary_mask",
        sam_cfg: Mapping[str, Any] | None = None,
        user_defined_sam_predictor: ImagePredictor | None = None,
        **model: Any,
    ):
        name = type(self).__name__
        if user_defined_sam_predictor is None:
            given = {"sam_cfg": sam_cfg, "device": device}
            predictor = call_with(self.predictor_class, {**model, **given}, where=name, given=given)
        elif sam_cfg is not None or model:
            raise ConfigError(f"{name}: user_defined_sam_predictor has its model already; give one or the other.")
        else:
            predictor = user_defined_sam_predictor
        super().__init__(
            predictor,
            points_per_side=points_per_side,
            points_per_batch=points_per_batch,
            pred_iou_thresh=pred_iou_thresh,
            stability_score_thresh=stability_score_thresh,
            stability_score_offset=stability_score_offset,
            box_nms_thresh=box_nms_thresh,
            crop_n_layers=crop_n_layers,
            crop_nms_thresh=crop_nms_thresh,
            crop_overlap_ratio=crop_overlap_ratio,
            crop_n_points_downscale_factor=crop_n_points_downscale_factor,
            point_grids=point_grids,
            min_mask_region_area=min_mask_region_area,
            output_mode=output_mode,
        )

    def generate(self, image: NDArray[np.uint8], *, progress: Progress | None = None) -> list[dict[str, Any]]:
        """Return the masks of everything in a picture, the best first.

        Args:
            image: (H, W, 3) uint8, RGB.
            progress: called after each batch with the number of points done and that of all.

        Returns:
            For each mask
            segmentation: (H, W) bool, or run lengths, as `output_mode` says;
            area: in pixels;
            bbox: x, y, width and height;
            predicted_iou: the model's own estimate of its quality;
            point_coords: the point that led to it, [[x, y]];
            stability_score: see `stability_score`;
            crop_box: x, y, width and height of the crop in which it was found.

        Raises:
            ShapeError, DataError: the picture is something else.
        """
        return self.search(image, progress, **self.point_options)
