from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..sam.automatic.generator import Progress
from ..sam.automaticmaskgenerator import SAMAutomaticMaskGenerator
from ..sam.building import build_promptable
from ..sam.predictor import ImagePredictor, Prediction
from ..sam.published import TINY_VIT, VITS, promptable

# The authors', trained on HQSeg-44K; Apache-2.0.
_FOLDER = "https://huggingface.co/lkeab/hq-sam/resolve/main"
_WIDTHS = {"h": 1280, "l": 1024, "b": 768}


def samhq(size: str) -> dict[str, Any]:
    """Return the cfg of a published SAMHQ, with the encoder `size`."""
    backbone, width = (VITS[size](), _WIDTHS[size]) if size in VITS else (TINY_VIT, 160)
    return promptable(backbone, f"{_FOLDER}/sam_hq_vit_{'tiny' if size == 't_5m' else size}.pth", vit_dim=width)


SAMHQ_CFGS = {f"use_default_samhq_{size}": partial(samhq, size) for size in ("t_5m", "b", "l", "h")}


class SAMHQPredictor(ImagePredictor):
    """Answers prompts in a picture with SAMHQ.

    Paper: Ke et al., "Segment Anything in High Quality", NeurIPS 2023, arXiv:2306.01567.

    Args:
        sam_cfg, device, load_ckpt_strict: see `SAMPredictor`; the weights of the smallest model never have to fit
            entry by entry: its file holds a classifier besides.
        use_default_samhq_t_5m, use_default_samhq_b, use_default_samhq_l, use_default_samhq_h: take a published model,
            and fetch its weights once.
    """

    def __init__(
        self,
        sam_cfg: Mapping[str, Any] | None = None,
        use_default_samhq_t_5m: bool = False,
        use_default_samhq_b: bool = False,
        use_default_samhq_l: bool = False,
        use_default_samhq_h: bool = False,
        device: str | torch.device | None = None,
        load_ckpt_strict: bool = True,
    ):
        flags = {
            "use_default_samhq_t_5m": use_default_samhq_t_5m,
            "use_default_samhq_b": use_default_samhq_b,
            "use_default_samhq_l": use_default_samhq_l,
            "use_default_samhq_h": use_default_samhq_h,
        }
        strict = load_ckpt_strict and not use_default_samhq_t_5m
        super().__init__(build_promptable("SAMHQ", sam_cfg, flags, SAMHQ_CFGS, device, strict))

    def predict(
        self,
        point_coords: NDArray[Any] | None = None,
        point_labels: NDArray[Any] | None = None,
        box: NDArray[Any] | None = None,
        mask_input: NDArray[Any] | None = None,
        multimask_output: bool = True,
        return_logits: bool = False,
        hq_token_only: bool = False,
    ) -> Prediction:
        """Return the mask of an object that is marked by points, a box, a mask, or several of them.

        Arguments, results and errors are those of `SAMPredictor.predict`, but for

        Args:
            multimask_output: choose the best of several masks, for prompts that may mean several things; M is 1.
            hq_token_only: return the refined mask alone, not added to the coarse one.
        """
        options = {"multimask_output": multimask_output, "hq_token_only": hq_token_only}
        return self.answer(point_coords, point_labels, box, mask_input, return_logits, **options)

    def predicttorch(
        self,
        point_coords: Tensor | None,
        point_labels: Tensor | None,
        boxes: Tensor | None = None,
        mask_input: Tensor | None = None,
        multimask_output: bool = True,
        return_logits: bool = False,
        hq_token_only: bool = False,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the masks of B objects, each with its prompts; see `SAMPredictor.predicttorch` and `predict`."""
        options = {"multimask_output": multimask_output, "hq_token_only": hq_token_only}
        return self.answer_torch(point_coords, point_labels, boxes, mask_input, return_logits, **options)


class SAMHQAutomaticMaskGenerator(SAMAutomaticMaskGenerator):
    """Finds everything in a picture with SAMHQ; see `SAMAutomaticMaskGenerator` and `SAMHQPredictor`."""

    predictor_class = SAMHQPredictor

    def generate(
        self, image: NDArray[np.uint8], hq_token_only: bool = False, *, progress: Progress | None = None
    ) -> list[dict[str, Any]]:
        """Return the masks of everything in a picture; see `SAMAutomaticMaskGenerator.generate`.

        Args:
            hq_token_only: take the refined masks alone, not added to the coarse ones.
        """
        return self.search(image, progress, **self.point_options, hq_token_only=hq_token_only)
