import copy
import pickle

import numpy as np
import pytest

from ssseg.modules import BuildDataTransform, DataTransformBuilder
from ssseg.modules.datasets.pipelines.builder import build_pipeline
from ssseg.modules.datasets.pipelines.transforms import Normalize, Resize
from ssseg.modules.utils.errors import ConfigError, ResourceError, UnknownNameError

WHERE = "SEGMENTOR_CFG['dataset']['train']['data_pipelines']"
NEEDS = {
    "Resize": {"output_size": 8},
    "RandomCrop": {"crop_size": 8},
    "RandomFlip": {"prob": 0.5},
    "ResizeShortestEdge": {"short_edge_length": 8, "max_size": 16},
    "RandomShortestEdgeResize": {"short_edge_range": (4, 8), "max_size": 16},
    "RandomChoiceResize": {"scales": [4, 8]},
    "Normalize": {"mean": [1, 2, 3], "std": [1, 1, 1]},
    "Padding": {"output_size": 8},
    "RandomCutOut": {"prob": 1, "n_holes": (1, 1), "cutout_shape": (2, 2)},
    "AlbumentationsWrapper": {"albu_cfg": {"type": "HorizontalFlip"}},
}


@pytest.fixture
def registry():
    """The registered transforms, restored afterwards."""
    before = dict.copy(DataTransformBuilder.REGISTERED_MODULES)
    yield DataTransformBuilder
    DataTransformBuilder.REGISTERED_MODULES.clear()
    dict.update(DataTransformBuilder.REGISTERED_MODULES, before)


@pytest.mark.parametrize("name", DataTransformBuilder.REGISTERED_MODULES)
def test_both_forms_build_what_they_name_and_leave_the_cfg_alone(name):
    if name == "AlbumentationsWrapper":
        pytest.importorskip("albumentations")
    fields = NEEDS.get(name, {})
    pipeline = [(name, fields), [name, fields], {"type": name, **fields}]
    before = copy.deepcopy(pipeline)
    for transform in build_pipeline(pipeline, where=WHERE):
        assert type(transform).__name__ == name
        assert type(pickle.loads(pickle.dumps(transform))) is type(transform)  # worker processes get them so
    assert pipeline == before
    assert type(BuildDataTransform({"type": name, **fields})).__name__ == name


@pytest.mark.parametrize("name", [name for name in NEEDS if name != "AlbumentationsWrapper"])
def test_unknown_and_missing_fields_are_named(name):
    place = r"data_pipelines'\]\[0\]"
    with pytest.raises(ConfigError, match=f"{place}.*no_such_field"):
        build_pipeline([(name, {**NEEDS[name], "no_such_field": 1})], where=WHERE)
    missing = next(iter(NEEDS[name]))
    with pytest.raises(ConfigError, match=f"{place}.*needs '{missing}'"):
        build_pipeline([(name, {key: value for key, value in NEEDS[name].items() if key != missing})], where=WHERE)


@pytest.mark.parametrize(
    "entry",
    [
        "Resize",
        None,
        3,
        (),
        ("Resize",),
        ("Resize", None),
        ("Resize", 512),
        ("Resize", {}, {}),
        ("Resize", {"type": "Resize"}),
        (Resize, {}),
        {},
        {"output_size": 512},
        {"type": None},
        [["Resize", {}]],
    ],
    ids=repr,
)
def test_malformed_entries_are_named(entry):
    with pytest.raises(
        ConfigError, match=r"data_pipelines'\]\[1\]=.* is no transform\. A transform is written \('Resize'"
    ):
        build_pipeline([("ToTensor", {}), entry], where=WHERE)


@pytest.mark.parametrize("pipeline", [None, "Resize", {"type": "Resize"}, 3])
def test_a_pipeline_is_a_list(pipeline):
    with pytest.raises(ConfigError, match=r"data_pipelines'\]=.* must be a list of transforms"):
        build_pipeline(pipeline, where=WHERE)


def test_unknown_name_suggests_the_nearest():
    pipeline = [("ToTensor", {}), {"type": "Randomflip", "prob": 0.5}]
    with pytest.raises(UnknownNameError, match=r"data_pipelines'\]\[1\]\['type'\]: .*Did you mean 'RandomFlip'"):
        build_pipeline(pipeline, where=WHERE)


def test_value_out_of_range_is_named():
    message = (
        r"SEGMENTOR_CFG\['dataset'\]\['train'\]\['data_pipelines'\]\[2\]: RandomFlip: prob=1.5 must be a number in"
    )
    with pytest.raises(ConfigError, match=message):
        build_pipeline([("ToTensor", {}), ("ToTensor", {}), ("RandomFlip", {"prob": 1.5})], where=WHERE)


def test_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "albumentations", None)
    with pytest.raises(ResourceError, match=r"data_pipelines'\]\[0\]: AlbumentationsWrapper needs.*pip install"):
        build_pipeline([("AlbumentationsWrapper", {"albu_cfg": {"type": "HorizontalFlip"}})], where=WHERE)


def test_transform_of_a_user(registry):
    class RGB2Gray:
        def __init__(self, out_channels=None):
            assert out_channels is None or out_channels > 0, "out_channels must be positive"
            self.out_channels = out_channels

        def __call__(self, sample_meta):
            sample_meta["image"] = sample_meta["image"].mean(2, keepdims=True)
            return sample_meta

    with pytest.warns(UserWarning, match="'RGB2Gray' was registered already"):
        registry().register("RGB2Gray", RGB2Gray)
    gray, normalize = build_pipeline(
        [("RGB2Gray", {"out_channels": 1}), ("Normalize", {"mean": [0], "std": [1], "to_rgb": False})], where=WHERE
    )
    assert isinstance(gray, RGB2Gray)
    assert isinstance(normalize, Normalize)
    assert normalize(gray({"image": np.ones((2, 3, 3))}))["image"].tolist() == np.ones((2, 3, 1)).tolist()
    with pytest.raises(ConfigError, match=r"\[0\]: RGB2Gray refuses its arguments: out_channels must be positive"):
        build_pipeline([("RGB2Gray", {"out_channels": -1})], where=WHERE)
