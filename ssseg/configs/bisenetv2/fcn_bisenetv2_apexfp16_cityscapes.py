"""FCN, BiSeNetV2, Cityscapes, 1024x1024, 860 epochs, mixed precision. Published mIoU: 74.17 %."""

from .._base_ import experiment

SEGMENTOR_CFG = experiment(__file__, "BISENETV2", dataset="CITYSCAPES_1024x1024", dataloader="BS16", max_epochs=860)
SEGMENTOR_CFG["fp16_cfg"] = {"type": "apex", "initialize": {"opt_level": "O1"}, "scale_loss": {}}
