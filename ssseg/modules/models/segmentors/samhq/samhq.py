from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from ....utils.errors import ConfigError
from ..sam.sam import SAM, Points
from .maskdecoder import HQMaskDecoder


class SAMHQ(SAM):
    """SAM whose masks are refined with early features of the image encoder.

    Paper: Ke et al., "Segment Anything in High Quality", NeurIPS 2023, arXiv:2306.01567.

    Args:
        cfg: as of `SAM`; `head` are fields of `HQMaskDecoder`. The backbone is SAMViT, with blocks that attend to the
            whole map, or MobileSAMTinyViT.
        mode: "TEST".
    """

    decoder_class = HQMaskDecoder

    def __init__(self, cfg: Mapping[str, Any], mode: str):
        super().__init__(cfg, mode)
        width = getattr(self.image_encoder, "interm_channels", None)
        if width is None:
            raise ConfigError(
                f"SEGMENTOR_CFG['backbone']: this {type(self.image_encoder).__name__} has no early map, which SAMHQ "
                "reads. Take MobileSAMTinyViT, or a SAMViT with 'global_attn_indexes'."
            )
        if width != cfg["head"]["vit_dim"]:
            raise ConfigError(
                f"SEGMENTOR_CFG['head']['vit_dim']: is {cfg['head']['vit_dim']}, must be {width}, the width of the "
                f"early map of this {type(self.image_encoder).__name__}."
            )

    def inference(
        self, batched_input: Sequence[Mapping[str, Any]], multimask_output: bool = False, hq_token_only: bool = False
    ) -> list[dict[str, Tensor]]:
        """Return the masks of several pictures; see `SAM.inference`.

        Args:
            multimask_output: choose the best of several masks for each prompt, for when it is ambiguous; M is 1.
            hq_token_only: return the refined mask alone, not added to the coarse one.
        """
        return self.infer(batched_input, multimask_output=multimask_output, hq_token_only=hq_token_only)

    def encode(self, images: Tensor) -> list[Tensor]:
        """Return the map (N, C, h, w) and the first intermediate one (N, h, w, vit_dim)."""
        features, intermediate = self.image_encoder(images, return_interm_embeddings=True)
        return [features, intermediate[0]]

    def decode(
        self,
        encoded: Sequence[Tensor],
        points: Points | None,
        boxes: Tensor | None,
        masks: Tensor | None,
        **options: Any,
    ) -> tuple[Tensor, Tensor]:
        """Return logits (B, 1, 4h, 4w) and qualities (B, 1); see `SAM.decode`."""
        return super().decode(encoded, points, boxes, masks, interm_embeddings=encoded[1:], **options)
