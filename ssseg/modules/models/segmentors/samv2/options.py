from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ....utils.errors import ConfigError

NO_OBJECT = -1024.0  # the logit of every pixel of an object that is not there


@dataclass(frozen=True)
class SAMV2Options:
    """The fields of `SEGMENTOR_CFG['head']` of SAM 2, but for those of its memory's networks.

    Paper: Ravi et al., "SAM 2", arXiv:2408.00714, section 4 and appendix D.1.

    Args:
        num_maskmem: how many frames' memories are attended to, besides further frames with prompts.
        image_size: side of the square that pictures are resized to, a multiple of `backbone_stride`.
        backbone_stride: of the coarsest of the image's maps.
        sigmoid_scale_for_mem_enc, sigmoid_bias_for_mem_enc: bring probabilities to the range of the memory encoder.
        binarize_mask_from_pts_for_mem_enc: remember of frames with prompts a mask of zeros and ones.
        use_mask_input_as_output_without_sam: a mask that is given is the frame's result, without the decoder.
        max_cond_frames_in_attn: of how many frames with prompts memories are attended to, the nearest; -1 means all.
        directly_add_no_mem_embed: add `no_mem_embed` to the features of a frame without memories, not attend to it.
        use_high_res_features_in_sam: the decoder reads finer maps, too.
        multimask_output_in_sam: predict several masks and take the best for `multimask_min_pt_num` to
            `multimask_max_pt_num` points, with `multimask_output_for_tracking` on tracked frames, too.
        use_multimask_token_for_obj_ptr: the pointer is made of the token of the mask that was taken.
        iou_prediction_use_sigmoid: bring qualities to [0, 1].
        memory_temporal_stride_for_eval: only every so many-th frame is remembered, besides the one before.
        add_all_frames_to_correct_as_cond: prompts on a tracked frame make it one that is remembered for good.
        non_overlap_masks_for_mem_enc: objects do not overlap in what is remembered.
        use_obj_ptrs_in_encoder: attend to pointers, the decoder's tokens of the object, of up to
            `max_obj_ptrs_in_encoder` frames, with `only_obj_ptrs_in_the_past_for_eval` none of later ones.
        add_tpos_enc_to_obj_ptrs, proj_tpos_enc_in_obj_ptrs: tell how long ago pointers were, through a linear layer.
        pred_obj_scores, pred_obj_scores_mlp: tell whether the object is there, by a perceptron.
        fixed_no_obj_ptr, soft_no_obj_ptr: `no_obj_ptr` replaces the pointer of an object that is not there, in the
            share of the probability that it is not.
        use_mlp_for_obj_ptr_proj: make pointers by a perceptron, not one linear layer.
        sam_mask_decoder_extra_args: more fields of `SAMV2MaskDecoder`.
        compile_image_encoder: run the image encoder through `torch.compile`.
    """

    num_maskmem: int = 7
    image_size: int = 1024
    backbone_stride: int = 16
    sigmoid_scale_for_mem_enc: float = 1.0
    sigmoid_bias_for_mem_enc: float = 0.0
    binarize_mask_from_pts_for_mem_enc: bool = False
    use_mask_input_as_output_without_sam: bool = False
    max_cond_frames_in_attn: int = -1
    directly_add_no_mem_embed: bool = False
    use_high_res_features_in_sam: bool = False
    multimask_output_in_sam: bool = False
    multimask_min_pt_num: int = 1
    multimask_max_pt_num: int = 1
    multimask_output_for_tracking: bool = False
    use_multimask_token_for_obj_ptr: bool = False
    iou_prediction_use_sigmoid: bool = False
    memory_temporal_stride_for_eval: int = 1
    add_all_frames_to_correct_as_cond: bool = False
    non_overlap_masks_for_mem_enc: bool = False
    use_obj_ptrs_in_encoder: bool = False
    max_obj_ptrs_in_encoder: int = 16
    add_tpos_enc_to_obj_ptrs: bool = True
    proj_tpos_enc_in_obj_ptrs: bool = False
    only_obj_ptrs_in_the_past_for_eval: bool = False
    pred_obj_scores: bool = False
    pred_obj_scores_mlp: bool = False
    fixed_no_obj_ptr: bool = False
    soft_no_obj_ptr: bool = False
    use_mlp_for_obj_ptr_proj: bool = False
    sam_mask_decoder_extra_args: Mapping[str, Any] | None = None
    compile_image_encoder: bool = False

    def __post_init__(self) -> None:
        where = "SEGMENTOR_CFG['head']"
        if self.image_size < 1 or self.image_size % self.backbone_stride:
            nearest = max(1, round(self.image_size / self.backbone_stride)) * self.backbone_stride
            raise ConfigError(
                f"{where}['image_size']: is {self.image_size}, must be a multiple of "
                f"backbone_stride={self.backbone_stride}. The nearest is {nearest}."
            )
        if self.num_maskmem < 1:
            raise ConfigError(f"{where}['num_maskmem']: is {self.num_maskmem}, must be at least 1.")
        if self.max_cond_frames_in_attn != -1 and self.max_cond_frames_in_attn < 2:
            raise ConfigError(
                f"{where}['max_cond_frames_in_attn']: is {self.max_cond_frames_in_attn}, must be 2 or more, or -1."
            )
        if self.memory_temporal_stride_for_eval < 1:
            raise ConfigError(
                f"{where}['memory_temporal_stride_for_eval']: is {self.memory_temporal_stride_for_eval}, must be at "
                "least 1."
            )

    @property
    def reach(self) -> int:
        """How many frames away the farthest tracked frame is whose memory or pointer a frame may ask for."""
        stride, slots = self.memory_temporal_stride_for_eval, self.num_maskmem - 1
        masks = slots if slots < 2 else 2 + (stride - 1) + (slots - 2) * stride
        return max(masks, self.max_obj_ptrs_in_encoder - 1 if self.use_obj_ptrs_in_encoder else 0)
