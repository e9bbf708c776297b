"""BEiT with UPerNet.

Paper: Bao et al., "BEiT: BERT Pre-Training of Image Transformers", ICLR 2022, arXiv:2106.08254.
"""

from .default_segmentor import SegmentorConfig

BEIT_SEGMENTOR_CFG = SegmentorConfig(
    type="UPerNet",
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
        "type": "BEiT",
        "structure_type": "beit_base_patch16_224_pt22k_ft22k",
        "pretrained": True,
        "norm_cfg": {"type": "LayerNorm", "eps": 1e-06},
        "selected_indices": (0, 1, 2, 3),
    },
    head={
        "in_channels_list": [768, 768, 768, 768],
        "feats_channels": 512,
        "pool_scales": [1, 2, 3, 6],
        "dropout": 0.1,
        "feature2pyramid": {"embed_dim": 768, "rescales": [4, 2, 1, 0.5]},
    },
    auxiliary={"in_channels": 768, "out_channels": 512, "dropout": 0.1},
    losses={
        "loss_aux": {"type": "CrossEntropyLoss", "scale_factor": 0.4, "ignore_index": -100, "reduction": "mean"},
        "loss_cls": {"type": "CrossEntropyLoss", "scale_factor": 1.0, "ignore_index": -100, "reduction": "mean"},
    },
    inference={
        "forward": {"mode": "slide", "cropsize": (640, 640), "stride": (426, 426)},
        "tta": {"multiscale": [1], "flip": False, "use_probs_before_resize": False},
        "evaluate": {"metric_list": ["iou", "miou"]},
    },
    scheduler={
        "type": "PolyScheduler",
        "max_epochs": 0,
        "power": 1.0,
        "min_lr": 0.0,
        "warmup_cfg": {"type": "linear", "ratio": 1e-06, "iters": 1500},
        "optimizer": {
            "type": "AdamW",
            "lr": 3e-05,
            "betas": (0.9, 0.999),
            "weight_decay": 0.05,
            "params_rules": {
                "type": "LearningRateDecayParamsConstructor",
                "decay_type": "layer_wise_vit",
                "num_layers": 12,
                "decay_rate": 0.9,
            },
        },
    },
    dataset=None,
    dataloader=None,
)
