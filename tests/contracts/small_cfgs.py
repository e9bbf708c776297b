"""For every registered backbone and segmentor a cfg small enough to train within a second."""

import copy

RESNET = {
    "type": "ResNet",
    "structure_type": "resnet18",
    "depth": 18,
    "base_channels": 8,
    "stem_channels": 8,
    "outstride": 8,
    "pretrained": False,
}
_ATTENDING = {"structure_type": "small", "drop_path_rate": 0.0, "pretrained": False}
_PLAIN = {
    **_ATTENDING,
    "img_size": (48, 64),
    "embed_dims": 16,
    "num_layers": 4,
    "num_heads": 2,
    "out_indices": (0, 1, 3),
}
VIT = {**_PLAIN, "type": "VisionTransformer", "norm_cfg": {"type": "LayerNorm"}}
_TWINS = {**_ATTENDING, "embed_dims": (8, 16, 16, 32), "num_heads": (1, 2, 2, 4), "depths": (2, 2, 1, 1)}
BACKBONES = {
    "BiSeNetV1": {
        "type": "BiSeNetV1",
        "structure_type": "bisenetv1",
        "backbone_cfg": {**RESNET, "outstride": 32},
        "spatial_channels_list": (8, 8, 8, 16),
        "context_channels_list": (16, 32, 64),
        "out_channels": 24,
    },
    "BiSeNetV2": {
        "type": "BiSeNetV2",
        "structure_type": "bisenetv2",
        "detail_channels": (8, 8, 16),
        "semantic_channels": (4, 8, 8, 16),
        "semantic_expansion_ratio": 2,
        "bga_channels": 16,
    },
    "CGNet": {"type": "CGNet", "structure_type": "cgnetm3n21", "num_channels": (8, 16, 32), "num_blocks": (2, 3)},
    "ConvNeXt": {
        "type": "ConvNeXt",
        "structure_type": "convnext_atto",
        "arch": "atto",
        "gap_before_final_norm": False,
        "pretrained": False,
    },
    "CompactUNet": {
        "type": "CompactUNet",
        "structure_type": "compactunet",
        "channels": (4, 8, 8, 16, 16),
        "decoder_channels": (16, 8, 8),
    },
    "ConvNeXtV2": {
        "type": "ConvNeXtV2",
        "structure_type": "convnextv2_atto_1k_224_ema",
        "arch": "atto",
        "pretrained": False,
    },
    "EdgeSAMRepViT": {"type": "EdgeSAMRepViT", "structure_type": "repvit_m1", "arch": "m1", "img_size": 64},
    "ERFNet": {"type": "ERFNet", "structure_type": "erfnet"},
    "FastSCNN": {
        "type": "FastSCNN",
        "structure_type": "fastscnn",
        "downsample_dw_channels": (8, 8),
        "global_in_channels": 16,
        "global_block_channels": (16, 16, 32),
        "global_out_channels": 24,
        "fusion_out_channels": 24,
    },
    "Hiera": {
        "type": "Hiera",
        "embed_dim": 8,
        "stages": (1, 2, 2, 1),
        "window_spec": (4, 2, 4, 3),
        "window_pos_embed_bkg_spatial_size": (5, 7),
        "global_att_blocks": (4,),
    },
    "HRNet": {"type": "HRNet", "structure_type": "hrnetv2_w18_small", "arch": "hrnetv2_w18_small", "pretrained": False},
    "MobileNetV2": {"type": "MobileNetV2", "structure_type": "mobilenetv2", "widen_factor": 0.25, "pretrained": False},
    "MobileNetV3": {
        "type": "MobileNetV3",
        "structure_type": "mobilenetv3_small",
        "arch_type": "small",
        "out_indices": (0, 1, 12),
        "pretrained": False,
    },
    "MobileSAMTinyViT": {
        "type": "MobileSAMTinyViT",
        "structure_type": "small",
        "img_size": 64,
        "embed_dims": (8, 8, 16, 16),
        "depths": (1, 1, 2, 1),
        "num_heads": (1, 2, 2, 4),
        "window_sizes": (3, 3, 5, 3),
        "drop_path_rate": 0.0,
    },
    "MobileViT": {"type": "MobileViT", "structure_type": "mobilevit-xxsmall", "arch": "xx_small", "pretrained": False},
    "MobileViTV2": {"type": "MobileViTV2", "structure_type": "mobilevitv2_050", "pretrained": False},
    "ResNeSt": {
        "type": "ResNeSt",
        "structure_type": "resnest50",
        "depth": 50,
        "base_channels": 8,
        "stem_channels": 8,
        "pretrained": False,
    },
    "ResNet": RESNET,
    "MixVisionTransformer": {**_ATTENDING, "type": "MixVisionTransformer", "embed_dims": 4, "num_layers": (1, 2, 1, 1)},
    "SAMViT": {
        "type": "SAMViT",
        "img_size": 64,
        "embed_dim": 16,
        "depth": 2,
        "num_heads": 2,
        "out_chans": 16,
        "window_size": 3,
        "use_rel_pos": True,
        "global_attn_indexes": (1,),
    },
    "SwinTransformer": {
        **_ATTENDING,
        "type": "SwinTransformer",
        "embed_dims": 8,
        "depths": (2, 1, 1, 1),
        "num_heads": (1, 2, 2, 4),
        "window_size": 4,
        "use_abs_pos_embed": True,
    },
    "VisionTransformer": VIT,
    "BEiT": {**_PLAIN, "type": "BEiT"},
    "MAE": {**_PLAIN, "type": "MAE"},
    "PCPVT": {**_TWINS, "type": "PCPVT"},
    "SVT": {**_TWINS, "type": "SVT", "windiow_sizes": (4, 4, 4, 4)},
    "UNet": {"type": "UNet", "structure_type": "unets5os16", "base_channels": 8},
}


