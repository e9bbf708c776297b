"""CE2P.

Paper: Ruan et al., "Devil in the Details: Towards Accurate Single and Multiple Human Parsing", AAAI 2019,
arXiv:1809.05996.
"""

from .default_segmentor import SegmentorConfig

CE2P_SEGMENTOR_CFG = SegmentorConfig(
    type="CE2P",
    num_classes=-1,
    benchmark=True,
    align_corners=False,
    work_dir="ckpts",
    eval_interval_epochs=10,
    save_interval_epochs=1,
    logger_handle_cfg={"type": "LocalLoggerHandle", "logfilepath": ""},
    training_logging_manager_cfg={"log_interval_iters": 50},
    norm_cfg={"type": "SyncBatchNorm"},
    act_cfg={"type": "LeakyReLU", "inplace": True, "negative_slope": 0.01},
    backbone={
        "type": "ResNet",
        "depth": 101,
        "structure_type": "resnet101conv3x3stem",
        "pretrained": True,
        "outstride": 8,
        "use_conv3x3_stem": True,
        "selected_indices": (0, 1, 2, 3),
    },
    head={
        "in_channels_list": [256, 512, 1024, 2048],
        "shortcut_feats_channels": 48,
        "feats_channels": 512,
        "dropout_stage1": 0,
        "dropout_stage2": 0.1,
        "epm_hidden_channels": 256,
        "epm_out_channels": 2,
        "pool_scales": [1, 2, 3, 6],
    },
    auxiliary=None,
    losses={
        "loss_cls_stage1": {"type": "CrossEntropyLoss", "scale_factor": 1.0, "ignore_index": -100, "reduction": "mean"},
        "loss_cls_stage2": {"type": "CrossEntropyLoss", "scale_factor": 1.0, "ignore_index": -100, "reduction": "mean"},
        "loss_edge": {"type": "CrossEntropyLoss", "scale_factor": 1.0, "ignore_index": -100, "reduction": "mean"},
    },
    inference={
        "forward": {"mode": "whole", "cropsize": None, "stride": None},
        "tta": {"multiscale": [1], "flip": False, "use_probs_before_resize": False},
        "evaluate": {"metric_list": ["iou", "miou"]},
    },
    scheduler={
        "type": "PolyScheduler",
        "max_epochs": 0,
        "power": 0.9,
        "optimizer": {"type": "SGD", "lr": 0.01, "momentum": 0.9, "weight_decay": 0.0005, "params_rules": {}},
    },
    dataset=None,
    dataloader=None,
)
