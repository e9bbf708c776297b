from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ..sam.automatic.generator import MaskGenerator, Progress
from .imagepredictor import LOGIT_LIMIT, SAMV2ImagePredictor
from .prompts import Prompts


class SAMV2AutomaticMaskGenerator(MaskGenerator):
    """Finds everything in a picture with SAM 2.

    Paper: Kirillov et al., "Segment Anything", ICCV 2023, arXiv:2304.02643, appendix B; Ravi et al., "SAM 2",
    arXiv:2408.00714.

    Args:
        points_per_side, ..., output_mode: see `MaskGenerator`.
        mask_threshold: the logit from which on a pixel belongs to a mask.
        min_mask_region_area: holes and islands of so many pixels of the network's mask, or fewer, are taken out.
        use_m2m: give each mask to the model as a prompt, together with its point, and take the result.
        multimask_output: take three masks of each point, not one.
        samv2_cfg, use_default_samv2_t, ..., apply_postprocessing: what the model is made of, see
            `SAMV2ImagePredictor`. With none of them the published large model is taken.

    Raises:
        ConfigError: an option is unknown or does not fit the others.
    """

    predictor: SAMV2ImagePredictor

    def __init__(
        self,
        points_per_side: int | None = 32,
        points_per_batch: int = 64,
        pred_iou_thresh: float = 0.8,
        stability_score_thresh: float = 0.95,
        stability_score_offset: float = 1.0,
        mask_threshold: float = 0.0,
        box_nms_thresh: float = 0.7,
        crop_n_layers: int = 0,
        crop_nms_thresh: float = 0.7,
        crop_overlap_ratio: float = 512 / 1500,
        crop_n_points_downscale_factor: int = 1,
        point_grids: Sequence[NDArray[Any]] | None = None,
        min_mask_region_area: float = 0,
        output_mode: str = "binary_mask",
        use_m2m: bool = False,
        multimask_output: bool = True,
        samv2_cfg: Mapping[str, Any] | None = None,
        use_default_samv2_t: bool = False,
        use_default_samv2_s: bool = False,
        use_default_samv2_bplus: bool = False,
        use_default_samv2_l: bool | None = None,
        device: str | torch.device | None = None,
        load_ckpt_strict: bool = True,
        apply_postprocessing: bool = False,
    ):
        if use_default_samv2_l is None:
            others = use_default_samv2_t or use_default_samv2_s or use_default_samv2_bplus
            use_default_samv2_l = samv2_cfg is None and not others
        predictor = SAMV2ImagePredictor(
            samv2_cfg,
            use_default_samv2_t=use_default_samv2_t,
            use_default_samv2_s=use_default_samv2_s,
            use_default_samv2_bplus=use_default_samv2_bplus,
            use_default_samv2_l=use_default_samv2_l,
            device=device,
            load_ckpt_strict=load_ckpt_strict,
            mask_threshold=mask_threshold,
            max_hole_area=min_mask_region_area,
            max_sprinkle_area=min_mask_region_area,
            apply_postprocessing=apply_postprocessing,
        )
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
            output_mode=output_mode,
        )
        self.use_m2m, self.multimask_output = use_m2m, multimask_output

    @property
    def mask_threshold(self) -> float:
        """The logit from which on a pixel belongs to a mask."""
        return self.predictor.transforms.mask_threshold

    def generate(
        self, image: NDArray[np.uint8] | Image.Image, progress: Progress | None = None
    ) -> list[dict[str, Any]]:
        """Return the masks of everything in a picture, (H, W, 3) uint8, RGB, or one of Pillow.

        What is returned and raised is that of `SAMAutomaticMaskGenerator.generate`.

        Args:
            progress: called after each batch with the number of points done and that of all.
        """
        pixels = np.array(image.convert("RGB")) if isinstance(image, Image.Image) else image
        return self.search(pixels, progress)

    def decode(self, points: Tensor, **options: Any) -> tuple[Tensor, Tensor]:
        """Return logits (B, M, h, w) and qualities (B, M) for single points (B, 2) in the picture that is set."""
        predictor = self.predictor
        coords = predictor.transforms.coords(points.float(), predictor.original_size).to(predictor.device)
        low_res, qualities = self._ask(coords, None, self.multimask_output)
        return self._refined(coords, low_res) if self.use_m2m else (low_res, qualities)

    def enlarge(self, low_res: Tensor) -> Tensor:
        """Return logits (N, 1, h, w) at the size of the picture that is set, (N, 1, H, W)."""
        return self.predictor.transforms.postprocess(low_res, self.predictor.original_size)

    def _ask(self, coords: Tensor, masks: Tensor | None, multimask_output: bool) -> tuple[Tensor, Tensor]:
        labels = torch.ones(len(coords), 1, dtype=torch.int32, device=coords.device)
        return self.predictor.decode(Prompts(coords[:, None], labels, None, masks), multimask_output)

    def _refined(self, coords: Tensor, low_res: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the model makes of each mask (B, M, h, w) and its point (B, 2), one mask for each."""
        count = low_res.shape[1]
        masks = low_res.clamp(-LOGIT_LIMIT, LOGIT_LIMIT).flatten(0, 1)[:, None]
        coords = coords.repeat_interleave(count, dim=0)
        parts = zip(coords.split(self.points_per_batch), masks.split(self.points_per_batch), strict=True)
        found = [self._ask(some_coords, some_masks, False) for some_coords, some_masks in parts]
        logits, qualities = (torch.cat(column) for column in zip(*found, strict=True))
        return logits.view(-1, count, *logits.shape[2:]), qualities.view(-1, count)
