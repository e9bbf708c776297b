"""The averaged segmentor. Recorded numbers are compared in tests/golden/test_schedulers.py."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.parallel import DataParallel

from ssseg.modules import EMASegmentor, loadckpts, saveckpts
from ssseg.modules.utils import ConfigError


def model():
    return nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3), nn.Conv2d(3, 1, 1))


def set_all(module, value):
    with torch.no_grad():
        for entry in module.state_dict().values():
            entry.fill_(value)


def test_the_average_starts_as_a_frozen_copy_in_evaluation_mode():
    segmentor = model().train()
    ema = EMASegmentor(segmentor)
    assert all(torch.equal(a, b) for a, b in zip(ema.state().values(), segmentor.state_dict().values(), strict=True))
    set_all(segmentor, 5.0)
    assert not any(bool((value == 5).all()) for value in ema.state().values())
    assert not ema.segmentor_ema.training
    assert not any(parameter.requires_grad for parameter in ema.parameters())
    assert segmentor.training
    assert all(parameter.requires_grad for parameter in segmentor.parameters())


def test_floats_are_averaged_and_integers_copied():
    segmentor = model()
    set_all(segmentor, 1)
    ema = EMASegmentor(segmentor, momentum=0.25)
    set_all(segmentor, 5)
    for want in (2.0, 2.75):
        ema.update(segmentor)
        for name, value in ema.state().items():
            assert value.eq(5 if name.endswith("num_batches_tracked") else want).all(), name


def test_momentum_one_copies():
    segmentor = model()
    ema = EMASegmentor(segmentor, momentum=1)
    set_all(segmentor, 3.5)
    ema.update(segmentor)
    assert all(torch.equal(a, b) for a, b in zip(ema.state().values(), segmentor.state_dict().values(), strict=True))


def test_tied_weights_are_averaged_once():
    segmentor = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    segmentor[1].weight = segmentor[0].weight
    set_all(segmentor, 0.0)
    ema = EMASegmentor(segmentor, momentum=0.5)
    set_all(segmentor, 1.0)
    ema.update(segmentor)
    assert ema.segmentor_ema[0].weight is ema.segmentor_ema[1].weight
    assert (ema.segmentor_ema[0].weight == 0.5).all()


def test_parallel_wrappers_are_looked_through():
    segmentor = model()
    wrapped = DataParallel(segmentor)
    ema = EMASegmentor(wrapped, momentum=0.5)
    ema.update(wrapped)
    assert list(ema.state()) == list(segmentor.state_dict())


def test_forward_is_the_averaged_segmentors():
    segmentor, image = model(), torch.randn(1, 2, 4, 4)
    ema = EMASegmentor(segmentor)
    expected = copy.deepcopy(segmentor).eval()(image)
    set_all(segmentor, 0.0)
    assert torch.equal(ema(image), expected)


def test_the_state_comes_back_through_a_checkpoint_with_shared_memory(tmp_path):
    segmentor = model()
    segmentor[2].bias = nn.Parameter(segmentor[1].bias.detach()[:1])  # a view of another entry
    ema = EMASegmentor(segmentor)
    saveckpts({"model": segmentor.state_dict(), "model_ema": ema.state()}, tmp_path / "a.pth")
    other = EMASegmentor(model())
    other.setstate(loadckpts(tmp_path / "a.pth")["model_ema"])
    assert all(torch.equal(a, b) for a, b in zip(other.state().values(), ema.state().values(), strict=True))
    with pytest.raises(RuntimeError, match="Missing key"):
        other.setstate({})
    other.setstate({}, strict=False)


@pytest.mark.parametrize("momentum", [0, -0.1, 1.5, "0.1", None, True])
def test_a_momentum_out_of_range_is_an_error(momentum):
    with pytest.raises(ConfigError, match=r"SEGMENTOR_CFG\['ema_cfg'\]\['momentum'\]=.* must be a number in \(0, 1\]"):
        EMASegmentor(model(), momentum=momentum)
