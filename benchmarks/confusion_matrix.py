"""Confusion matrix of a data set: run-length pair codes against collecting label maps and a histogram.

A contender takes (predictions, targets, num_classes): lists of label maps (H, W), int16, labels of -100 being ignored.
It returns counts (num_classes, num_classes), rows being labels.
"""

import pickle

import harness
import numpy as np
import torch

from ssseg.modules.datasets.pipelines import ConfusionMatrix


def collected(predictions, targets, num_classes):
    """Collect all label maps as int32, hand them from process to process, then take three histograms an image."""
    kept = pickle.loads(pickle.dumps(list(zip(*map(as_int32, (predictions, targets)), strict=True))))
    areas = torch.zeros(3, num_classes, dtype=torch.float64)
    for pair in kept:
        valid = pair[1] != -100
        prediction, target = (torch.from_numpy(values[valid]) for values in pair)
        for i, values in enumerate((prediction[prediction == target], prediction, target)):
            areas[i] += torch.histc(values.float(), num_classes, 0, num_classes - 1)
    return np.diag(areas[0].long().numpy())  # how often classes are mistaken for another one it does not know


def as_int32(label_maps):
    return [values.astype(np.int64).astype(np.int32) for values in label_maps]


def bincount(predictions, targets, num_classes):
    """One pair code a pixel, int64."""
    counts = np.zeros(num_classes**2, np.int64)
    for prediction, target in zip(predictions, targets, strict=True):
        valid = target >= 0
        codes = target[valid].astype(np.int64) * num_classes + prediction[valid]
        counts += np.bincount(codes, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def ours(predictions, targets, num_classes):
    matrix = ConfusionMatrix(num_classes, -100)
    for prediction, target in zip(predictions, targets, strict=True):
        matrix.update(prediction, target)
    return matrix.counts[:, :num_classes]


def label_maps(number, height, width, num_classes, cell):
    """Regions of `cell` x `cell` pixels, predicted a few pixels off; the first rows are ignored. 1 is noise."""
    rng = np.random.Generator(np.random.PCG64(0))
    predictions, targets = [], []
    for _ in range(number):
        coarse = rng.integers(0, num_classes, (height // cell + 2, width // cell + 2), dtype=np.int16)
        large = coarse.repeat(cell, axis=0).repeat(cell, axis=1) if cell > 1 else coarse
        shift = min(cell - 1, 3)
        predictions.append(np.ascontiguousarray(large[shift : height + shift, shift : width + shift]))
        targets.append(large[:height, :width].copy() if cell > 1 else np.roll(predictions[-1], 7))
        targets[-1][:3] = -100
    return predictions, targets, num_classes


def differ(counts, other):
    hits = np.array_equal(np.diag(counts), np.diag(other))
    return "hits are equal" if hits else "hits DIFFER"


CASES = {
    "20 x 512x512, 150": lambda: label_maps(20, 512, 512, 150, 48),
    "5 x 1024x2048, 19": lambda: label_maps(5, 1024, 2048, 19, 96),
    "noise, 20 x 512x512, 150": lambda: label_maps(20, 512, 512, 150, 1),
    "noise, 5 x 1024x2048, 19": lambda: label_maps(5, 1024, 2048, 19, 1),
}

if __name__ == "__main__":
    torch.set_num_threads(1)
    harness.main(__doc__, CASES, {"collect and histc": collected, "bincount": bincount, "ours": ours}, differ)
