from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ....utils.datastructure import SSSegInputStructure
from ....utils.errors import ConfigError, call_with
from ...backbones import BuildBackbone
from ...backbones.bricks.transformer import MLP
from ...backbones.hierafpn import HieraWithFPN
from ..sam.promptencoder import NOT_A_POINT, PromptEncoder
from .maskdecoder import SAMV2MaskDecoder
from .masks import without_overlap
from .memoryattention import MemoryAttention
from .memoryencoder import MemoryEncoder
from .options import NO_OBJECT, SAMV2Options

PointInputs = Mapping[str, Tensor]  # point_coords (B, P, 2) in pixels of the network's input, point_labels (B, P)
HeadOutputs = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]


class SAMV2(nn.Module):
    """SAM 2: masks of prompted objects in pictures, followed through videos by what is remembered of them.

    It is used through `SAMV2ImagePredictor`, `SAMV2AutomaticMaskGenerator` and `SAMV2VideoPredictor`.

    Paper: Ravi et al., "SAM 2: Segment Anything in Images and Videos", ICLR 2025, arXiv:2408.00714.

    Args:
        cfg: `SEGMENTOR_CFG` without its type: `backbone`, a HieraWithFPN, and `head`: the fields of `SAMV2Options`,
            and `memory_attention_cfg` and `memory_encoder_cfg`, those of `MemoryAttention` and `MemoryEncoder`.
        mode: only "TEST".

    Raises:
        ConfigError: an entry of `cfg` is missing, unknown or does not fit the others.
    """

    def __init__(self, cfg: Mapping[str, Any], mode: str = "TEST"):
        super().__init__()
        if mode != "TEST":
            raise ConfigError(f"mode={mode!r}: SAMV2 predicts from prompts and has no training; its mode is 'TEST'.")
        for name in ("backbone", "head"):
            if not cfg.get(name):
                raise ConfigError(f"SEGMENTOR_CFG[{name!r}]: not set; SAMV2 needs it.")
        self.cfg, self.mode = cfg, mode
        encoder = BuildBackbone(cfg["backbone"])
        if not isinstance(encoder, HieraWithFPN):
            raise ConfigError(
                f"SEGMENTOR_CFG['backbone']['type']: {type(encoder).__name__} is no image encoder of SAMV2; take "
                "HieraWithFPN."
            )
        self.image_encoder = encoder
        call_with(self.build_head, cfg["head"], where="SEGMENTOR_CFG['head']")

    def build_head(
        self, memory_attention_cfg: Mapping[str, Any], memory_encoder_cfg: Mapping[str, Any], **options: Any
    ) -> None:
        """Build what stands on the image encoder; the fields are those of `SEGMENTOR_CFG['head']`."""
        where = "SEGMENTOR_CFG['head']"
        self.options = o = call_with(SAMV2Options, options, where=where)
        if o.use_obj_ptrs_in_encoder:
            self.mask_downsample = nn.Conv2d(1, 1, 4, stride=4)
        attention = call_with(MemoryAttention, memory_attention_cfg, where=f"{where}['memory_attention_cfg']")
        encoder = call_with(MemoryEncoder, memory_encoder_cfg, where=f"{where}['memory_encoder_cfg']")
        self.memory_attention: MemoryAttention = attention
        self.memory_encoder: MemoryEncoder = encoder
        self.hidden_dim: int = memory_attention_cfg["d_model"]
        self.mem_dim: int = memory_encoder_cfg["out_dim"]
        if self.hidden_dim not in self.image_encoder.out_channels:
            raise ConfigError(
                f"{where}['memory_attention_cfg']['d_model']: is {self.hidden_dim}, must be the width of the image "
                f"encoder's maps, {self.image_encoder.out_channels[-1]}."
            )
        if self.hidden_dim % self.mem_dim or (self.hidden_dim != self.mem_dim and not o.directly_add_no_mem_embed):
            raise ConfigError(
                f"{where}['memory_encoder_cfg']['out_dim']: is {self.mem_dim}, must divide the width "
                f"{self.hidden_dim} of 'memory_attention_cfg', and without directly_add_no_mem_embed be equal to it."
            )
        side = o.image_size // o.backbone_stride
        self.sam_prompt_encoder = PromptEncoder(self.hidden_dim, (side, side), (o.image_size, o.image_size), 16)
        decoder = {
            "transformer_cfg": {"depth": 2, "embedding_dim": self.hidden_dim, "mlp_dim": 2048, "num_heads": 8},
            "transformer_dim": self.hidden_dim,
            "use_high_res_features": o.use_high_res_features_in_sam,
            "iou_prediction_use_sigmoid": o.iou_prediction_use_sigmoid,
            "pred_obj_scores": o.pred_obj_scores,
            "pred_obj_scores_mlp": o.pred_obj_scores_mlp,
            "use_multimask_token_for_obj_ptr": o.use_multimask_token_for_obj_ptr,
            **(o.sam_mask_decoder_extra_args or {}),
        }
        extra = f"{where}['sam_mask_decoder_extra_args']"
        self.sam_mask_decoder: SAMV2MaskDecoder = call_with(SAMV2MaskDecoder, decoder, where=extra)
        self.build_pointers(o)
        self.maskmem_tpos_enc = _small_normal(o.num_maskmem, 1, 1, self.mem_dim)
        self.no_mem_embed, self.no_mem_pos_enc = (_small_normal(1, 1, self.hidden_dim) for _ in range(2))
        if o.pred_obj_scores and o.use_obj_ptrs_in_encoder:
            self.no_obj_ptr = _small_normal(1, self.hidden_dim)
        if o.compile_image_encoder:
            self.image_encoder.compile()

    def build_pointers(self, options: SAMV2Options) -> None:
        """Build what makes an object's pointer of the decoder's token, and what tells how long ago that was."""
        dim = self.hidden_dim
        self.obj_ptr_proj: nn.Module = nn.Identity()
        self.obj_ptr_tpos_proj: nn.Module = nn.Identity()
        if options.use_obj_ptrs_in_encoder:
            self.obj_ptr_proj = MLP(dim, dim, dim, 3) if options.use_mlp_for_obj_ptr_proj else nn.Linear(dim, dim)
            if options.proj_tpos_enc_in_obj_ptrs:
                self.obj_ptr_tpos_proj = nn.Linear(dim, self.mem_dim)

    def remember_binary_prompts(self) -> None:
        """Remember of frames with prompts masks of zeros and ones: `binarize_mask_from_pts_for_mem_enc`."""
        self.options = replace(self.options, binarize_mask_from_pts_for_mem_enc=True)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.maskmem_tpos_enc.device

    def forward(self, data_meta: SSSegInputStructure) -> None:
        """Raise ConfigError: there is nothing to train, and no scores of classes."""
        raise ConfigError(
            "SAMV2 answers prompts, it does not score classes. Use SAMV2ImagePredictor, SAMV2AutomaticMaskGenerator or "
            "SAMV2VideoPredictor."
        )

    def forwardimage(self, images: Tensor) -> dict[str, Any]:
        """Return what the image encoder returns of (N, 3, S, S), with the finer maps as the decoder reads them."""
        image = dict(self.image_encoder(images))
        if self.options.use_high_res_features_in_sam:
            decoder, (quarter, half, *rest) = self.sam_mask_decoder, image["backbone_fpn"]
            image["backbone_fpn"] = [decoder.conv_s0(quarter), decoder.conv_s1(half), *rest]
        return image

    def preparebackbonefeatures(
        self, image: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any], list[Tensor], list[Tensor], list[tuple[int, int]]]:
        """Return `image`, and of its maps that are read: tokens (h * w, N, C), positions alike, and (h, w)."""
        count = 3 if self.options.use_high_res_features_in_sam else 1
        maps, positions = image["backbone_fpn"][-count:], image["vision_pos_enc"][-count:]
        sizes = [(x.shape[2], x.shape[3]) for x in maps]
        tokens, places = ([x.flatten(2).permute(2, 0, 1) for x in side] for side in (maps, positions))
        return image, tokens, places, sizes

    def forwardsamheads(
        self,
        backbone_features: Tensor,
        point_inputs: PointInputs | None = None,
        mask_inputs: Tensor | None = None,
        high_res_features: Sequence[Tensor] | None = None,
        multimask_output: bool = False,
    ) -> HeadOutputs:
        """Predict the masks of one object in each of B pictures.

        Args:
            backbone_features: (B, C, h, w).
            point_inputs: None means no points.
            mask_inputs: (B, 1, H, W) logits.
            high_res_features: maps (B, C / 8, 4h, 4w) and (B, C / 4, 2h, 2w).

        Returns:
            Logits of M masks, (B, M, 4h, 4w) and (B, M, S, S), and their qualities (B, M); those of the best mask,
            (B, 1, 4h, 4w) and (B, 1, S, S); the object's pointer (B, C); scores of being there (B, 1).
        """
        batch, device, side = len(backbone_features), backbone_features.device, self.options.image_size
        if point_inputs is None:
            coords = torch.zeros(batch, 1, 2, device=device)
            labels = torch.full((batch, 1), NOT_A_POINT, dtype=torch.int32, device=device)
        else:
            coords, labels = point_inputs["point_coords"], point_inputs["point_labels"]
        grid = self.sam_prompt_encoder.mask_input_size
        if mask_inputs is not None and mask_inputs.shape[2:] != grid:
            mask_inputs = F.interpolate(mask_inputs.float(), grid, mode="bilinear", antialias=True)
        sparse, dense = self.sam_prompt_encoder(points=(coords, labels), boxes=None, masks=mask_inputs)
        several, iou, tokens, scores = self.sam_mask_decoder(
            image_embeddings=backbone_features,
            image_pe=self.sam_prompt_encoder.getdensepe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=multimask_output,
            high_res_features=high_res_features,
        )
        several = several.float()
        if self.options.pred_obj_scores:
            several = several.where((scores > 0)[..., None, None], NO_OBJECT)
        several_large = F.interpolate(several, (side, side), mode="bilinear", align_corners=False)
        rows, best = torch.arange(batch, device=device), iou.argmax(dim=1)
        masks, masks_large = several[rows, best][:, None], several_large[rows, best][:, None]
        token = tokens[rows, best] if tokens.shape[1] > 1 else tokens[:, 0]
        return several, several_large, iou, masks, masks_large, self.pointers(token, scores), scores

    def pointers(self, tokens: Tensor, scores: Tensor) -> Tensor:
        """Return the object's pointer (B, C) of its token (B, C) and the score of its being there (B, 1)."""
        pointers = self.obj_ptr_proj(tokens)
        if not (self.options.pred_obj_scores and self.options.use_obj_ptrs_in_encoder):
            return pointers
        present = scores.sigmoid() if self.options.soft_no_obj_ptr else (scores > 0).to(pointers.dtype)
        return self.mixed_with_absence(pointers, present)

    def mixed_with_absence(self, pointers: Tensor, present: Tensor) -> Tensor:
        """Return pointers (B, C) with `no_obj_ptr` in place of what `present` (B, 1), in 0 .. 1, leaves."""
        if self.options.fixed_no_obj_ptr:
            pointers = present * pointers
        return pointers + (1 - present) * self.no_obj_ptr

    def usemaskasoutput(
        self, backbone_features: Tensor, high_res_features: Sequence[Tensor] | None, mask_inputs: Tensor
    ) -> HeadOutputs:
        """Return what `forwardsamheads` returns, with given masks (B, 1, S, S) of zeros and ones as the result."""
        masks = mask_inputs.float()
        logits = 20 * masks - 10  # the probability of pixels of the object is then nearly 1
        grid = (masks.shape[2] // 4, masks.shape[3] // 4)
        small = F.interpolate(logits, grid, mode="bilinear", align_corners=False, antialias=True)
        present = masks.flatten(1).any(dim=1).float()[:, None]  # (B, 1)
        pointers = masks.new_zeros(len(masks), self.hidden_dim)
        if self.options.use_obj_ptrs_in_encoder:
            given = self.mask_downsample(masks)
            *_, pointers, _ = self.forwardsamheads(
                backbone_features, mask_inputs=given, high_res_features=high_res_features
            )
            if self.options.pred_obj_scores:
                pointers = self.mixed_with_absence(pointers, present)
        return small, logits, torch.ones_like(present), small, logits, pointers, 20 * present - 10

    def encodenewmemory(
        self,
        current_vision_feats: Sequence[Tensor],
        feat_sizes: Sequence[tuple[int, int]],
        pred_masks_high_res: Tensor,
        is_mask_from_pts: bool,
    ) -> tuple[Tensor, list[Tensor]]:
        """Return what is remembered of objects, (B, mem_dim, h, w), and the positions of that, alike.

        Args:
            current_vision_feats, feat_sizes: the frame's, as `preparebackbonefeatures` returns them.
            pred_masks_high_res: logits (B, 1, S, S) of the objects' masks.
            is_mask_from_pts: the frame has prompts.
        """
        o = self.options
        features = current_vision_feats[-1].permute(1, 2, 0).unflatten(2, feat_sizes[-1])
        if o.non_overlap_masks_for_mem_enc and not self.training:
            pred_masks_high_res = without_overlap(pred_masks_high_res)
        binary = o.binarize_mask_from_pts_for_mem_enc and is_mask_from_pts and not self.training
        masks = (pred_masks_high_res > 0).to(features.dtype) if binary else pred_masks_high_res.sigmoid()
        masks = masks * o.sigmoid_scale_for_mem_enc + o.sigmoid_bias_for_mem_enc
        memories = self.memory_encoder(features, masks)
        return memories, [self.memory_encoder.position_encoding(memories).to(memories.dtype)]


def _small_normal(*shape: int) -> nn.Parameter:
    return nn.Parameter(nn.init.trunc_normal_(torch.empty(shape), std=0.02))
