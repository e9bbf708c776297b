import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks

from ssseg.modules import BuildBackbone
from ssseg.modules.models.backbones.bricks.transformer import attend_in_bands, bandedattention
from ssseg.modules.models.backbones.bricks.transformer.biastables import relative_position_index_with_class
from tests.contracts.small_cfgs import BACKBONES


def inputs():
    query, key, value = (torch.randn(2, 3, length, 4, requires_grad=True) for length in (11, 7, 7))
    return query, key, value, torch.randn(1, 3, 11, 7, requires_grad=True)


@pytest.mark.parametrize("rows", [1, 4, 11])
def test_bands_give_what_the_whole_gives(monkeypatch, rows):
    query, key, value, bias = inputs()
    seen = []

    def biases(some):
        seen.append(bias[:, :, some])
        return seen[-1]

    whole = attend_in_bands(query, key, value, biases)
    assert len(seen) == 1
    monkeypatch.setattr(bandedattention, "MAX_BIASES", rows * 2 * 3 * 7)
    made = attend_in_bands(query, key, value, biases)
    torch.testing.assert_close(made, whole)
    assert max(x.shape[2] for x in seen[1:]) == rows
    above, given = torch.randn_like(whole), (query, key, value, bias)
    for one, other in zip(
        torch.autograd.grad(made, given, above), torch.autograd.grad(whole, given, above), strict=True
    ):
        torch.testing.assert_close(one, other)


def test_dropout_of_bands_has_the_gradients_of_what_was_kept(monkeypatch):
    monkeypatch.setattr(bandedattention, "MAX_BIASES", 1)
    query, key, _, bias = inputs()
    value = torch.ones(2, 3, 7, 4, requires_grad=True)  # each result is the share that was kept
    made = attend_in_bands(query, key, value, lambda some: bias[:, :, some], dropout=0.5)
    made.sum().backward()
    assert value.grad.sum().item() == pytest.approx(made.sum().item(), rel=1e-5)


@pytest.mark.parametrize("size", [(48, 64), (80, 96)])
def test_what_beit_keeps_for_its_gradients_is_linear_in_the_tokens(monkeypatch, size):
    backbone, kept = BuildBackbone({**BACKBONES["BEiT"], "patch_size": 4}), []
    expected = backbone(torch.ones(1, 3, *size))
    monkeypatch.setattr(bandedattention, "MAX_BIASES", 1 << 12)
    with saved_tensors_hooks(lambda x: kept.append(x.numel()) or x, lambda x: x):
        made = backbone(torch.ones(1, 3, *size))
    for one, other in zip(made, expected, strict=True):
        torch.testing.assert_close(one, other)
    tokens = 1 + size[0] * size[1] // 16
    assert max(kept) < 200 * tokens < tokens**2 * 2  # images x heads x pairs


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (4, 3)])
def test_some_rows_of_the_index(size):
    whole = relative_position_index_with_class(size)
    for some in (slice(0, 1), slice(1, 4), slice(3, 99)):
        assert torch.equal(relative_position_index_with_class(size, some), whole[some])
