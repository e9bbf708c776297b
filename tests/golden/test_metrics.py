"""Metrics against recorded numbers, within 1e-6."""

import json
from pathlib import Path

import numpy as np
import pytest

from ssseg.modules.datasets.pipelines import Evaluation, format_metrics
from tests.golden.inputs import pred_gt_pairs

GOLDEN = json.loads((Path(__file__).parent / "data" / "metrics.json").read_text())


def numbers(values):
    """Recorded values as an array; NaN is recorded as the string "nan"."""
    return np.asarray(values["ndarray"] if isinstance(values, dict) else values, dtype=np.float64)


@pytest.mark.parametrize("case", GOLDEN["cases"])
def test_all_metrics(case):
    spec = GOLDEN["cases"][case]
    predictions, targets = pred_gt_pairs(case, spec["inputs"])
    results = Evaluation(predictions, targets, **spec["arguments"]).all_metric_results
    for metric, value in spec["metrics"].items():
        np.testing.assert_allclose(results[metric], numbers(value), rtol=1e-6, atol=1e-12, err_msg=metric)


@pytest.mark.parametrize("spec", GOLDEN["dataset_evaluate"], ids=lambda spec: "-".join(spec["metric_list"]))
def test_result_of_an_evaluation(spec):
    predictions, targets = pred_gt_pairs(spec["case"], spec["inputs"])
    metrics = Evaluation(predictions, targets, num_classes=3, **spec["arguments"]).all_metric_results
    result = format_metrics(metrics, spec["metric_list"], spec["classnames"])
    assert list(result) == spec["metric_list"]
    for metric, value in spec["result"].items():
        if metric in ("iou", "dice"):
            assert list(result[metric]) == list(value)
            got, value = list(result[metric].values()), list(value.values())  # noqa: PLW2901
        else:
            got = result[metric]
        np.testing.assert_allclose(got, numbers(value), rtol=1e-6, err_msg=metric)
