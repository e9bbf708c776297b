"""UPerNet, BEiT-Large, ADE20k, 640x640, 130 epochs. Published mIoU: 56.52 %."""

from .._base_ import experiment
from .._base_.schedules import adamw, layer_decay

SEGMENTOR_CFG = experiment(
    __file__,
    "BEIT",
    dataset="ADE20k_640x640",
    dataloader="BS16",
    max_epochs=130,
    optimizer=adamw(3e-05, weight_decay=0.05, params_rules=layer_decay("layer_wise_vit", 24, 0.95)),
)
SEGMENTOR_CFG["backbone"] = {
    "type": "BEiT",
    "structure_type": "beit_large_patch16_224_pt22k_ft22k",
    "pretrained": True,
    "embed_dims": 1024,
    "num_layers": 24,
    "num_heads": 16,
    "mlp_ratio": 4,
    "init_values": 1e-06,
    "out_indices": (7, 11, 15, 23),
    "qv_bias": True,
    "norm_cfg": {"type": "LayerNorm", "eps": 1e-06},
    "drop_path_rate": 0.2,
    "selected_indices": (0, 1, 2, 3),
}
SEGMENTOR_CFG["head"] = {
    "in_channels_list": [1024, 1024, 1024, 1024],
    "feats_channels": 1024,
    "pool_scales": [1, 2, 3, 6],
    "dropout": 0.1,
    "feature2pyramid": {"embed_dim": 1024, "rescales": [4, 2, 1, 0.5]},
}
SEGMENTOR_CFG["auxiliary"] = {"in_channels": 1024, "out_channels": 512, "dropout": 0.1}
