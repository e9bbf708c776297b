from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from ..sam.automaticmaskgenerator import SAMAutomaticMaskGenerator
from ..sam.building import build_promptable
from ..sam.predictor import ImagePredictor, Prediction
from ..sam.published import promptable

# The authors', trained on 1 % of SA-1B, the second one three times as long; S-Lab 1.0, not for commercial use.
_FOLDER = "https://github.com/SegmentationBLWX/modelstore/releases/download/ssseg_edgesam"


def edgesam(file: str) -> dict[str, Any]:
    """Return the cfg of a published EdgeSAM."""
    backbone = {"type": "EdgeSAMRepViT", "structure_type": "repvit_m1", "arch": "m1", "img_size": 1024}
    return promptable({**backbone, "upsample_mode": "bicubic"}, f"{_FOLDER}/{file}")


EDGESAM_CFGS = {
    "use_default_edgesam": partial(edgesam, "edge_sam.pth"),
    "use_default_edgesam_3x": partial(edgesam, "edge_sam_3x.pth"),
}


class EdgeSAMPredictor(ImagePredictor):
    """Answers prompts in a picture with EdgeSAM.

    Paper: Zhou et al., "EdgeSAM", 2023, arXiv:2312.06660.

    Args:
        sam_cfg, device, load_ckpt_strict: see `SAMPredictor`.
        use_default_edgesam, use_default_edgesam_3x: take a published model, and fetch its weights once.
    """

    def __init__(
        self,
        sam_cfg: Mapping[str, Any] | None = None,
        use_default_edgesam: bool = False,
        use_default_edgesam_3x: bool = False,
        device: str | torch.device | None = None,
        load_ckpt_strict: bool = True,
    ):
        flags = {"use_default_edgesam": use_default_edgesam, "use_default_edgesam_3x": use_default_edgesam_3x}
        super().__init__(build_promptable("EdgeSAM", sam_cfg, flags, EDGESAM_CFGS, device, load_ckpt_strict))

    def predict(
        self,
        point_coords: NDArray[Any] | None = None,
        point_labels: NDArray[Any] | None = None,
        box: NDArray[Any] | None = None,
        mask_input: NDArray[Any] | None = None,
        num_multimask_outputs: int = 3,
        return_logits: bool = False,
        use_stability_score: bool = False,
    ) -> Prediction:
        """Return the masks of an object that is marked by points, a box, a mask, or several of them.

        Arguments, results and errors are those of `SAMPredictor.predict`, but for

        Args:
            num_multimask_outputs: 3 for prompts that may mean several things, 1 for others, 4 for all.
            use_stability_score: return how stable masks are as their quality, not the model's estimate.
        """
        options = {"num_multimask_outputs": num_multimask_outputs, "use_stability_score": use_stability_score}
        return self.answer(point_coords, point_labels, box, mask_input, return_logits, **options)

    def predicttorch(
        self,
        point_coords: Tensor | None,
        point_labels: Tensor | None,
        boxes: Tensor | None = None,
        mask_input: Tensor | None = None,
        num_multimask_outputs: int = 3,
        return_logits: bool = False,
        use_stability_score: bool = True,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the masks of B objects, each with its prompts; see `SAMPredictor.predicttorch` and `predict`."""
        options = {"num_multimask_outputs": num_multimask_outputs, "use_stability_score": use_stability_score}
        return self.answer_torch(point_coords, point_labels, boxes, mask_input, return_logits, **options)


class EdgeSAMAutomaticMaskGenerator(SAMAutomaticMaskGenerator):
    """Finds everything in a picture with EdgeSAM; `predicted_iou` holds how stable masks are at low resolution.

    See `SAMAutomaticMaskGenerator` and `EdgeSAMPredictor`.
    """

    predictor_class = EdgeSAMPredictor
    point_options = {"num_multimask_outputs": 3, "use_stability_score": True}
