from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ...backbones import BuildActivation
from ...backbones.bricks.normalization.layernorm import LayerNorm2d
from ...backbones.bricks.transformer import MLP
from ..sam.maskdecoder import MaskDecoder


class HQMaskDecoder(MaskDecoder):
    """SAM's mask decoder with one more token, whose mask is made of the image encoder's early and late maps together.

    Paper: Ke et al., "Segment Anything in High Quality", NeurIPS 2023, arXiv:2306.01567, section 3.2 and figure 2.

    Args:
        vit_dim: width of the early map.
        fields: of `MaskDecoder`.

    Shape:
        As `MaskDecoder`, with M = 1: of several masks the one of the highest quality is refined.
        interm_embeddings: maps (1 or B, h, w, vit_dim) of the image encoder, of which the first is read.
    """

    def __init__(
        self,
        *,
        vit_dim: int,
        transformer_dim: int,
        act_cfg: Mapping[str, Any] | None = {"type": "GELU"},
        transformer_cfg: Mapping[str, Any],
        num_multimask_outputs: int = 3,
        iou_head_depth: int = 3,
        iou_head_hidden_dim: int = 256,
    ):
        super().__init__(
            transformer_cfg=transformer_cfg,
            transformer_dim=transformer_dim,
            num_multimask_outputs=num_multimask_outputs,
            iou_head_depth=iou_head_depth,
            iou_head_hidden_dim=iou_head_hidden_dim,
            act_cfg=act_cfg,
        )
        wide, narrow = transformer_dim // 4, transformer_dim // 8
        self.hf_token = nn.Embedding(1, transformer_dim)
        self.hf_mlp = MLP(transformer_dim, transformer_dim, narrow, 3)
        self.compress_vit_feat = self._enlarging(vit_dim, transformer_dim, narrow, act_cfg)
        self.embedding_encoder = self._enlarging(transformer_dim, wide, narrow, act_cfg)
        self.embedding_maskfeature = nn.Sequential(
            nn.Conv2d(narrow, wide, 3, padding=1),
            LayerNorm2d(wide, eps=1e-6),
            BuildActivation(act_cfg),
            nn.Conv2d(wide, narrow, 3, padding=1),
        )

    @staticmethod
    def _enlarging(before: int, inside: int, after: int, act_cfg: Mapping[str, Any] | None) -> nn.Sequential:
        return nn.Sequential(
            nn.ConvTranspose2d(before, inside, 2, stride=2),
            LayerNorm2d(inside, eps=1e-6),
            BuildActivation(act_cfg),
            nn.ConvTranspose2d(inside, after, 2, stride=2),
        )

    def forward(  # type: ignore[override]
        self,
        image_embeddings: Tensor,
        image_pe: Tensor,
        sparse_prompt_embeddings: Tensor,
        dense_prompt_embeddings: Tensor,
        multimask_output: bool,
        hq_token_only: bool,
        interm_embeddings: Sequence[Tensor],
    ) -> tuple[Tensor, Tensor]:
        tokens, image = self.attend(
            torch.cat([self.learnt_tokens(), self.hf_token.weight]),
            image_embeddings,
            image_pe,
            sparse_prompt_embeddings,
            dense_prompt_embeddings,
        )
        upscaled, count = self.output_upscaling(image), self.num_mask_tokens
        fine = self.embedding_maskfeature(upscaled) + self.fine_map(image_embeddings, interm_embeddings[0])
        hq_mask = (self.hf_mlp(tokens[:, 1 + count])[:, None] @ fine.flatten(2)).unflatten(2, fine.shape[2:])
        masks, iou = self.masks_of(tokens[:, 1 : 1 + count], upscaled), self.iou_prediction_head(tokens[:, 0])
        if multimask_output:
            iou, best = iou[:, 1:].max(dim=1, keepdim=True)
            masks = masks[:, 1:].gather(1, best[..., None, None].expand(-1, -1, *masks.shape[2:]))
        else:
            masks, iou = masks[:, :1], iou[:, :1]
        return hq_mask if hq_token_only else masks + hq_mask, iou

    def fine_map(self, image_embeddings: Tensor, early: Tensor) -> Tensor:
        """Return what the early and the late map say together, (1 or B, C / 8, 4h, 4w)."""
        return self.embedding_encoder(image_embeddings) + self.compress_vit_feat(early.permute(0, 3, 1, 2))
