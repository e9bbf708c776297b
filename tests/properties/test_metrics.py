"""Laws of the confusion matrix and its metrics."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ssseg.modules.datasets.pipelines import ConfusionMatrix, Evaluation

CLASSES = 4
LABELS = arrays(np.int16, st.tuples(st.integers(0, 7), st.integers(1, 7)), elements=st.integers(-2, CLASSES + 1))
PAIRS = LABELS.flatmap(
    lambda target: st.tuples(arrays(np.int16, target.shape, elements=st.integers(-2, CLASSES + 1)), st.just(target))
)
PER_CLASS = ("iou", "accuracy", "recall", "precision", "dice", "fscore")


def matrix_of(prediction, target):
    matrix = ConfusionMatrix(CLASSES, ignore_index=-1)
    matrix.update(prediction, target)
    return matrix


@given(pair=PAIRS)
def test_counts_are_those_of_a_loop(pair):
    counts = np.zeros((CLASSES, CLASSES + 1), int)
    for prediction, target in zip(pair[0].ravel(), pair[1].ravel(), strict=True):
        if 0 <= target < CLASSES:
            counts[target, prediction if 0 <= prediction < CLASSES else CLASSES] += 1
    np.testing.assert_array_equal(matrix_of(*pair).counts, counts)


@given(pair=PAIRS)
def test_metrics_lie_between_zero_and_one_or_are_undefined(pair):
    values = np.hstack(list(matrix_of(*pair).metrics().values()))
    assert (np.isnan(values) | ((values >= 0) & (values <= 1))).all()


@given(pair=PAIRS)
def test_metrics_agree_with_each_other(pair):
    metrics = matrix_of(*pair).metrics()
    np.testing.assert_allclose(metrics["dice"], 2 * metrics["iou"] / (1 + metrics["iou"]))
    defined = ~np.isnan(metrics["fscore"])
    np.testing.assert_allclose(metrics["fscore"][defined], metrics["dice"][defined])
    for mean, name in {"miou": "iou", "macc": "accuracy", "mdice": "dice", "mfscore": "fscore"}.items():
        defined = [value for value in metrics[name] if not np.isnan(value)]
        np.testing.assert_allclose(metrics[mean], np.mean(defined) if defined else np.nan)


@given(pair=PAIRS, beta=st.floats(0.1, 10), fill=st.floats(-1, 1))
def test_undefined_metrics_are_replaced(pair, beta, fill):
    matrix = matrix_of(*pair)
    plain, filled = matrix.metrics(beta=beta), matrix.metrics(nan_to_num=fill, beta=beta)
    for name in PER_CLASS:
        np.testing.assert_array_equal(filled[name], np.where(np.isnan(plain[name]), fill, plain[name]))


@given(target=LABELS)
def test_a_perfect_prediction_scores_one(target):
    metrics = matrix_of(target, target).metrics()
    for name in PER_CLASS:
        assert set(metrics[name][~np.isnan(metrics[name])]) <= {1.0}


@given(pairs=st.lists(PAIRS, max_size=4), order=st.randoms(use_true_random=False))
def test_neither_order_nor_division_of_images_matters(pairs, order):
    parts = [matrix_of(*pair) for pair in pairs]
    order.shuffle(parts)
    total = ConfusionMatrix(CLASSES, ignore_index=-1)
    for part in parts:
        total.add(part.counts)
    whole = Evaluation([pair[0] for pair in pairs], [pair[1] for pair in pairs], num_classes=CLASSES)
    for name, value in total.metrics().items():
        np.testing.assert_array_equal(value, whole.all_metric_results[name])


@given(pair=PAIRS, permutation=st.permutations(range(CLASSES)))
def test_names_of_classes_do_not_matter(pair, permutation):
    def renamed(labels):
        return np.array([permutation[label] if 0 <= label < CLASSES else label for label in labels.flat], np.int16)

    before, after = matrix_of(*pair).metrics(), matrix_of(renamed(pair[0]), renamed(pair[1])).metrics()
    for name in PER_CLASS:
        np.testing.assert_array_equal(after[name][list(permutation)], before[name])


@given(pair=PAIRS)
def test_ignored_pixels_do_not_matter(pair):
    prediction, target = pair
    other = np.where(target == -1, (prediction + 1) % CLASSES, prediction)
    np.testing.assert_array_equal(matrix_of(prediction, target).counts, matrix_of(other, target).counts)
