"""FastFCN.

Paper: Wu et al., "FastFCN: Rethinking Dilated Convolution in the Backbone for Semantic Segmentation", 2019,
arXiv:1903.11816.
"""

from .default_segmentor import SegmentorConfig

FASTFCN_SEGMENTOR_CFG = SegmentorConfig(
    type=None,
    num_classes=None,
    benchmark=None,
    align_corners=None,
    work_dir="ckpts",
    eval_interval_epochs=10,
    save_interval_epochs=1,
    logger_handle_cfg={"type": "LocalLoggerHandle", "logfilepath": ""},
    training_logging_manager_cfg={"log_interval_iters": 50},
    norm_cfg=None,
    act_cfg=None,
    backbone=None,
    head=None,
    auxiliary=None,
    losses={
        "loss_aux": {"type": "CrossEntropyLoss", "scale_factor": 0.4, "ignore_index": -100, "reduction": "mean"},
        "loss_cls": {"type": "CrossEntropyLoss", "scale_factor": 1.0, "ignore_index": -100, "reduction": "mean"},
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
