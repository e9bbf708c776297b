"""Orthogonal momentum: what the update is, which parameters get it, and that runs can go on."""

import copy

import pytest
import torch
from torch import nn

from ssseg.modules import BuildOptimizer, BuildScheduler
from ssseg.modules.models.optimizers.muon import COEFFICIENTS, Muon, orthogonalize
from ssseg.modules.utils import ConfigError, safeload, saveckpts


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.pos_embed = nn.Parameter(torch.randn(1, 4, 4, 4))
        self.stem = nn.Conv2d(1, 8, 3, padding=1)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.body = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.classifier = nn.Conv2d(8, 2, 1)

    def forward(self, x):
        return self.classifier(self.norm(self.body(self.depthwise(self.stem(x)).relu())).relu())


def kinds(optimizer, model):
    names = {parameter: name for name, parameter in model.named_parameters()}
    return {
        flag: {names[p] for group in optimizer.param_groups if group["orthogonal"] is flag for p in group["params"]}
        for flag in (True, False)
    }


def train(model, optimizer, steps, seed=0):
    generator, losses = torch.Generator().manual_seed(seed), []
    for _ in range(steps):
        images = torch.randn(4, 1, 8, 8, generator=generator)
        targets = (nn.functional.avg_pool2d(images, 3, 1, 1)[:, 0] > 0).long()
        loss = nn.functional.cross_entropy(model(images), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


# ---------------------------------------------------------------- the update


@pytest.mark.parametrize("shape", [(8, 8), (16, 64), (64, 16), (5, 100), (32, 27)])
def test_the_update_is_nearly_orthogonal_with_the_directions_of_the_gradient(shape):
    matrix = torch.randn(shape)
    result = orthogonalize(matrix, 8).double()
    u, _, vh = torch.linalg.svd(matrix.double(), full_matrices=False)
    inner = u.T @ result @ vh.T  # diagonal: the same directions, other singular values
    values = inner.diagonal()
    torch.testing.assert_close(inner, torch.diag(values), rtol=0, atol=1e-4)
    assert 0.6 < values.min() <= values.max() < 1.25


def test_the_gathered_iteration_equals_the_plain_one():
    a, b, c = COEFFICIENTS
    matrix = torch.randn(12, 40, dtype=torch.float64)
    x = matrix / matrix.norm()
    for _ in range(5):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    torch.testing.assert_close(orthogonalize(matrix, 5), x, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(orthogonalize(matrix.T, 5), x.T, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("scale", [0.0, 1e-30, 1e-10, 1e15])
def test_tiny_huge_and_zero_gradients_give_finite_updates(scale):
    assert orthogonalize(torch.randn(4, 6) * scale).isfinite().all()


def test_a_step_has_the_spectral_norm_that_is_documented():
    tall = nn.Parameter(torch.zeros(64, 4, 2, 2))
    optimizer = Muon([tall], lr=0.1, momentum=0.0, ns_steps=8)
    tall.grad = torch.randn_like(tall)
    optimizer.step()
    norms = torch.linalg.svdvals(tall.detach().flatten(1))
    torch.testing.assert_close(norms, torch.full((16,), 0.1 * 2.0), rtol=0.35, atol=0)  # sqrt(64 / 16) = 2


def test_weight_decay_shrinks_by_rate_times_decay():
    matrix, vector = nn.Parameter(torch.ones(4, 4)), nn.Parameter(torch.ones(4))
    optimizer = Muon([matrix, vector], lr=0.1, weight_decay=0.5, adamw_lr_ratio=0.2)
    matrix.grad, vector.grad = torch.zeros(4, 4), torch.zeros(4)
    optimizer.step()
    torch.testing.assert_close(matrix.detach(), torch.full((4, 4), 0.95))
    torch.testing.assert_close(vector.detach(), torch.full((4,), 0.99))


def test_what_is_no_matrix_is_updated_as_by_torchs_adamw():
    ours, theirs = (nn.Parameter(torch.linspace(-1, 1, 7)) for _ in range(2))
    muon = Muon([ours], lr=0.1, weight_decay=0.1, adamw_lr_ratio=0.1, betas=(0.8, 0.95), eps=1e-6)
    adamw = torch.optim.AdamW([theirs], lr=0.01, weight_decay=0.1, betas=(0.8, 0.95), eps=1e-6)
    for _ in range(5):
        ours.grad = torch.randn(7)
        theirs.grad = ours.grad.clone()
        muon.step()
        adamw.step()
    torch.testing.assert_close(ours, theirs)


def test_channels_last_weights_get_the_same_update():
    plain = Net()
    last = copy.deepcopy(plain).to(memory_format=torch.channels_last)
    for model in (plain, last):
        train(model, BuildOptimizer(model, {"type": "Muon"}), 2)
    for a, b in zip(plain.parameters(), last.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)
    assert last.body.weight.is_contiguous(memory_format=torch.channels_last)


# ---------------------------------------------------------------- which parameters


def test_matrices_are_found_and_keys_take_some_out():
    model = Net()
    optimizer = BuildOptimizer(model, {"type": "Muon", "lr": 0.02})
    assert kinds(optimizer, model)[True] == {"body.weight", "classifier.weight"}
    optimizer = BuildOptimizer(model, {"type": "Muon", "lr": 0.02, "adamw_keys": ["classifier"]})
    assert kinds(optimizer, model)[True] == {"body.weight"}
    assert kinds(optimizer, model)[False] == {name for name, _ in model.named_parameters()} - {"body.weight"}


def test_rules_and_schedules_reach_both_kinds():
    model = Net()
    rules = {"body": {"lr_multiplier": 0.5, "wd_multiplier": 0.0}, "norm": {"lr_multiplier": 2.0}}
    cfg = {"type": "Muon", "lr": 0.02, "weight_decay": 0.1, "adamw_lr_ratio": 0.1, "params_rules": rules}
    optimizer = BuildOptimizer(model, cfg)
    scheduler = BuildScheduler(
        optimizer, {"type": "PolyScheduler", "max_epochs": 2, "iters_per_epoch": 1, "power": 1.0}
    )
    for rate in (0.02, 0.0101):
        scheduler.updatelr()
        rates = {group["name"]: group["lr"] for group in optimizer.param_groups}
        assert rates["body.weight"] == pytest.approx(0.5 * rate)
        assert rates["norm.weight"] == pytest.approx(0.2 * rate)
        assert rates["classifier.weight"] == pytest.approx(rate)
        assert rates["classifier.bias"] == pytest.approx(0.1 * rate)
        scheduler.step()
    decays = {group["name"]: group["weight_decay"] for group in optimizer.param_groups}
    assert (decays["body.weight"], decays["classifier.bias"]) == (0.0, 0.1)


def test_parameters_without_gradients_are_left_alone():
    model = Net()
    optimizer = BuildOptimizer(model, {"type": "Muon"})
    model.body.weight.grad = torch.randn_like(model.body.weight)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer.step()
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"body.weight"}


# ---------------------------------------------------------------- a run


def test_it_learns_a_small_task_faster_than_adamw_of_its_fallback():
    losses = {}
    for name, cfg in (("muon", {"type": "Muon", "lr": 0.02}), ("adamw", {"type": "AdamW", "lr": 0.002})):
        torch.manual_seed(0)
        model = Net()
        first, *_, a, b, c = train(model, BuildOptimizer(model, cfg), 60)
        losses[name] = (a + b + c) / 3
    assert losses["muon"] < first / 2
    assert losses["muon"] < losses["adamw"]


def test_a_run_goes_on_bit_for_bit_from_a_checkpoint(tmp_path):
    model = Net()
    optimizer = BuildOptimizer(model, {"type": "Muon", "weight_decay": 0.01})
    train(model, optimizer, 3)
    saveckpts({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "a.pth")
    expected = train(model, optimizer, 3, seed=1)
    other = Net()
    other_optimizer = BuildOptimizer(other, {"type": "Muon", "weight_decay": 0.5})
    checkpoint = safeload.load(tmp_path / "a.pth")
    other.load_state_dict(checkpoint["model"])
    other_optimizer.load_state_dict(checkpoint["optimizer"])
    assert train(other, other_optimizer, 3, seed=1) == expected
    for a, b in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


def test_step_evaluates_a_closure():
    parameter = nn.Parameter(torch.ones(3, 3))
    optimizer = Muon([parameter])

    def closure():
        loss = parameter.square().sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 9


@pytest.mark.parametrize(
    "field",
    [{"momentum": 1.0}, {"betas": (0.9, 1.5)}, {"ns_steps": 0}, {"adamw_lr_ratio": -1.0}, {"betas": (-0.1, 0.9)}],
)
def test_values_out_of_range_are_named(field):
    (name,) = field
    with pytest.raises(ConfigError, match=rf"\['optimizer'\]: Muon: {name}.*must"):
        BuildOptimizer(Net(), {"type": "Muon", **field})
