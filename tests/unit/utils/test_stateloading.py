"""States load where they fit; where they do not, the message says what differs and why that may be."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from ssseg.modules.utils import CheckpointError
from ssseg.modules.utils.checkpoint import load_optimizer, load_state


class Model(nn.Module):
    def __init__(self, num_classes=3, width=4, depth=2):
        super().__init__()
        sizes = [3, *[width] * depth]
        self.backbone_net = nn.Sequential(*[nn.Conv2d(i, o, 1) for i, o in pairwise(sizes)])
        self.decoder = nn.Sequential(nn.BatchNorm2d(width), nn.Conv2d(width, num_classes, 1))
        self.auxiliary_decoder = nn.Conv2d(width, num_classes, 1)


def ones(module):
    return {name: torch.ones_like(value) for name, value in module.state_dict().items()}


def all_ones(module, names=None):
    return all(
        bool((value == 1).all()) for name, value in module.state_dict().items() if names is None or name in names
    )


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "_orig_mod.module."])
def test_weights_load_with_and_without_the_prefixes_of_wrappers(prefix):
    model = Model()
    state = {f"{prefix}{name}": value for name, value in ones(model).items()}
    assert load_state(model, state, source="x.pth") == []
    assert all_ones(model)


def test_counters_that_old_files_lack_may_be_missing():
    model = Model()
    state = ones(model)
    del state["decoder.0.num_batches_tracked"]
    assert load_state(model, state, source="x.pth") == []
    assert model.decoder[0].num_batches_tracked == 0


def test_another_number_of_classes_is_recognized_and_nothing_is_loaded():
    model = Model(num_classes=150)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        load_state(model, Model(num_classes=21).state_dict(), source="pspnet.pth")
    first, header, *rows, last = str(caught.value).splitlines()
    assert first == "pspnet.pth: does not fit the model."
    assert header.split() == ["checkpoint", "model"]
    assert rows[0].split() == ["decoder.1.weight", "(21,", "4,", "1,", "1)", "(150,", "4,", "1,", "1)"]
    assert len(rows) == 4
    assert last == "The weights are for 21 classes; SEGMENTOR_CFG['num_classes'] is 150."
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_another_backbone_is_recognized_and_the_table_stays_short():
    with pytest.raises(CheckpointError) as caught:
        load_state(Model(depth=40), Model(depth=3).state_dict(), source="x.pth")
    lines = str(caught.value).splitlines()
    assert len(lines) <= 20
    assert lines[-2].strip() == "... and 59 more"
    assert lines[-1] == "Most of the backbone differs: compare SEGMENTOR_CFG['backbone'] with that of the training."


def test_missing_and_unexpected_entries_are_shown_with_a_dash():
    state = Model().state_dict()
    state["head.extra"] = torch.zeros(2)
    state["epoch"] = 5
    del state["auxiliary_decoder.bias"]
    with pytest.raises(CheckpointError) as caught:
        load_state(Model(), state, source="x.pth")
    rows = [line.split() for line in str(caught.value).splitlines()[2:-1]]
    assert rows == [["auxiliary_decoder.bias", "-", "(3,)"], ["head.extra", "(2,)", "-"], ["epoch", "int", "-"]]
    assert "What differs lies in auxiliary_decoder, epoch, head" in str(caught.value)


def test_weights_of_another_model_are_recognized():
    with pytest.raises(CheckpointError, match="these are the weights of another model"):
        load_state(Model(), nn.Linear(1, 1).state_dict(), source="x.pth")


def test_a_missing_scalar_is_not_shown_as_missing_on_both_sides():
    state = Model().state_dict()
    state["scale"] = torch.tensor(1.0)
    with pytest.raises(CheckpointError, match=r"scale +\(\) +-"):
        load_state(Model(), state, source="x.pth")


def test_partial_loading_loads_what_fits_and_names_the_rest():
    model = Model(num_classes=5)
    state = ones(Model(num_classes=2))
    state["unknown"] = torch.zeros(1)
    kept = load_state(model, state, partial=True, source="x.pth")
    assert kept == ["decoder.1.weight", "decoder.1.bias", "auxiliary_decoder.weight", "auxiliary_decoder.bias"]
    assert all_ones(model, set(model.state_dict()) - set(kept))
    assert not all_ones(model, kept)


# ---------------------------------------------------------------- optimizers (K13)


def stepped(kind, params, **options):
    optimizer = kind(params, lr=0.1, **options)
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    return optimizer


def grouped(*sizes):
    return [{"params": [nn.Parameter(torch.zeros(size))], "name": f"layer{size}"} for size in sizes]


def test_an_optimizer_state_comes_back_bit_for_bit():
    source = stepped(torch.optim.AdamW, grouped(2, 3))
    target = torch.optim.AdamW(grouped(2, 3), lr=0.5)
    load_optimizer(target, source.state_dict(), source="x.pth")
    assert target.param_groups[0]["lr"] == 0.1
    assert str(target.state_dict()) == str(source.state_dict())


def test_another_optimizer_is_an_error():
    state = stepped(torch.optim.SGD, grouped(2), momentum=0.9).state_dict()
    with pytest.raises(
        CheckpointError, match=r"x\.pth: is the state of another optimizer than AdamW: it has momentum, "
    ):
        load_optimizer(torch.optim.AdamW(grouped(2)), state, source="x.pth")
    with pytest.raises(CheckpointError, match="state of another optimizer than AdamW"):
        load_optimizer(torch.optim.AdamW(grouped(2)), {}, source="x.pth")


def test_other_parameter_groups_are_named():
    state = stepped(torch.optim.SGD, grouped(2, 3)).state_dict()
    with pytest.raises(CheckpointError) as caught:
        load_optimizer(torch.optim.SGD(grouped(2, 4, 5), lr=1), state, source="x.pth")
    assert (
        "2 parameter groups (only in these: layer3) of 2 parameters there, "
        "3 parameter groups (only in these: layer4, layer5) of 3 parameters here"
    ) in str(caught.value)
    assert "params_rules" in str(caught.value)


def test_entries_of_another_shape_are_an_error():
    state = stepped(torch.optim.SGD, grouped(2, 3), momentum=0.9).state_dict()
    with pytest.raises(CheckpointError, match=r"momentum_buffer of parameter 1 has shape \(3,\), the parameter \(4,\)"):
        load_optimizer(torch.optim.SGD(grouped(2, 4), lr=1, momentum=0.9), state, source="x.pth")
