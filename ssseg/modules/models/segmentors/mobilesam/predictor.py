from collections.abc import Mapping
from functools import partial
from typing import Any

import torch

from ..sam.automaticmaskgenerator import SAMAutomaticMaskGenerator
from ..sam.building import build_promptable
from ..sam.predictor import ImagePredictor, SAMPredictor
from ..sam.published import TINY_VIT, promptable

# The authors', trained on 1 % of SA-1B; Apache-2.0.
MOBILESAM_CFGS = {
    "use_default_sam_t_5m": partial(
        promptable,
        TINY_VIT,
        "https://github.com/SegmentationBLWX/modelstore/releases/download/ssseg_mobilesam/sam_vit_t_5m.pth",
    )
}


class MobileSAMPredictor(SAMPredictor):
    """Answers prompts in a picture with MobileSAM.

    Paper: Zhang et al., "Faster Segment Anything", 2023, arXiv:2306.14289.

    Args:
        sam_cfg, device, load_ckpt_strict: see `SAMPredictor`.
        use_default_sam_t_5m: take the published model, and fetch its weights once.
    """

    def __init__(
        self,
        sam_cfg: Mapping[str, Any] | None = None,
        use_default_sam_t_5m: bool = False,
        device: str | torch.device | None = None,
        load_ckpt_strict: bool = False,
    ):
        flags = {"use_default_sam_t_5m": use_default_sam_t_5m}
        model = build_promptable("MobileSAM", sam_cfg, flags, MOBILESAM_CFGS, device, load_ckpt_strict)
        ImagePredictor.__init__(self, model)


class MobileSAMAutomaticMaskGenerator(SAMAutomaticMaskGenerator):
    """Finds everything in a picture with MobileSAM; see `SAMAutomaticMaskGenerator` and `MobileSAMPredictor`."""

    predictor_class = MobileSAMPredictor