def segmentor(name, fields, **others):
    """A cfg on the small ResNet, whose maps have 8, 16, 32 and 64 channels, with one auxiliary head."""
    return {
        "type": name,
        "num_classes": 4,
        "align_corners": False,
        "norm_cfg": {"type": "SyncBatchNorm"},
        "act_cfg": {"type": "ReLU", "inplace": True},
        "backbone": {**RESNET, "selected_indices": (0, 1, 2, 3)},
        "head": {"in_channels": 64, "feats_channels": 8, "dropout": 0.0, **fields},
        "auxiliary": {"in_channels": 32, "out_channels": 8, "dropout": 0.0},
        "losses": {
            "loss_aux": {"type": "CrossEntropyLoss", "scale_factor": 0.4},
            "loss_cls": {"type": "CrossEntropyLoss"},
        },
        "inference": {
            "forward": {"mode": "whole", "cropsize": None, "stride": None},
            "tta": {"multiscale": [1], "flip": False, "use_probs_before_resize": False},
        },
        **others,
    }


_LOSS = {"type": "CrossEntropyLoss"}
_WIDTHS = [8, 16, 32, 64]
_SEGMENTATION_ONLY = {"auxiliary": None, "losses": {"loss_cls": _LOSS}}
_MASKS = {"backbone": {**RESNET, "outstride": 32, "selected_indices": (0, 1, 2, 3)}, "auxiliary": None, "losses": {}}
_PYRAMID = {
    "feats_channels": 8,
    "feature_stride_list": [4, 8, 8, 8],
    "scale_head_channels": 8,
    "dropout": 0.0,
    "upsample_cfg": {"mode": "nearest"},
}
_TWO_STAGES = {"loss_aux": _LOSS, "loss_cls_stage1": _LOSS, "loss_cls_stage2": _LOSS}
_ENLARGING = {"out_channels": 4, "num_convs": 1, "scale_factor": 4, "kernel_size": 3}
SEGMENTORS = {
    "ANNNet": segmentor(
        "ANNNet",
        {},
        head={
            "in_channels_list": [32, 64],
            "feats_channels": 8,
            "transform_channels": 4,
            "key_pool_scales": [1, 3],
            "query_scales": [1, 2],
            "dropout": 0.0,
        },
    ),
    "CCNet": segmentor("CCNet", {"num_recurrence": 2}),
    "DANet": segmentor(
        "DANet",
        {"transform_channels": 4},
        losses={"loss_aux": _LOSS, "loss_cls_cam": _LOSS, "loss_cls_pam": _LOSS, "loss_cls_pamcam": _LOSS},
    ),
    "DNLNet": segmentor("DNLNet", {"temperature": 0.5}),
    "FastFCN": segmentor(
        "FastFCN",
        {},
        head={
            "jpu": {"in_channels_list": [16, 32, 64], "mid_channels": 8, "dilations": [1, 2]},
            "in_channels": 16,
            "feats_channels": 8,
            "dropout": 0.0,
        },
        segmentor="FCN",
        backbone={**RESNET, "selected_indices": (1, 2, 3)},
    ),
    "GCNet": segmentor(
        "GCNet", {"ratio": 0.5, "fusion_types": ["channel_add", "channel_mul"], "norm_cfg": {"type": "LayerNorm"}}
    ),
    "ISANet": segmentor("ISANet", {"isa_channels": 4, "down_factor": (3, 4)}),
    "LRASPPNet": segmentor(
        "LRASPPNet",
        {},
        head={"in_channels_list": [8, 16, 64], "branch_channels_list": [4, 8], "feats_channels": 8, "dropout": 0.0},
        backbone={**RESNET, "selected_indices": (0, 1, 3)},
        **_SEGMENTATION_ONLY,
    ),
    "NonLocalNet": segmentor("NonLocalNet", {"reduction": 2, "use_scale": True, "mode": "embeddedgaussian"}),
    "OCRNet": segmentor("OCRNet", {"transform_channels": 4, "scale": 2}),
    "PointRend": segmentor(
        "PointRend",
        {},
        head={
            **_PYRAMID,
            "fpn_in_channels_list": _WIDTHS,
            "pointrend_in_channels_list": [8],
            "num_fcs": 2,
            "coarse_pred_each_layer": True,
            "train": {"num_points": 64, "oversample_ratio": 3, "importance_sample_ratio": 0.75},
            "test": {"subdivision_steps": 2, "subdivision_num_points": 50, "scale_factor": 2},
        },
        auxiliary={"in_channels": 8, "num_convs": 0, "dropout": 0.0},
    ),
    "SemanticFPN": segmentor("SemanticFPN", {}, head={**_PYRAMID, "in_channels_list": _WIDTHS}, **_SEGMENTATION_ONLY),
    "UPerNet": segmentor(
        "UPerNet", {}, head={"in_channels_list": _WIDTHS, "feats_channels": 8, "pool_scales": [1, 2], "dropout": 0.0}
    ),
    "APCNet": segmentor("APCNet", {"pool_scales": [1, 2, 3]}),
    "CE2P": segmentor(
        "CE2P",
        {},
        head={
            "in_channels_list": [8, 16, 32, 64],
            "shortcut_feats_channels": 4,
            "feats_channels": 8,
            "epm_hidden_channels": 4,
            "epm_out_channels": 2,
            "pool_scales": [1, 2],
            "dropout_stage1": 0.0,
            "dropout_stage2": 0.0,
        },
        auxiliary=None,
        losses={"loss_cls_stage1": _LOSS, "loss_cls_stage2": _LOSS, "loss_edge": _LOSS},
    ),
    "DMNet": segmentor("DMNet", {"filter_sizes": [1, 2, 3], "is_fusion": True}),
    "EMANet": segmentor("EMANet", {"num_stages": 2, "num_bases": 4, "momentum": 0.1}),
    "ENCNet": segmentor(
        "ENCNet",
        {},
        head={
            "in_channels_list": [16, 32, 64],
            "feats_channels": 8,
            "num_codes": 4,
            "extra": {"add_lateral": True, "use_se_loss": True},
            "dropout": 0.0,
        },
        losses={"loss_aux": _LOSS, "loss_cls": _LOSS, "loss_se": {**_LOSS, "use_sigmoid": True}},
    ),
    "ICNet": segmentor(
        "ICNet",
        {},
        head={
            "in_channels_list": [4, 8, 8],
            "feats_channels": 8,
            "encoder": {
                "layer_channels_list": [16, 64],
                "light_branch_middle_channels": 4,
                "psp_out_channels": 8,
                "out_channels_list": [4, 8, 8],
                "pool_scales": [1, 2],
            },
            "dropout": 0.0,
        },
        backbone={**RESNET, "selected_indices": (0, 1, 2)},
        auxiliary=[{"in_channels": 8, "out_channels": 8, "dropout": 0.0}] * 2,
        losses={"loss_aux1": _LOSS, "loss_aux2": _LOSS, "loss_cls": _LOSS},
    ),
    "IDRNet": segmentor(
        "IDRNet",
        {
            "ignore_index": -100,
            "clsrelation_momentum": 0.1,
            "dlclsreps_momentum": 0.1,
            "force_stage1_use_oripr": False,
            "refine_coarsecontext_channels": 4,
            "refine_idcontext_channels": 4,
            "use_fpn_after": True,
            "use_fpn_before": False,
            "use_sa_on_coarsecontext_after": True,
            "use_sa_on_coarsecontext_before": False,
            "coarse_context": {"type": "aspp", "dilations": [1, 2]},
            "fpn": {"in_channels_list": [8, 16, 32, 64], "feats_channels": 8, "out_channels": 4},
        },
        losses=_TWO_STAGES,
    ),
    "ISNet": segmentor(
        "ISNet",
        {
            "transform_channels": 4,
            "concat_input": True,
            "shortcut": {"is_on": True, "in_channels": 8, "feats_channels": 4},
        },
        losses=_TWO_STAGES,
    ),
    "MCIBI": segmentor(
        "MCIBI",
        {
            "out_channels": 8,
            "transform_channels": 4,
            "use_hard_aggregate": False,
            "use_loss": True,
            "context_within_image": {"is_on": True, "type": "ppm", "cfg": {"pool_scales": [1, 2]}},
            "downsample_backbone": {"kernel_size": 3, "stride": 1, "padding": 1, "bias": False},
            "loss_cfg": _LOSS,
            "update_cfg": {
                "strategy": "cosine_similarity",
                "ignore_index": -100,
                "momentum_cfg": {"base_momentum": 0.1, "base_lr": None, "adjust_by_learning_rate": False},
            },
        },
        losses=_TWO_STAGES,
    ),
    "MCIBIPlusPlus": segmentor(
        "MCIBIPlusPlus",
        {},
        head={
            "in_channels": 64,
            "feats_channels": 8,
            "out_channels": 8,
            "transform_channels": 4,
            "use_hard_aggregate": False,
            "downsample_before_sa": True,
            "force_use_preds_pr": False,
            "warmup_epoch": 0,
            "context_within_image": {"is_on": True, "type": "ppm", "cfg": {"pool_scales": [1, 2]}},
            "decoder": {
                "pr": {"in_channels": 8, "out_channels": 8, "dropout": 0.0},
                "cwi": {"in_channels": 8, "out_channels": 8, "dropout": 0.0},
                "cls": {"in_channels": 28, "out_channels": 8, "dropout": 0.0, "kernel_size": 3, "padding": 1},
            },
            "fpn": {"in_channels_list": [8, 16, 32, 64], "feats_channels": 16, "out_channels": 4},
            "update_cfg": {
                "ignore_index": -100,
                "momentum_cfg": {"base_momentum": 0.1, "base_lr": None, "adjust_by_learning_rate": False},
            },
        },
        losses={"loss_aux": _LOSS, "loss_cls": _LOSS, "loss_cwi": _LOSS, "loss_pr": _LOSS},
    ),
    "PSANet": segmentor(
        "PSANet",
        {
            "type": "bi-direction",
            "compact": False,
            "mask_size": (5, 5),
            "normalization_factor": 1.0,
            "psa_softmax": True,
            "shrink_factor": 2,
        },
    ),
    "Deeplabv3": segmentor("Deeplabv3", {"dilations": [1, 2, 4]}),
    "Deeplabv3Plus": segmentor(
        "Deeplabv3Plus", {"in_channels": [8, 64], "shortcut_channels": 4, "dilations": [1, 2, 4]}
    ),
    "DepthwiseSeparableFCN": segmentor("DepthwiseSeparableFCN", {}),
    "FCN": segmentor("FCN", {}),
    "Mask2Former": segmentor(
        "Mask2Former",
        {},
        head={
            "criterion": {
                "losses": ["labels", "masks"],
                "eos_coef": 0.1,
                "pixelsampler_cfg": {"type": "UGSampler", "num_points": 64, "reformat_target": False},
            },
            "matcher": {"cost_class": 2.0, "cost_mask": 5.0, "cost_dice": 5.0, "num_points": 64},
            "pixel_decoder": {
                "input_shape": {"in_channels": _WIDTHS, "strides": [4, 8, 16, 32]},
                "conv_dim": 32,
                "mask_dim": 8,
                "common_stride": 4,
                "transformer_in_features": ["res3", "res4", "res5"],
                "transformer_enc_layers": 1,
                "transformer_nheads": 4,
                "transformer_dim_feedforward": 16,
                "transformer_dropout": 0.0,
                "norm_cfg": {"type": "GroupNorm", "num_groups": 4},
                "act_cfg": {"type": "ReLU", "inplace": True},
            },
            "predictor": {
                "in_channels": 32,
                "mask_dim": 8,
                "hidden_dim": 16,
                "num_queries": 6,
                "nheads": 2,
                "dim_feedforward": 16,
                "dec_layers": 4,
            },
            "deep_supervision": True,
        },
        **_MASKS,
    ),
    "MaskFormer": segmentor(
        "MaskFormer",
        {},
        head={
            "in_channels_list": _WIDTHS,
            "feats_channels": 8,
            "mask_feats_channels": 8,
            "pool_scales": [1, 2],
            "matcher": {"cost_class": 1.0, "cost_mask": 20.0, "cost_dice": 1.0},
            "predictor": {
                "hidden_dim": 16,
                "num_queries": 6,
                "nheads": 2,
                "dim_feedforward": 16,
                "enc_layers": 1,
                "dec_layers": 2,
                "dropout": 0.0,
                "norm_cfg": {"type": "LayerNorm"},
                "act_cfg": {"type": "ReLU", "inplace": True},
            },
        },
        **_MASKS,
    ),
    "Segformer": segmentor(
        "Segformer", {}, head={"in_channels_list": _WIDTHS, "feats_channels": 8, "dropout": 0.0}, **_SEGMENTATION_ONLY
    ),
    "SETRMLA": segmentor(
        "SETRMLA",
        {},
        head={
            "in_channels_list": [16, 16],
            "mla_feats_channels": 8,
            "mla_up_channels": 4,
            "feats_channels": 8,
            "scale_factor": 2,
            "dropout": 0.0,
        },
        backbone={**VIT, "selected_indices": (1, 2)},
        auxiliary=[{**_ENLARGING, "in_channels": 8, "dropout": 0.0}],
        losses={"loss_aux1": _LOSS, "loss_cls": _LOSS},
    ),
    "SETRUP": segmentor(
        "SETRUP",
        {},
        head={
            "in_channels_list": [16, 16],
            "feats_channels": 8,
            "num_convs": 2,
            "scale_factor": 2,
            "kernel_size": 3,
            "dropout": 0.0,
        },
        backbone={**VIT, "selected_indices": (1, 2)},
        auxiliary=[{**_ENLARGING, "in_channels": 16, "dropout": 0.0}],
        losses={"loss_aux1": _LOSS, "loss_cls": _LOSS},
    ),
    "PSPNet": segmentor("PSPNet", {"pool_scales": [1, 2, 3]}),
}


