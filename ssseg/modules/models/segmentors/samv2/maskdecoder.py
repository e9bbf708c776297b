from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ...backbones.bricks.transformer import MLP
from ..sam.automatic import stability_score
from ..sam.maskdecoder import MaskDecoder


def build_mlp(embedding_dim: int, mlp_dim: int) -> MLP:
    """Build the perceptron of SAM 2's decoder, whose layers have other names than SAM's."""
    return MLP(embedding_dim, mlp_dim, embedding_dim, 2)


class SAMV2MaskDecoder(MaskDecoder):
    """SAM's decoder, that also tells whether the object is there, and reads finer maps of the image.

    Paper: Ravi et al., "SAM 2", arXiv:2408.00714, section 4 and appendix D.1, figure 9.

    Args:
        transformer_cfg, ..., iou_prediction_use_sigmoid: see `MaskDecoder`.
        use_high_res_features: add the maps at 1/4 and 1/8 while masks are enlarged.
        pred_obj_scores: tell whether the object is there.
        pred_obj_scores_mlp: by a perceptron, else by one linear layer.
        use_multimask_token_for_obj_ptr: return the tokens of several masks where several are asked for.
        dynamic_multimask_via_stability: in eval mode take the best of several masks where the single one changes with
            its threshold: where its `stability_score` at 0 +- `dynamic_multimask_stability_delta` is less than
            `dynamic_multimask_stability_thresh`.
    """

    def __init__(
        self,
        *,
        transformer_cfg: Mapping[str, Any],
        transformer_dim: int,
        num_multimask_outputs: int = 3,
        iou_head_depth: int = 3,
        iou_head_hidden_dim: int = 256,
        act_cfg: Mapping[str, Any] | None = {"type": "GELU"},
        iou_prediction_use_sigmoid: bool = False,
        use_high_res_features: bool = False,
        pred_obj_scores: bool = False,
        pred_obj_scores_mlp: bool = False,
        use_multimask_token_for_obj_ptr: bool = False,
        dynamic_multimask_via_stability: bool = False,
        dynamic_multimask_stability_delta: float = 0.05,
        dynamic_multimask_stability_thresh: float = 0.98,
    ):
        self.use_high_res_features = use_high_res_features  # the base class asks for these while it makes its entries
        self.pred_obj_scores = pred_obj_scores
        super().__init__(
            transformer_cfg=transformer_cfg,
            transformer_dim=transformer_dim,
            num_multimask_outputs=num_multimask_outputs,
            iou_head_depth=iou_head_depth,
            iou_head_hidden_dim=iou_head_hidden_dim,
            act_cfg=act_cfg,
            iou_prediction_use_sigmoid=iou_prediction_use_sigmoid,
            build_mlp=build_mlp,
        )
        if pred_obj_scores:
            dim = transformer_dim
            self.pred_obj_score_head = MLP(dim, dim, 1, 3) if pred_obj_scores_mlp else nn.Linear(dim, 1)
        self.several_tokens = use_multimask_token_for_obj_ptr
        self.dynamic_multimask = dynamic_multimask_via_stability
        self.delta, self.stable_above = dynamic_multimask_stability_delta, dynamic_multimask_stability_thresh

    def add_tokens(self) -> None:
        if self.pred_obj_scores:
            self.obj_score_token = nn.Embedding(1, self.transformer_dim)

    def add_convolutions(self) -> None:
        if self.use_high_res_features:
            self.conv_s0 = nn.Conv2d(self.transformer_dim, self.transformer_dim // 8, 1)
            self.conv_s1 = nn.Conv2d(self.transformer_dim, self.transformer_dim // 4, 1)

    def learnt_tokens(self) -> Tensor:
        tokens = super().learnt_tokens()
        return torch.cat([self.obj_score_token.weight, tokens]) if self.pred_obj_scores else tokens

    def forward(  # type: ignore[override]
        self,
        image_embeddings: Tensor,
        image_pe: Tensor,
        sparse_prompt_embeddings: Tensor,
        dense_prompt_embeddings: Tensor,
        multimask_output: bool,
        repeat_image: bool = False,
        high_res_features: Sequence[Tensor] | None = None,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return logits (B, M, 4h, 4w), qualities (B, M), tokens (B, 1 or M, C) and scores of being there (B, 1).

        Args:
            repeat_image: not needed; one map is taken for all prompts.
            high_res_features: maps (1 or B, C / 8, 4h, 4w) and (1 or B, C / 4, 2h, 2w), of `conv_s0` and `conv_s1`.
        """
        tokens, image = self.attend(
            self.learnt_tokens(), image_embeddings, image_pe, sparse_prompt_embeddings, dense_prompt_embeddings
        )
        if self.pred_obj_scores:
            scores, tokens = self.pred_obj_score_head(tokens[:, 0]), tokens[:, 1:]
        else:
            scores = tokens.new_full((len(tokens), 1), 10)
        mask_tokens = tokens[:, 1 : 1 + self.num_mask_tokens]
        masks = self.masks_of(mask_tokens, self.enlarged(image, high_res_features))
        iou = self.iou_prediction_head(tokens[:, 0])
        if multimask_output:
            kept = mask_tokens[:, 1:] if self.several_tokens else mask_tokens[:, :1]
            return masks[:, 1:], iou[:, 1:], kept, scores
        if self.dynamic_multimask and not self.training:
            masks, iou = self.stable(masks, iou)
        return masks[:, :1], iou[:, :1], mask_tokens[:, :1], scores

    def enlarged(self, image: Tensor, high_res_features: Sequence[Tensor] | None) -> Tensor:
        """Return (B, C / 8, 4h, 4w) of (B, C, h, w)."""
        if not self.use_high_res_features or high_res_features is None:
            return self.output_upscaling(image)
        first, norm, act, second, last_act = self.output_upscaling
        quarter, half = high_res_features
        return last_act(second(act(norm(first(image) + half))) + quarter)

    def stable(self, masks: Tensor, iou: Tensor) -> tuple[Tensor, Tensor]:
        """Return the first mask and its quality where it is stable, else the best of the others, (B, 1, ...)."""
        best = 1 + iou[:, 1:].argmax(1)
        rows = torch.arange(len(best), device=best.device)
        stability = stability_score(masks[:, 0], 0, self.delta).nan_to_num(nan=1)  # an empty mask stays empty
        is_stable = stability >= self.stable_above  # (B,)
        return (
            masks[:, 0].where(is_stable[:, None, None], masks[rows, best])[:, None],
            iou[:, 0].where(is_stable, iou[rows, best])[:, None],
        )
