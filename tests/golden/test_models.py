"""Networks against recorded values: the same entries in the same order, the same numbers, the same gradients.

Weights and inputs are functions of their names (`fill.py`); `data/models` holds what a reference implementation made of
them. Recorded on one thread in float32; other kernels differ in the last bits, hence the tolerances.
"""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ssseg.modules import BuildBackbone, BuildSegmentor, SSSegInputStructure
from tests.golden.fill import fill, golden_input, golden_labels

DATA = Path(__file__).with_name("data") / "models"
CASES = {entry["case"]: entry for path in sorted(DATA.glob("index*.json")) for entry in json.loads(path.read_text())}
WITH_NUMBERS = [name for name, entry in CASES.items() if "outputs" in entry]


def build(entry):
    return BuildSegmentor(entry["cfg"], "TRAIN") if entry["kind"] == "segmentor" else BuildBackbone(entry["cfg"])


def filled(entry):
    module = build(entry)
    fill(module)
    for key, (operation, value) in entry.get("overrides", {}).items():
        tensor = module.state_dict()[key]
        tensor.copy_(tensor.abs()) if operation == "abs" else tensor.fill_(value)
    return module.eval()


def outputs(entry, module):
    """Name -> tensor for everything that was recorded in eval mode."""
    images = golden_input(entry["case"], tuple(entry["input_shape"]))
    if entry["kind"] == "backbone":
        return {f"out{i}": out for i, out in enumerate(module(images))}
    made = {"seg_logits": module(SSSegInputStructure(mode="TEST", images=images)).seg_logits}
    for name, record in entry["outputs"].items():
        if name != "seg_logits":
            module.cfg["inference"] = record.get("inference_cfg", entry["cfg"]["inference"])
            made[name] = module.inference(images)
    return made


@pytest.mark.parametrize("case", CASES)
def test_entries_have_the_recorded_names_order_and_shapes(case):
    with torch.device("meta"):
        module = build(CASES[case])
    recorded = json.loads(gzip.decompress((DATA / f"{case}.keys.json.gz").read_bytes()))
    made = [
        [key, list(value.shape), str(value.dtype).removeprefix("torch.")] for key, value in module.state_dict().items()
    ]
    assert made == recorded
    assert sum(p.numel() for p in module.parameters()) == CASES[case]["num_params"]


@pytest.mark.parametrize("case", WITH_NUMBERS)
def test_outputs(case):
    entry, recorded = CASES[case], np.load(DATA / f"{case}.npz")
    with torch.no_grad():
        made = outputs(entry, filled(entry))
    assert made.keys() == entry["outputs"].keys()
    for name, record in entry["outputs"].items():
        assert list(made[name].shape) == record["shape"], name
        expected = torch.from_numpy(recorded[name]).flatten()
        error = (made[name].flatten()[:: record["step"]] - expected).abs().max()
        assert error <= 1e-4 * expected.abs().max(), f"{name}: {error}"


@pytest.mark.parametrize("case", [name for name in WITH_NUMBERS if "train" in CASES[name]])
def test_training_step(case):
    entry, record = CASES[case], CASES[case]["train"]
    module = filled(entry).train()
    for part in module.modules():
        if "Drop" in type(part).__name__ or isinstance(part, torch.nn.MultiheadAttention):
            part.eval()
    n, _, height, width = record["input_shape"]
    sample = SSSegInputStructure(
        mode="TRAIN",
        images=golden_input(case, tuple(record["input_shape"])),
        seg_targets=golden_labels(case, (n, height, width), entry["num_classes"], entry["labels_ignore_index"]),
        edge_targets=golden_labels(f"{case}:edge", (n, height, width), 2) if "edge_targets" in record else None,
    )
    torch.manual_seed(0)  # heads that learn from random points draw the recorded ones
    result = module(sample, **record.get("forward_kwargs", {}))
    result.loss.backward()
    logged = {name: value.item() for name, value in result.losses_log_dict.items()}
    assert logged == pytest.approx(record["losses"], rel=1e-4)
    assert result.loss.item() == pytest.approx(record["loss"], rel=1e-4)
    norms = {name: p.grad.double().norm() for name, p in module.named_parameters() if p.requires_grad}
    share = record.get("gradient_tolerance", 1e-3)  # points ranked by uncertainty change places with the last bits
    for name, expected in record["grad_norms"].items():
        assert norms[name].item() == pytest.approx(expected, rel=share, abs=1e-5), name
    total = torch.stack(list(norms.values())).norm().item()
    assert total == pytest.approx(record.get("total_grad_norm", total), rel=share)
    for key, info in record.get("post", {}).items():
        expected = torch.from_numpy(np.load(DATA / f"{case}.npz")[f"post:{key}"]).flatten()
        error = (module.state_dict()[key].flatten()[:: info["step"]] - expected).abs().max()
        assert error <= 1e-4 * expected.abs().max(), f"{key}: {error}"
