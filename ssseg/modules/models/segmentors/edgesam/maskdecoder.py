from torch import Tensor

from ....utils.errors import ConfigError
from ..sam.maskdecoder import MaskDecoder


class EdgeMaskDecoder(MaskDecoder):
    """SAM's mask decoder, that returns the mask of a clear prompt, those of an ambiguous one, or all.

    Paper: Zhou et al., "EdgeSAM: Prompt-In-the-Loop Distillation for On-Device Deployment of SAM", 2023,
    arXiv:2312.06660.

    Shape:
        As `MaskDecoder`; M is `num_multimask_outputs`: 1, or with three masks for ambiguous prompts 3 or 4.
    """

    def forward(
        self,
        image_embeddings: Tensor,
        image_pe: Tensor,
        sparse_prompt_embeddings: Tensor,
        dense_prompt_embeddings: Tensor,
        num_multimask_outputs: int,
    ) -> tuple[Tensor, Tensor]:
        several = self.num_multimask_outputs
        chosen = {1: slice(0, 1), several: slice(1, None), several + 1: slice(None)}
        if num_multimask_outputs not in chosen:
            raise ConfigError(
                f"num_multimask_outputs: is {num_multimask_outputs!r}, must be 1, {several} or {several + 1}."
            )
        masks, iou = self.predictmasks(image_embeddings, image_pe, sparse_prompt_embeddings, dense_prompt_embeddings)
        return masks[:, chosen[num_multimask_outputs]], iou[:, chosen[num_multimask_outputs]]
