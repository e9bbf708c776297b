import numpy as np
import pytest

from ssseg.modules.datasets.pipelines import ConfusionMatrix, format_metrics, metrics_table
from ssseg.modules.utils.errors import ConfigError, ShapeError, UnknownNameError

NAMES = ["sky", "tree", "car", "cat"]


@pytest.fixture
def metrics():
    """Of four classes, of which `car` is predicted only and `cat` occurs nowhere."""
    matrix = ConfusionMatrix(4)
    matrix.update([0, 0, 0, 1, 1, 2, 9], [0, 0, 1, 1, 1, 1, 0])
    return matrix.metrics()


def test_metrics_of_a_small_matrix(metrics):
    np.testing.assert_allclose(metrics["iou"], [2 / 4, 2 / 4, 0, np.nan])
    np.testing.assert_allclose(metrics["accuracy"], [2 / 3, 2 / 4, np.nan, np.nan])
    np.testing.assert_allclose(metrics["precision"], [2 / 3, 1, 0, np.nan])
    np.testing.assert_allclose(metrics["dice"], [4 / 6, 4 / 6, 0, np.nan])
    np.testing.assert_allclose(metrics["pixel_share"], [3 / 7, 4 / 7, 0, 0])
    assert metrics["all_accuracy"] == pytest.approx(4 / 7)
    assert metrics["miou"] == pytest.approx(1 / 3)
    assert metrics["macc"] == pytest.approx(7 / 12)


def test_without_pixels_everything_is_undefined():
    metrics = ConfusionMatrix(2).metrics()
    assert all(np.isnan(value).all() for value in metrics.values())
    assert "-" in metrics_table(metrics, ["a", "b"])


def test_nan_is_replaced_before_the_mean():
    matrix = ConfusionMatrix(2)
    matrix.update([0], [0])
    assert matrix.metrics(nan_to_num=0)["miou"] == 0.5
    assert matrix.metrics()["miou"] == 1


@pytest.mark.parametrize(
    ("cfg", "message"),
    [
        ({"beta": 0}, r"\['evaluate'\]\['beta'\]=0 must be a number above 0"),
        ({"beta": "1"}, r"\['evaluate'\]\['beta'\]='1' must be a number above 0"),
        ({"nan_to_num": "0"}, r"\['evaluate'\]\['nan_to_num'\]='0' must be a number or None"),
    ],
)
def test_refuses(cfg, message):
    with pytest.raises(ConfigError, match=message):
        ConfusionMatrix(2).metrics(**cfg)


def test_result_by_class_name(metrics):
    result = format_metrics(metrics, ["iou", "miou", "recall"], NAMES)
    assert list(result) == ["iou", "miou", "recall"]
    assert result["iou"]["tree"] == 0.5
    assert isinstance(result["iou"]["tree"], float)
    assert isinstance(result["miou"], float)
    assert isinstance(result["recall"], np.ndarray)
    assert list(format_metrics(metrics, "miou", NAMES)) == ["miou"]


def test_unknown_metric_suggests_the_nearest(metrics):
    with pytest.raises(UnknownNameError, match=r"\['metric_list'\]: .*'mIoU'. Did you mean 'miou'\? There are: .*iou"):
        format_metrics(metrics, ["mIoU"], NAMES)
    with pytest.raises(UnknownNameError, match=r"there is no metric \['iou'\]"):
        format_metrics(metrics, [["iou"]], NAMES)


def test_every_class_needs_a_name(metrics):
    with pytest.raises(ShapeError, match="metrics of 4 classes but 2 class names"):
        format_metrics(metrics, ["iou"], NAMES[:2])
    with pytest.raises(ShapeError, match="metrics of 4 classes but 2 class names"):
        metrics_table(metrics, NAMES[:2])


def test_table(metrics):
    assert metrics_table(metrics, NAMES).splitlines() == [
        "class          IoU     Acc    Dice  pixels",
        "------------------------------------------",
        "sky          50.00   66.67   66.67   42.86",
        "tree         50.00   50.00   66.67   57.14",
        "car           0.00       -    0.00    0.00",
        "cat              -       -       -    0.00",
        "------------------------------------------",
        "mean         33.33   58.33   44.44",
        "all pixels           57.14",
        "- no pixels to measure; left out of the mean of its column",
        "neither labelled nor predicted anywhere: cat",
    ]


def test_table_without_absent_classes_has_no_footnotes():
    matrix = ConfusionMatrix(2)
    matrix.update([0, 1], [0, 1])
    assert metrics_table(matrix.metrics(), ["a", "b"]).splitlines()[-1] == "all pixels          100.00"
