"""SETR.

Paper: Zheng et al., "Rethinking Semantic Segmentation from a Sequence-to-Sequence Perspective with Transformers",
CVPR 2021, arXiv:2012.15840.
"""

from .default_segmentor import SegmentorConfig

SETR_SEGMENTOR_CFG = SegmentorConfig(
    type="SETRUP",
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
        "type": "VisionTransformer",
        "structure_type": "jx_vit_large_p16_384",
        "pretrained": True,
        "img_size": (512, 512),
        "patch_size": 16,
        "embed_dims": 1024,
        "num_layers": 24,
        "num_heads": 16,
        "mlp_ratio": 4,
        "num_fcs": 2,
        "qkv_bias": True,
        "patch_norm": False,
        "with_cls_token": True,
        "output_cls_token": False,
        "drop_rate": 0.0,
        "attn_drop_rate": 0.0,
        "final_norm": False,
        "out_indices": (9, 14, 19, 23),
        "norm_cfg": {"type": "LayerNorm", "eps": 1e-06},
        "drop_path_rate": 0.0,
        "selected_indices": (0, 1, 2, 3),
    },
    head={
        "in_channels_list": [1024, 1024, 1024, 1024],
        "feats_channels": 256,
        "kernel_size": 3,
        "num_convs": 4,
        "scale_factor": 2,
        "dropout": 0,
        "norm_cfg": {"type": "LayerNorm", "eps": 1e-06},
    },
    auxiliary=[
        {"in_channels": 1024, "out_channels": 256, "kernel_size": 3, "num_convs": 1, "dropout": 0, "scale_factor": 4},
        {"in_channels": 1024, "out_channels": 256, "kernel_size": 3, "num_convs": 1, "dropout": 0, "scale_factor": 4},
        {"in_channels": 1024, "out_channels": 256, "kernel_size": 3, "num_convs": 1, "dropout": 0, "scale_factor": 4},
    ],
    losses={
        "loss_aux1": {"type": "CrossEntropyLoss", "scale_factor": 0.4, "ignore_index": -100, "reduction": "mean"},
        "loss_aux2": {"type": "CrossEntropyLoss", "scale_factor": 0.4, "ignore_index": -100, "reduction": "mean"},
        "loss_aux3": {"type": "CrossEntropyLoss", "scale_factor": 0.4, "ignore_index": -100, "reduction": "mean"},
        "loss_cls": {"type": "CrossEntropyLoss", "scale_factor": 1.0, "ignore_index": -100, "reduction": "mean"},
    },
    inference={
        "forward": {"mode": "slide", "cropsize": (512, 512), "stride": (341, 341)},
        "tta": {"multiscale": [1], "flip": False, "use_probs_before_resize": True},
        "evaluate": {"metric_list": ["iou", "miou"]},
    },
    scheduler={
        "type": "PolyScheduler",
        "max_epochs": 0,
        "power": 0.9,
        "optimizer": {
            "type": "SGD",
            "lr": 0.01,
            "momentum": 0.9,
            "weight_decay": 0.0,
            "params_rules": {"backbone_net": {"lr_multiplier": 0.1, "wd_multiplier": 1.0}},
        },
    },
    dataset=None,
    dataloader=None,
)
