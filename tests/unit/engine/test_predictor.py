import numpy as np
import pytest

from ssseg.engine.inference import find_images, output_names
from ssseg.engine.predictor import Prediction, pipeline_for_tests
from ssseg.modules.utils.configparser import load_config
from ssseg.modules.utils.errors import DataError
from ssseg.modules.utils.labelmap import LabelMap

PIPELINE = [("ToTensor", {})]


@pytest.mark.parametrize(
    "cfg",
    [
        {"type": "VOCDataset", "test": {"data_pipelines": PIPELINE}},
        {"type": "VOCDataset", "data_pipelines": PIPELINE, "test": {"set": "val"}},
        {"type": "MultipleDataset", "test": {"A": {"type": "A", "test": {"data_pipelines": PIPELINE}}, "B": {}}},
    ],
)
def test_pipeline_is_found_wherever_it_stands(cfg):
    assert pipeline_for_tests(cfg) == PIPELINE


def test_experiments_on_joined_data_sets_have_one():
    cfg = load_config("deeplabv3_mobilevits_voc-cocosubvoc")
    assert [name for name, _ in pipeline_for_tests(cfg["dataset"])][-1] == "ToTensor"


def test_shares_are_largest_first():
    label_map = LabelMap.of_classes(["a", "b", "c"], [(0, 0, 0), (1, 1, 1), (2, 2, 2)])
    prediction = Prediction(np.zeros((2, 2, 3), np.uint8), np.array([[2, 2], [2, 0]], np.int16), label_map)
    assert prediction.shares() == {"c": 0.75, "a": 0.25}


def test_names_of_outputs_are_distinct(tmp_path):
    for name in ("a.jpg", "a.PNG", "b.c.jpg", "readme.txt"):
        (tmp_path / name).write_bytes(b"")
    images = find_images(str(tmp_path))
    assert output_names(images) == ["a.PNG", "a.jpg", "b.c"]


@pytest.mark.parametrize(("path", "words"), [("", "give a folder"), ("no/such.jpg", "no such file")])
def test_what_is_not_there_is_named(path, words):
    with pytest.raises(DataError, match=words):
        find_images(path)
