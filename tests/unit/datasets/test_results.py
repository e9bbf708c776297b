import numpy as np
import pytest
from PIL import Image

from ssseg.modules.datasets.base import BaseDataset
from ssseg.modules.utils.errors import DataError
from ssseg.modules.utils.images import read_label


class Streets(BaseDataset):
    num_classes = 2
    classnames = ["road", "car"]
    palette = [(1, 2, 3), (4, 5, 6)]
    clsid2label = {7: 0, 26: 1, 255: -100}


def test_predictions_are_written_as_the_numbers_of_the_data_set(tmp_path):
    labels = np.array([[0, 1], [1, 1]], np.int16)
    streets = Streets("TEST", None, {})
    written = streets.formatresults([labels, 1 - labels], ["aachen/a", "b"], savedir=str(tmp_path / "new" / "results"))
    assert [path.removeprefix(str(tmp_path)) for path in written] == ["/new/results/aachen/a.png", "/new/results/b.png"]
    assert read_label(written[0]).tolist() == [[7, 26], [26, 26]]
    assert read_label(written[1]).tolist() == [[26, 7], [7, 7]]
    assert np.asarray(Image.open(written[0]).convert("RGB")).tolist() == [[[1, 2, 3], [4, 5, 6]], [[4, 5, 6]] * 2]


def test_or_as_labels(tmp_path):
    labels = np.array([[0, 1]], np.int64)
    (path,) = Streets("TEST", None, {}).formatresults([labels], ["a"], to_label_id=False, savedir=str(tmp_path))
    assert read_label(path).tolist() == [[0, 1]]


def test_numbers_above_255_are_written_without_a_palette(tmp_path):
    class Wide(Streets):
        clsid2label = {1000: 0, 26: 1}

    (path,) = Wide("TEST", None, {}).formatresults([np.array([[0, 1]])], ["a"], savedir=str(tmp_path))
    assert read_label(path).tolist() == [[1000, 26]]


def test_d06_results_stay_in_their_folder(tmp_path):
    with pytest.raises(DataError, match=r"\.\./a"):
        Streets("TEST", None, {}).formatresults([np.zeros((1, 1))], ["../a"], savedir=str(tmp_path / "results"))