def promptable(backbone, width, **others):
    """The cfg of a model of the SAM family, on images of 64 x 64 with a map of 4 x 4."""
    return {
        "backbone": BACKBONES[backbone],
        "prompt": {
            "embed_dim": width,
            "image_embedding_size": (4, 4),
            "input_image_size": (64, 64),
            "mask_in_chans": 8,
        },
        "head": {
            "num_multimask_outputs": 3,
            "transformer_cfg": {"depth": 2, "embedding_dim": width, "mlp_dim": 16, "num_heads": 2},
            "transformer_dim": width,
            "iou_head_hidden_dim": 16,
            **others,
        },
    }


def _sine(channels):
    return {"type": "PositionEmbeddingSine", "num_pos_feats": channels}


_ROPE = {"type": "RoPEAttention", "embedding_dim": 16, "num_heads": 1}
HIERA_WITH_FPN = {
    "type": "HieraWithFPN",
    "scalp": 1,
    "hiera_cfg": {name: value for name, value in BACKBONES["Hiera"].items() if name != "type"},
    "fpn_cfg": {
        "position_encoding_cfg": _sine(16),
        "d_model": 16,
        "backbone_channel_list": [64, 32, 16, 8],
        "fpn_top_down_levels": [2, 3],
        "fpn_interp_model": "nearest",
    },
}
SAMV2 = {
    "backbone": HIERA_WITH_FPN,
    "head": {
        "memory_attention_cfg": {
            "d_model": 16,
            "pos_enc_at_input": True,
            "num_layers": 1,
            "layer_cfg": {
                "act_cfg": {"type": "ReLU"},
                "dim_feedforward": 16,
                "dropout": 0.1,
                "d_model": 16,
                "pos_enc_at_attn": False,
                "pos_enc_at_cross_attn_keys": True,
                "pos_enc_at_cross_attn_queries": False,
                "self_attention_cfg": _ROPE,
                "cross_attention_cfg": {**_ROPE, "kv_in_dim": 8},
            },
        },
        "memory_encoder_cfg": {
            "out_dim": 8,
            "in_dim": 16,
            "position_encoding_cfg": _sine(8),
            "mask_downsampler_cfg": {"kernel_size": 3, "stride": 2, "padding": 1, "embed_dim": 16},
            "fuser_cfg": {"num_layers": 1, "layer_cfg": {"dim": 16}},
        },
        "num_maskmem": 4,
        "image_size": 64,
        "sigmoid_scale_for_mem_enc": 20.0,
        "sigmoid_bias_for_mem_enc": -10.0,
        "use_mask_input_as_output_without_sam": True,
        "directly_add_no_mem_embed": True,
        "use_high_res_features_in_sam": True,
        "multimask_output_in_sam": True,
        "multimask_min_pt_num": 0,
        "multimask_output_for_tracking": True,
        "use_multimask_token_for_obj_ptr": True,
        "iou_prediction_use_sigmoid": True,
        "use_obj_ptrs_in_encoder": True,
        "max_obj_ptrs_in_encoder": 6,
        "add_tpos_enc_to_obj_ptrs": False,
        "only_obj_ptrs_in_the_past_for_eval": True,
        "pred_obj_scores": True,
        "pred_obj_scores_mlp": True,
        "fixed_no_obj_ptr": True,
        "use_mlp_for_obj_ptr_proj": True,
    },
}


# They answer prompts and cannot be trained: test_promptable.py has what they keep.
PROMPTABLE = {
    "EdgeSAM": promptable("EdgeSAMRepViT", 256),
    "MobileSAM": promptable("MobileSAMTinyViT", 256),
    "SAM": promptable("SAMViT", 16),
    "SAMHQ": promptable("SAMViT", 16, vit_dim=16),
    "SAMV2": SAMV2,
}


def small(name):
    """A copy of the cfg of a segmentor, to change at will."""
    return copy.deepcopy(SEGMENTORS[name])
