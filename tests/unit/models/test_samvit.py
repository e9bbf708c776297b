import pytest
import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from ssseg.modules import BuildBackbone
from ssseg.modules.models.backbones.bricks.transformer import decomposedpositions as module
from ssseg.modules.models.backbones.bricks.transformer.decomposedpositions import attend_with_positions
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import BACKBONES

SMALL = BACKBONES["SAMViT"]


def filled(**fields):
    """An encoder whose positions and biases are not the initial zeros."""
    encoder = BuildBackbone({**SMALL, **fields}).eval()
    for name, parameter in encoder.named_parameters():
        if "pos" in name:
            torch.nn.init.normal_(parameter)
    return encoder


def given(maps=3, size=(5, 4), dim=6, rows=(9, 7)):
    length = size[0] * size[1]
    qkv = [torch.randn(maps, length, dim, requires_grad=True) for _ in range(3)]
    return [*qkv, torch.randn(rows[0], dim, requires_grad=True), torch.randn(rows[1], dim, requires_grad=True), size]


def by_definition(query, key, value, rel_pos_h, rel_pos_w, size):
    """Softmax over all places, one pair of places after another."""
    h, w = size
    products = query @ key.transpose(1, 2) / query.shape[2] ** 0.5
    biases = torch.zeros_like(products)
    for i in range(h * w):
        for j in range(h * w):
            y, x = i // w - j // w + h - 1, i % w - j % w + w - 1
            biases[:, i, j] = query[:, i] @ (rel_pos_h[y] + rel_pos_w[x])
    return (products + biases).softmax(dim=2) @ value


def test_attention_equals_its_definition():
    inputs = given()
    torch.testing.assert_close(attend_with_positions(*inputs), by_definition(*inputs))


@pytest.mark.parametrize("limit", [1, 100, 170, 500, 900])
def test_parts_give_the_whole_and_its_gradients(monkeypatch, limit):
    inputs = given()
    results = []
    for most in (module.MAX_BIASES, limit):
        monkeypatch.setattr(module, "MAX_BIASES", most)
        y = attend_with_positions(*inputs)
        results.append([y, *torch.autograd.grad((y * torch.arange(y.numel()).view_as(y)).sum(), inputs[:-1])])
        with torch.no_grad():
            torch.testing.assert_close(attend_with_positions(*inputs), y)
    for whole, parts in zip(*results, strict=True):
        torch.testing.assert_close(parts, whole)


def test_tables_of_other_lengths_are_interpolated():
    inputs = given(rows=(15, 5))
    tables = [F.interpolate(x.T[None], n, mode="linear")[0].T for x, n in zip(inputs[3:5], (9, 7), strict=True)]
    torch.testing.assert_close(attend_with_positions(*inputs), by_definition(*inputs[:3], *tables, inputs[5]))


class Largest(TorchDispatchMode):
    """Notes the most elements of any tensor that an operation returns."""

    elements = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for x in result if isinstance(result, tuple | list) else (result,):
            if isinstance(x, torch.Tensor):
                self.elements = max(self.elements, x.numel())
        return result


def test_memory_grows_with_the_places_not_with_their_square(monkeypatch):
    monkeypatch.setattr(module, "MAX_BIASES", 1 << 14)
    most = []
    for side in (32, 64):
        inputs = given(2, (side, side), 8, (2 * side - 1,) * 2)
        with torch.no_grad(), Largest() as largest:
            attend_with_positions(*inputs)
        most.append(largest.elements)
    assert most[1] <= 8 * most[0], "16 times as much would be the square"
    assert most[1] <= 2 * 64**3  # biases for all distances along one axis; those of all pairs would be 2 * 64**4


def test_biases_of_1024_pixels_stay_below_the_limit():
    side, heads = 64, 2
    inputs = given(heads, (side, side), 8, (2 * side - 1,) * 2)
    with torch.no_grad(), Largest() as largest:
        attend_with_positions(*inputs)
    assert largest.elements <= module.MAX_BIASES < heads * side**4


@pytest.mark.parametrize("size", [(64, 64), (32, 96), (50, 70), (5, 5), (130, 64)])
def test_any_size(size):
    with torch.no_grad():
        x = filled()(torch.randn(1, 3, *size))
    assert x.shape == (1, 16, -(-size[0] // 16), -(-size[1] // 16))
    assert x.isfinite().all()


def test_positions_of_the_own_size_are_not_interpolated():
    encoder = filled()
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        expected = encoder.patch_embed(x) + encoder.pos_embed
        for block in encoder.blocks:
            expected = block(expected)
        assert torch.equal(encoder(x), encoder.neck(expected.permute(0, 3, 1, 2)))


def test_maps_of_blocks_that_see_everything():
    encoder = filled(depth=4, global_attn_indexes=(1, 3))
    x, maps = encoder(torch.randn(2, 3, 64, 64), return_interm_embeddings=True)
    assert x.shape == (2, 16, 4, 4)
    assert [one.shape for one in maps] == [(2, 4, 4, 16)] * 2
    assert torch.equal(encoder.neck(maps[-1].permute(0, 3, 1, 2)), x)


def test_windows_do_not_see_each_other():
    encoder = filled(depth=1, global_attn_indexes=(), window_size=2)
    x = torch.randn(1, 64 // 16, 4, 16)
    y = x.clone()
    y[:, :2, :2] += 1
    with torch.no_grad():
        changed = (encoder.blocks[0](x) != encoder.blocks[0](y)).any(dim=3)[0]
    assert changed[:2, :2].all()
    assert changed.sum() == 4


def test_checkpointing_changes_nothing():
    one, other = filled(), filled(use_checkpoint=True)
    other.load_state_dict(one.state_dict())
    x = torch.randn(1, 3, 64, 64)
    losses = [encoder(x).square().sum() for encoder in (one, other)]
    assert torch.equal(*losses)
    for loss in losses:
        loss.backward()
    for mine, theirs in zip(other.parameters(), one.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"num_heads": 3}, r"\['num_heads'\]: 3 heads do not share out embed_dim=16"),
        ({"global_attn_indexes": (0, 2)}, r"\['global_attn_indexes'\]: holds 2, must hold numbers from 0 to 1"),
    ],
)
def test_what_does_not_fit_is_named(fields, message):
    with pytest.raises(ConfigError, match=message):
        BuildBackbone({**SMALL, **fields})
