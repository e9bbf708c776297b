import json
import math
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from ssseg.engine.dataaudit.pool import read_sets
from ssseg.engine.dataaudit.records import Record
from ssseg.engine.dataaudit.sources import folder_cfg
from ssseg.engine.datastats import FORMULAE, ClassCounts, summarize, summary_table
from ssseg.modules.utils.errors import ConfigError, DataError
from ssseg.modules.utils.images import write_png
from tests.tiny import write_data
from tests.trees import write_image

COUNTS = ClassCounts(pixels=[900, 90, 10, 0], images=[10, 3, 1, 0], pixels_of_images=[1000, 300, 100, 0])
SHARES = (0.9, 0.09, 0.01)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("tiny") / "data", train=3, val=2)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("inverse", [1 / 0.9, 1 / 0.09, 1 / 0.01]),
        ("sqrt_inverse", [0.9**-0.5, 0.09**-0.5, 0.01**-0.5]),
        ("enet", [1 / math.log(1.92), 1 / math.log(1.11), 1 / math.log(1.03)]),
        ("median_frequency", [0.3 / 0.9, 1, 0.3 / 0.1]),  # frequencies 0.9, 0.3 and 0.1
    ],
)
def test_weights_follow_their_formula_with_an_average_of_one_over_the_pixels(formula, expected):
    weights = COUNTS.weights(formula)
    assert np.dot(weights[:3], SHARES) == pytest.approx(1, rel=1e-5)
    assert [weight / weights[0] for weight in weights[:3]] == pytest.approx(
        [w / expected[0] for w in expected], rel=1e-5
    )
    assert weights[3] == 0  # never seen


def test_equal_shares_have_equal_weights():
    counts = ClassCounts([50, 50], [1, 1], [100, 100])
    assert all(counts.weights(formula) == [1, 1] for formula in FORMULAE)


def test_other_formulae_are_refused():
    with pytest.raises(
        ConfigError, match=r"'sqrt_invers' is no formula\. Did you mean 'sqrt_inverse'\? There are: inv"
    ):
        COUNTS.weights("sqrt_invers")


def test_weights_need_pixels():
    with pytest.raises(DataError, match="at least one pixel that is not ignored"):
        ClassCounts([0, 0], [0, 0], [0, 0]).weights("enet")


def test_figures_are_those_of_the_files(tiny):
    (source, records), *_ = read_sets(folder_cfg(tiny), ["train"])
    figures = summarize(records, source.dataset.classnames)
    pixels = np.concatenate([cv2.imread(str(path)).reshape(-1, 3) for path in (tiny / "images/train").iterdir()])
    labels = np.concatenate([cv2.imread(str(path), 0).ravel() for path in (tiny / "labels/train").iterdir()])
    assert figures["mean"] == pytest.approx(pixels.mean(0)[::-1])
    assert figures["std"] == pytest.approx(pixels.std(0)[::-1])
    assert [entry["share"] for entry in figures["classes"]] == pytest.approx(np.bincount(labels) / labels.size)
    assert [entry["images"] for entry in figures["classes"]] == [3, 3, 3]
    assert figures["height"] == {"min": 32, "median": 32, "max": 32}
    assert figures["ignored_share"] == 0


def test_ignored_pixels_and_unreadable_files_are_told(tiny, tmp_path):
    root = Path(shutil.copytree(tiny, tmp_path / "data"))
    write_image(root / "images/train/000.png", np.zeros((20, 50, 3), np.uint8))
    half = np.zeros((20, 50), np.uint8)
    half[:10] = 255
    write_png(root / "labels/train/000.png", half)
    (root / "images/train/001.png").write_bytes(b"")
    ((source, records),) = read_sets(folder_cfg(root), ["train"])
    figures = summarize(records, source.dataset.classnames)
    assert (figures["images"], figures["unreadable"]) == (2, 1)
    assert figures["width"] == {"min": 32, "median": 41, "max": 50}
    assert figures["ignored_share"] == pytest.approx(500 / (1000 + 32 * 32))
    assert "images    2, 1 unreadable" in summary_table(figures)


def test_nothing_that_can_be_read_is_an_error():
    with pytest.raises(DataError, match=r"none of the 1 images can be read; `ssseg data check` says why"):
        summarize([Record("a.png")], ["a"])


def test_the_table_has_a_line_for_each_class(tiny):
    ((source, records),) = read_sets(folder_cfg(tiny), ["val"])
    lines = summary_table(summarize(records, source.dataset.classnames))
    assert [line.split()[0] for line in lines[-3:]] == ["ground", "bright", "dark"]
    assert lines[-4].split()[-4:] == list(FORMULAE)
    json.dumps(summarize(records, source.dataset.classnames))


def test_a_set_that_cannot_be_opened_is_an_error(tiny, tmp_path):
    with pytest.raises(DataError, match=r"does not exist"):
        list(read_sets(folder_cfg(tmp_path / "nothing"), ["train"]))
