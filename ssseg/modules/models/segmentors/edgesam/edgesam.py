from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from ..sam.automatic.stability import stability_score
from ..sam.sam import SAM, Points
from .maskdecoder import EdgeMaskDecoder


class EdgeSAM(SAM):
    """SAM with a convolutional image encoder, which was taught together with the mask decoder.

    Paper: Zhou et al., "EdgeSAM: Prompt-In-the-Loop Distillation for On-Device Deployment of SAM", 2023,
    arXiv:2312.06660.

    Args:
        cfg: as of `SAM`, and `stability_score_offset` (1.0), see `stability_score`. The backbone is usually
            EdgeSAMRepViT.
        mode: "TEST".
    """

    decoder_class = EdgeMaskDecoder

    def __init__(self, cfg: Mapping[str, Any], mode: str):
        super().__init__(cfg, mode)
        self.stability_score_offset: float = cfg.get("stability_score_offset", 1.0)

    def inference(
        self,
        batched_input: Sequence[Mapping[str, Any]],
        num_multimask_outputs: int = 1,
        use_stability_score: bool = False,
    ) -> list[dict[str, Tensor]]:
        """Return the masks of several pictures; see `SAM.inference`.

        Args:
            num_multimask_outputs: masks for each prompt: 1, 3 or 4.
            use_stability_score: return how stable masks are as their quality, not the model's estimate.
        """
        return self.infer(
            batched_input, num_multimask_outputs=num_multimask_outputs, use_stability_score=use_stability_score
        )

    def decode(
        self,
        encoded: Sequence[Tensor],
        points: Points | None,
        boxes: Tensor | None,
        masks: Tensor | None,
        use_stability_score: bool = False,
        **options: Any,
    ) -> tuple[Tensor, Tensor]:
        """Return logits (B, M, 4h, 4w) and qualities (B, M); see `SAM.decode` and `inference`."""
        logits, iou = super().decode(encoded, points, boxes, masks, **options)
        if use_stability_score:
            iou = stability_score(logits, self.mask_threshold, self.stability_score_offset)
        return logits, iou
