from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ....utils.errors import ShapeError, call_with
from ...backbones import BuildActivation
from ...backbones.bricks.normalization.layernorm import LayerNorm2d
from ...backbones.bricks.transformer import MLP
from .twowaytransformer import BuildPerceptron, TwoWayTransformer, relu_perceptron


class MaskDecoder(nn.Module):
    """Predicts masks of an image and prompts, and how good each of them is.

    Paper: Kirillov et al., "Segment Anything", ICCV 2023, arXiv:2304.02643, appendix A and figure 14.

    Args:
        transformer_cfg: fields of `TwoWayTransformer`.
        transformer_dim: width of tokens and of the image's map.
        num_multimask_outputs: masks for an ambiguous prompt; one more is for prompts that are not.
        iou_head_depth, iou_head_hidden_dim: layers and width of what predicts the quality.
        iou_prediction_use_sigmoid: bring qualities to [0, 1].
        build_mlp: see `TwoWayTransformer`.

    Shape:
        image_embeddings (1 or B, C, h, w), image_pe (1, C, h, w), sparse_prompt_embeddings (B, T, C),
        dense_prompt_embeddings (B, C, h, w) to logits (B, M, 4h, 4w) and qualities (B, M): estimates of the
        intersection over union with the object. M is `num_multimask_outputs`, or 1 without `multimask_output`.
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
        build_mlp: BuildPerceptron = relu_perceptron,
    ):
        super().__init__()  # the order of the next lines is that of the entries in published checkpoints
        self.transformer_dim, self.num_multimask_outputs = transformer_dim, num_multimask_outputs
        self.num_mask_tokens = num_multimask_outputs + 1
        given = {"build_mlp": build_mlp}
        where = "SEGMENTOR_CFG['head']['transformer_cfg']"
        self.transformer = call_with(TwoWayTransformer, {**transformer_cfg, **given}, where=where, given=given)
        self.iou_token = nn.Embedding(1, transformer_dim)
        self.mask_tokens = nn.Embedding(self.num_mask_tokens, transformer_dim)
        self.add_tokens()
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(transformer_dim, transformer_dim // 4, 2, stride=2),
            LayerNorm2d(transformer_dim // 4, eps=1e-6),
            BuildActivation(act_cfg),
            nn.ConvTranspose2d(transformer_dim // 4, transformer_dim // 8, 2, stride=2),
            BuildActivation(act_cfg),
        )
        self.add_convolutions()
        self.output_hypernetworks_mlps = nn.ModuleList(
            MLP(transformer_dim, transformer_dim, transformer_dim // 8, 3) for _ in range(self.num_mask_tokens)
        )
        self.iou_prediction_head = MLP(
            transformer_dim,
            iou_head_hidden_dim,
            self.num_mask_tokens,
            iou_head_depth,
            sigmoid_output=iou_prediction_use_sigmoid,
        )

    def add_tokens(self) -> None:
        """Make the entries that a subclass has after `mask_tokens`."""

    def add_convolutions(self) -> None:
        """Make the entries that a subclass has after `output_upscaling`."""

    def forward(
        self,
        image_embeddings: Tensor,
        image_pe: Tensor,
        sparse_prompt_embeddings: Tensor,
        dense_prompt_embeddings: Tensor,
        multimask_output: bool,
    ) -> tuple[Tensor, Tensor]:
        masks, iou = self.predictmasks(image_embeddings, image_pe, sparse_prompt_embeddings, dense_prompt_embeddings)
        chosen = slice(1, None) if multimask_output else slice(0, 1)
        return masks[:, chosen], iou[:, chosen]

    def predictmasks(
        self,
        image_embeddings: Tensor,
        image_pe: Tensor,
        sparse_prompt_embeddings: Tensor,
        dense_prompt_embeddings: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Return logits (B, num_mask_tokens, 4h, 4w) and qualities (B, num_mask_tokens), those of one mask first."""
        tokens, image = self.attend(
            self.learnt_tokens(), image_embeddings, image_pe, sparse_prompt_embeddings, dense_prompt_embeddings
        )
        mask_tokens = tokens[:, 1 : 1 + self.num_mask_tokens]
        return self.masks_of(mask_tokens, self.output_upscaling(image)), self.iou_prediction_head(tokens[:, 0])

    def learnt_tokens(self) -> Tensor:
        """Return the tokens that stand before those of the prompts, (1 + num_mask_tokens, C)."""
        return torch.cat([self.iou_token.weight, self.mask_tokens.weight])

    def attend(
        self, learnt: Tensor, image_embeddings: Tensor, image_pe: Tensor, sparse: Tensor, dense: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the tokens `learnt` and `sparse`, (B, . + T, C), and the image's map, (B, C, h, w), as transformed."""
        batch, expected = len(sparse), self.transformer_dim
        if image_embeddings.shape[1] != expected or len(image_embeddings) not in (1, batch):
            raise ShapeError(
                f"mask decoder: the image's map is {tuple(image_embeddings.shape)}, must be (1 or {batch}, {expected}, "
                "h, w): one map for all prompts, or one for each."
            )
        if dense.shape[2:] != image_embeddings.shape[2:]:
            raise ShapeError(
                f"mask decoder: the image's map is {tuple(image_embeddings.shape[2:])} (h, w), but that of the prompts "
                f"is {tuple(dense.shape[2:])}, SEGMENTOR_CFG['prompt']['image_embedding_size']."
            )
        tokens = torch.cat([learnt.expand(batch, -1, -1), sparse], dim=1)
        tokens, places = self.transformer(image_embeddings + dense, image_pe, tokens)
        return tokens, places.transpose(1, 2).unflatten(2, dense.shape[2:])

    def masks_of(self, mask_tokens: Tensor, upscaled: Tensor) -> Tensor:
        """Return the product of each token (B, num_mask_tokens, C), transformed, with the map (B, C / 8, H, W)."""
        mlps = zip(self.output_hypernetworks_mlps, mask_tokens.unbind(1), strict=True)
        weights = torch.stack([mlp(token) for mlp, token in mlps], dim=1)  # (B, num_mask_tokens, C / 8)
        return (weights @ upscaled.flatten(2)).unflatten(2, upscaled.shape[2:])
