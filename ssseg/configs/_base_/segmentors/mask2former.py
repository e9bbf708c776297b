"""Mask2Former.

Paper: Cheng et al., "Masked-attention Mask Transformer for Universal Image Segmentation", CVPR 2022, arXiv:2112.01527.
"""

from .default_segmentor import SegmentorConfig

MASK2FORMER_SEGMENTOR_CFG = SegmentorConfig(
    type="Mask2Former",
    num_classes=-1,
    benchmark=True,
    align_corners=False,
    work_dir="ckpts",
    eval_interval_epochs=10,
    save_interval_epochs=1,
    logger_handle_cfg={"type": "LocalLoggerHandle", "logfilepath": ""},
    training_logging_manager_cfg={"log_interval_iters": 50},
    norm_cfg={"type": "SyncBatchNorm"},
    act_cfg={"type": "ReLU", "inplace": True},
    backbone={
        "type": "SwinTransformer",
        "structure_type": "swin_base_patch4_window12_384_22k",
        "pretrained": True,
        "pretrain_img_size": 384,
        "in_channels": 3,
        "patch_size": 4,
        "window_size": 12,
        "embed_dims": 128,
        "depths": [2, 2, 18, 2],
        "num_heads": [4, 8, 16, 32],
        "mlp_ratio": 4,
        "qkv_bias": True,
        "qk_scale": None,
        "patch_norm": True,
        "drop_rate": 0.0,
        "attn_drop_rate": 0.0,
        "use_abs_pos_embed": False,
        "norm_cfg": {"type": "LayerNorm"},
        "drop_path_rate": 0.3,
        "selected_indices": (0, 1, 2, 3),
    },
    head={
        "deep_supervision": True,
        "criterion": {
            "losses": ["labels", "masks"],
            "eos_coef": 0.1,
            "pixelsampler_cfg": {
                "type": "UGSampler",
                "num_points": 12544,
                "oversample_ratio": 3.0,
                "importance_sample_ratio": 0.75,
                "reformat_target": False,
            },
        },
        "matcher": {"cost_class": 2.0, "cost_mask": 5.0, "cost_dice": 5.0, "num_points": 12544},
        "pixel_decoder": {
            "input_shape": {"in_channels": [128, 256, 512, 1024], "strides": [4, 8, 16, 32]},
            "conv_dim": 256,
            "mask_dim": 256,
            "common_stride": 4,
            "transformer_in_features": ["res3", "res4", "res5"],
            "transformer_enc_layers": 6,
            "transformer_nheads": 8,
            "transformer_dim_feedforward": 1024,
            "transformer_dropout": 0.0,
            "norm_cfg": {"type": "GroupNorm", "num_groups": 32},
            "act_cfg": {"type": "ReLU", "inplace": True},
        },
        "predictor": {
            "in_channels": 256,
            "mask_dim": 256,
            "hidden_dim": 256,
            "num_queries": 100,
            "nheads": 8,
            "dim_feedforward": 2048,
            "dec_layers": 10,
            "pre_norm": False,
            "mask_classification": True,
            "enforce_input_project": False,
        },
    },
    auxiliary=None,
    losses={},
    inference={
        "forward": {"mode": "whole", "cropsize": None, "stride": None},
        "tta": {"multiscale": [1], "flip": False, "use_probs_before_resize": False},
        "evaluate": {"metric_list": ["iou", "miou"]},
    },
    scheduler={
        "type": "PolyScheduler",
        "max_epochs": 0,
        "power": 0.9,
        "optimizer": {
            "type": "AdamW",
            "lr": 0.0001,
            "betas": (0.9, 0.999),
            "eps": 1e-08,
            "weight_decay": 0.05,
            "params_rules": {
                "base_setting": {"norm_wd_multiplier": 0.0},
                "query_embed": {"lr_multiplier": 1.0, "wd_multiplier": 0.0},
                "query_feat": {"lr_multiplier": 1.0, "wd_multiplier": 0.0},
                "level_embed": {"lr_multiplier": 1.0, "wd_multiplier": 0.0},
                "backbone_net": {"lr_multiplier": 0.1, "wd_multiplier": 1.0},
                "absolute_pos_embed": {"lr_multiplier": 0.1, "wd_multiplier": 0.0},
                "relative_position_bias_table": {"lr_multiplier": 0.1, "wd_multiplier": 0.0},
                "backbone_net.norm": {"lr_multiplier": 0.1, "wd_multiplier": 0.0},
                "backbone_net.patch_embed.norm": {"lr_multiplier": 0.1, "wd_multiplier": 0.0},
                **{
                    f"backbone_net.stages.{stage}.blocks.{block}.norm": {"lr_multiplier": 0.1, "wd_multiplier": 0.0}
                    for stage, depth in enumerate((2, 2, 18, 2))
                    for block in range(depth)
                },
                **{
                    f"backbone_net.stages.{stage}.downsample.norm": {"lr_multiplier": 0.1, "wd_multiplier": 0.0}
                    for stage in range(3)
                },
            },
        },
    },
    dataset=None,
    dataloader=None,
)
