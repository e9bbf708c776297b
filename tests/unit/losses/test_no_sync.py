"""No loss looks at a value on the device, which would make the host wait for it."""

import pytest
import torch

from ssseg.modules.models.losses import calculatelosses

WEIGHTS = [1.0, 2.0, 3.0]
CFGS = {
    "ce": {"type": "CrossEntropyLoss", "class_weight": WEIGHTS, "label_smoothing": 0.1},
    "bce": {"type": "CrossEntropyLoss", "use_sigmoid": True, "class_weight": WEIGHTS},
    "focal": {"type": "FocalLoss", "class_weight": WEIGHTS},
    "softmax_focal": {"type": "FocalLoss", "use_sigmoid": False, "lowest_loss_value": 0.1},
    "dice": {"type": "DiceLoss"},
    "lovasz": {"type": "LovaszLoss", "class_weight": WEIGHTS, "per_image": True},
    "hinge": {"type": "LovaszLoss", "use_sigmoid": True, "classes": [0, 2]},
}


@pytest.mark.parametrize("name", CFGS)
def test_on_tensors_without_values(name):
    """Tensors of the meta device have a shape only; reading a value of one raises."""
    logits = torch.empty(2, 3, 8, 9, device="meta", requires_grad=True)
    labels = torch.empty(2, 8, 9, dtype=torch.int16, device="meta")
    total, log = calculatelosses({name: logits}, {"seg_targets": labels}, {name: CFGS[name]})
    total.backward()
    assert total.shape == log["loss_total"].shape == ()
    assert logits.grad.shape == logits.shape


def test_of_small_logits_without_values():
    logits = torch.empty(2, 3, 8, 9, device="meta", requires_grad=True)
    labels = torch.empty(2, 30, 35, dtype=torch.int16, device="meta")
    total, _ = calculatelosses({"ce": logits}, {"seg_targets": labels}, {"ce": CFGS["ce"]}, align_corners=False)
    total.backward()
    assert logits.grad.shape == logits.shape


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", CFGS)
def test_on_a_gpu(name):
    logits = torch.randn(2, 3, 8, 9, device="cuda", requires_grad=True)
    labels = torch.randint(0, 3, (2, 8, 9), dtype=torch.int16, device="cuda")
    expected, _ = calculatelosses({name: logits.detach().cpu()}, {"seg_targets": labels.cpu()}, {name: CFGS[name]})
    torch.cuda.set_sync_debug_mode("error")
    try:
        total, _ = calculatelosses({name: logits}, {"seg_targets": labels}, {name: CFGS[name]})
        total.backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.testing.assert_close(total.detach().cpu(), expected)
