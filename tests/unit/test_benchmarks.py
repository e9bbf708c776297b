"""The contenders of the benchmarks do the same thing."""

import importlib
from pathlib import Path

import numpy as np
import pytest
import torch

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    """Import a benchmark by its name, as when it is run as a script."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module


def test_confusion_matrices(script):
    module = script("confusion_matrix")
    for cell in (12, 1):
        inputs = module.label_maps(3, 40, 50, 7, cell)
        assert np.array_equal(module.bincount(*inputs), module.ours(*inputs))
        assert module.differ(module.collected(*inputs), module.ours(*inputs)) == "hits are equal"


def test_label_maps(script):
    module = script("label_map")
    inputs = module.logits_of(5, (16, 16), (100, 90), 8)
    assert module.differ(module.plain(*inputs), module.upsampled_labels(*inputs)) == "0 of 9000 pixels differ"


def test_losses(script):
    module = script("upsample_cross_entropy")
    inputs = module.inputs(2, 5, (8, 8), (32, 32))
    for other in (module.one_hot, module.ours):
        for result, expected in zip(other(*inputs), module.plain(*inputs), strict=True):
            torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-7)


def test_rows_have_ratios_to_the_first(script, monkeypatch, capsys):
    harness = script("harness")
    monkeypatch.setattr(harness, "_memory_in_a_process", lambda case, name, peers: 1.0)
    ways = {"plain": lambda x: x + 1, "ours": lambda x: x + 2}
    rows = harness.measure("case", lambda: (1,), ways, lambda a, b: f"differs by {b - a}", 3, [])
    assert [(row["contender"], row["difference"]) for row in rows] == [("plain", ""), ("ours", "differs by 1")]
    assert rows[0]["ratio"] == 1
    assert "differs by 1" in harness._line(rows[1])


def test_rows_of_the_start_are_shares_of_their_baselines(script):
    module = script("start")
    own, baseline = module.ROWS["import ssseg"]
    seconds = iter([9, 9, 1, 2, 3, 4, 1, 4])  # the first round is not counted
    calls = []
    row = module.measure("import ssseg", 3, lambda command: calls.append(command) or next(seconds))
    assert calls == [own, baseline] * 4
    assert (row["ms"], row["baseline_ms"], row["ratio"]) == (1000, 4000, 0.5)
