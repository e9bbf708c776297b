"""Mixed precision comes near float32, and a run says what it computes in."""

import pytest
import torch

from ssseg.engine.devices import Precision, describe_device, set_up_backends
from ssseg.engine.options import RuntimeOptions
from ssseg.modules import BuildSegmentor, SSSegInputStructure
from tests.contracts.small_cfgs import small

CPU = torch.device("cpu")
BFLOAT16 = {"type": "pytorch", "autocast": {"dtype": "bfloat16"}}


@pytest.mark.parametrize("name", ["FCN", "Segformer", "UPerNet", "Deeplabv3Plus", "PSPNet"])
def test_the_loss_in_bfloat16_is_within_two_percent(name):
    model = BuildSegmentor(small(name), "TRAIN").train()
    labels = torch.randint(0, 4, (4, 8, 8)).repeat_interleave(8, 1).repeat_interleave(8, 2)
    data_meta = SSSegInputStructure(mode="TRAIN", images=torch.randn(4, 3, 64, 64), seg_targets=labels)
    losses = []
    for cfg in (None, BFLOAT16):
        torch.manual_seed(0)  # dropout
        with Precision(cfg, CPU).autocast():
            losses.append(model(data_meta).loss)
    losses[1].backward()
    assert losses[1].item() == pytest.approx(losses[0].item(), rel=0.02)
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_a_run_says_in_what_it_computes():
    assert "float32" in describe_device(CPU, Precision(None, CPU))
    assert describe_device(CPU, Precision(BFLOAT16, CPU)).endswith("autocast to bfloat16")


@pytest.mark.parametrize("tf32", [True, False])
def test_rounded_products_on_a_gpu_are_a_switch(tf32):
    places = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [place.allow_tf32 for place in places]
    set_up_backends({}, RuntimeOptions(tf32=tf32))
    found = [place.allow_tf32 for place in places]
    for place, value in zip(places, before, strict=True):
        place.allow_tf32 = value
    assert found == [tf32, tf32]
