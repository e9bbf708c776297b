"""When kernels run, and that a broken one does not. No kernel and no Triton is needed for that."""

import subprocess
import sys
import types
import warnings

import pytest
import torch

from ssseg.modules.models.kernels import choice
from ssseg.modules.models.upsampling import upsampled_cross_entropy
from tests.unit.upsampling.test_crossentropy import plain

CPU = torch.device("cpu")


def double(x, shift=0.0):
    return 2 * x + shift


def trial(function, device, dtype):
    x = torch.arange(1, 5, device=device).to(dtype).requires_grad_()
    y = function(x)
    return [y.detach(), torch.autograd.grad(y.sum(), x)[0]]


@pytest.fixture(name="use")
def _use(monkeypatch):
    """Let a function be the kernel "double"."""

    def use(run, takes=lambda *arguments: True):
        module = types.SimpleNamespace(run=run, takes=takes, trial=trial)
        monkeypatch.setattr(choice, "_load", lambda name: module)
        monkeypatch.setattr(choice, "_trusted", {})
        monkeypatch.setattr(choice, "_faster", {})

    monkeypatch.setattr(choice, "_is_faster", lambda run, plain, arguments: True)
    monkeypatch.setattr(choice, "available", lambda device: True)
    return use


def broken_alloc(x, shift=0.0):
    raise RuntimeError("no such instruction")


def slightly_wrong(x, shift=0.0):
    return 2.001 * x + shift


def nothing_finite(x, shift=0.0):
    return x * torch.nan


def wrong_gradient(x, shift=0.0):
    return (2 * x).detach() + x - x.detach() + shift


@pytest.mark.parametrize(
    ("kernel", "words"),
    [
        (broken_alloc, "RuntimeError: no such instruction"),
        (slightly_wrong, "differs from PyTorch by 5.0e-04 of the largest value, 1.0e-04 is allowed"),
        (nothing_finite, "differs from PyTorch by nan"),
        (wrong_gradient, "differs from PyTorch by 5.0e-01"),
    ],
)
def test_a_broken_kernel_is_named_once_and_never_used(use, kernel, words):
    use(kernel)
    x = torch.ones(3)
    with pytest.warns(UserWarning, match="'double' is not used on cpu for torch.float32") as told:
        assert choice.run_fastest("double", double, x).tolist() == [2, 2, 2]
    assert words in str(told[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert choice.run_fastest("double", double, x).tolist() == [2, 2, 2]


def test_a_kernel_that_cannot_be_loaded_is_not_used(use, monkeypatch):
    use(double)
    monkeypatch.setattr(choice, "_load", lambda name: (_ for _ in ()).throw(ImportError("libcuda.so.1")))
    with pytest.warns(UserWarning, match=r"ImportError: libcuda.so.1"):
        assert choice.run_fastest("double", double, torch.ones(1)).item() == 2


def test_a_good_kernel_is_tried_once_for_each_dtype_and_used(use):
    calls = []

    def kernel(x, shift=0.0):
        calls.append(x.dtype)
        return double(x, shift)

    use(kernel)
    for dtype in (torch.float32, torch.bfloat16, torch.float32):
        assert choice.run_fastest("double", double, torch.ones(1, dtype=dtype), 1.0).item() == 3
    assert calls == [torch.float32] * 2 + [torch.bfloat16] * 2 + [torch.float32]


def test_the_trial_is_out_of_reach_of_the_callers_modes(use):
    use(double)
    packed = []
    before = torch.random.get_rng_state()
    with (
        torch.autograd.graph.saved_tensors_hooks(lambda x: packed.append(x) or x, lambda x: x),
        torch.autocast("cpu", dtype=torch.bfloat16),
        torch.inference_mode(),
    ):
        choice.run_fastest("double", double, torch.ones(1))
    assert choice._trusted[("double", CPU, torch.float32)]
    assert not packed
    assert torch.equal(before, torch.random.get_rng_state())


def test_the_plain_way_is_taken_where_a_kernel_does_not_fit(use):
    use(wrong_gradient, takes=lambda *arguments: False)
    choice._trusted[("double", CPU, torch.float32)] = True
    assert choice.run_fastest("double", lambda x: "plain", torch.ones(1)) == "plain"
    use(double)
    for other in (torch.ones(1).double(), torch.nn.Parameter(torch.ones(1))):
        assert choice.run_fastest("double", lambda x: "plain", other) == "plain"
    compiled = torch.compile(lambda x: choice.run_fastest("double", lambda x: x + 5, x), backend="eager")
    assert compiled(torch.ones(1)).item() == 6


def test_a_broken_cross_entropy_leaves_the_loss_as_it_is(use):
    logits, labels = torch.randn(1, 3, 4, 4), torch.randint(0, 3, (1, 8, 8))
    expected = plain(logits, labels)
    use(broken_alloc)
    with pytest.warns(UserWarning, match="'crossentropy' is not used"):
        found = upsampled_cross_entropy(logits, labels)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("learns", [False, True])
def test_a_kernel_that_is_slower_is_not_used(use, monkeypatch, learns):
    calls = []

    def slow(x, shift=0.0):
        calls.append(x.requires_grad)
        for _ in range(300):
            torch.randn(2000).sort()
        return double(x, shift)

    monkeypatch.undo()
    monkeypatch.setattr(choice, "available", lambda device: True)
    monkeypatch.setattr(
        choice, "_load", lambda name: types.SimpleNamespace(run=slow, takes=lambda *a: True, trial=trial)
    )
    for name in ("_trusted", "_faster"):
        monkeypatch.setattr(choice, name, {})
    x = torch.ones(2, requires_grad=learns)
    results = [choice.run_fastest("double", double, x) for _ in range(3)]
    assert [result.tolist() for result in results] == [[2, 2]] * 3
    assert x.grad is None
    assert choice._faster == {("double", CPU, torch.float32): False}
    assert set(calls[1:]) == {learns}  # the first call is the trial's
    measured = len(calls)
    choice.run_fastest("double", double, x)
    assert len(calls) == measured


def test_the_faster_kernel_stays(use, monkeypatch):
    def slow(x, shift=0.0):
        for _ in range(300):
            torch.randn(2000).sort()
        return double(x, shift)

    assert choice._is_faster.__name__ == "<lambda>"
    monkeypatch.undo()
    assert choice._is_faster(double, slow, (torch.ones(2), 1.0))


def test_runs_that_must_repeat_take_the_plain_way(use):
    use(double)
    torch.use_deterministic_algorithms(True)
    try:
        assert choice.run_fastest("double", lambda x: "plain", torch.ones(1)) == "plain"
    finally:
        torch.use_deterministic_algorithms(False)


def test_a_cpu_has_no_kernels_and_loads_none():
    assert not choice.available(CPU)
    code = (
        "import sys, torch; from ssseg.modules.models.upsampling import upsampled_cross_entropy as loss;"
        "loss(torch.zeros(1, 2, 2, 2), torch.zeros(1, 4, 4, dtype=torch.int64));"
        "import ssseg.modules.models.segmentors.mask2former.deformable;"
        "loaded = {name for name in sys.modules if name.startswith('ssseg.modules.models.kernels.')};"
        "assert loaded == {'ssseg.modules.models.kernels.choice'}, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
