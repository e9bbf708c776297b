"""What a confusion matrix says, as numbers and as a table."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...utils.errors import ConfigError, ShapeError, UnknownNameError, listed, nearest
from .checks import is_number

WHERE = "SEGMENTOR_CFG['inference']['evaluate']"
BY_CLASSNAME = ("iou", "dice")  # a dictionary in the result of an evaluation; other metrics of classes are arrays


def metrics_of(counts: np.ndarray, nan_to_num: float | None = None, beta: float = 1.0) -> dict[str, Any]:
    """Return metric -> array (K,), or a number for `all_accuracy` and the means `miou`, `macc`, `mdice`, `mfscore`.

    With I the pixels of a class that are predicted as it, P those predicted as it and L those labelled as it:
    iou = I / (P + L - I), accuracy = recall = I / L, precision = I / P, dice = 2 I / (P + L), fscore of precision and
    recall, all_accuracy = sum I / sum L, and pixel_share = L / sum L. What has the denominator 0 is NaN, and a class
    whose metric is NaN is left out of its mean.

    Args:
        counts: (K, K + 1), see `ConfusionMatrix`.
        nan_to_num: replaces NaN in metrics of classes, before the means are taken.
        beta: recall counts beta times as much as precision in `fscore`.

    Raises:
        ConfigError: `beta` is not above 0, or `nan_to_num` is no number.
    """
    if not (is_number(beta) and beta > 0):
        raise ConfigError(f"{WHERE}['beta']={beta!r} must be a number above 0")
    if not (nan_to_num is None or is_number(nan_to_num)):
        raise ConfigError(f"{WHERE}['nan_to_num']={nan_to_num!r} must be a number or None")
    intersection = np.diagonal(counts).astype(np.float64)
    predicted = counts[:, :-1].sum(axis=0).astype(np.float64)
    labelled = counts.sum(axis=1).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall, precision = intersection / labelled, intersection / predicted
        classes = {
            "iou": intersection / (predicted + labelled - intersection),
            "accuracy": recall,
            "recall": recall,
            "precision": precision,
            "dice": 2 * intersection / (predicted + labelled),
            "fscore": (1 + beta**2) * precision * recall / (beta**2 * precision + recall),
        }
        overall = {"all_accuracy": float(intersection.sum() / labelled.sum()), "pixel_share": labelled / labelled.sum()}
    if nan_to_num is not None:
        classes = {name: np.nan_to_num(values, nan=nan_to_num) for name, values in classes.items()}
    means = {"miou": "iou", "macc": "accuracy", "mdice": "dice", "mfscore": "fscore"}
    return {**classes, **overall, **{mean: _mean(classes[name]) for mean, name in means.items()}}


def format_metrics(
    metrics: Mapping[str, Any], metric_list: str | Iterable[str], classnames: Sequence[str]
) -> dict[str, Any]:
    """Return the metrics of `metric_list`: `iou` and `dice` as class name -> float, other metrics as they are.

    Raises:
        UnknownNameError: there is no such metric.
        ShapeError: there are not as many names as classes.
    """
    chosen = [metric_list] if isinstance(metric_list, str) else list(metric_list)
    for name in chosen:
        if name not in list(metrics):
            raise UnknownNameError(
                f"{WHERE}['metric_list']: there is no metric {name!r}.{nearest(name, metrics)} "
                f"There are: {listed(sorted(metrics))}."
            )
    return {
        name: _by_classname(metrics[name], classnames) if name in BY_CLASSNAME else _plain(metrics[name])
        for name in chosen
    }


def metrics_table(metrics: Mapping[str, Any], classnames: Sequence[str]) -> str:
    """Return a plain-text table of all classes and the means, in percent.

    Raises:
        ShapeError: there are not as many names as classes.
    """
    _check_names(metrics["iou"], classnames)
    columns = {"IoU": "iou", "Acc": "accuracy", "Dice": "dice", "pixels": "pixel_share"}
    rows = [["class", *columns]]
    for index, classname in enumerate(classnames):
        rows.append([classname, *(_percent(metrics[name][index]) for name in columns.values())])
    rows.append(["mean", *(_percent(metrics[name]) for name in ("miou", "macc", "mdice"))])
    rows.append(["all pixels", "", _percent(metrics["all_accuracy"])])
    width = max(len(row[0]) for row in rows)
    lines = [row[0].ljust(width) + "".join(cell.rjust(8) for cell in row[1:]) for row in rows]
    rule = "-" * len(lines[0])
    lines = [lines[0], rule, *lines[1:-2], rule, *lines[-2:]]
    if any("-" in row[1:] for row in rows[1:-2]):
        lines.append("- no pixels to measure; left out of the mean of its column")
    absent = [name for name, iou in zip(classnames, metrics["iou"], strict=True) if np.isnan(iou)]
    if absent:
        lines.append(f"neither labelled nor predicted anywhere: {listed(absent)}")
    return "\n".join(lines)


def _mean(values: np.ndarray) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else float("nan")


def _by_classname(values: np.ndarray, classnames: Sequence[str]) -> dict[str, float]:
    _check_names(values, classnames)
    return dict(zip(classnames, values.tolist(), strict=True))


def _check_names(values: np.ndarray, classnames: Sequence[str]) -> None:
    if len(values) != len(classnames):
        raise ShapeError(f"there are metrics of {len(values)} classes but {len(classnames)} class names")


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _percent(value: float) -> str:
    return "-" if np.isnan(value) else f"{100 * value:.2f}"
