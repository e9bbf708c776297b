import copy

import pytest

from ssseg.modules import BaseDataset, BuildDataset, DatasetBuilder
from ssseg.modules.utils.errors import ConfigError, UnknownNameError
from tests.trees import folder_tree, voc_tree


@pytest.fixture
def registry():
    kept = dict(DatasetBuilder.REGISTERED_MODULES)
    yield DatasetBuilder()
    DatasetBuilder.REGISTERED_MODULES.clear()
    DatasetBuilder.REGISTERED_MODULES.update(kept)


def test_every_registered_name_is_a_data_set():
    for name, module in DatasetBuilder().items():
        assert module.__name__ == name
        assert issubclass(module, BaseDataset)


def test_the_part_of_the_mode_takes_precedence(tmp_path):
    voc_tree(tmp_path, train=2, val=1)
    cfg = {
        "type": "VOCDataset",
        "rootdir": str(tmp_path),
        "repeat_times": 2,
        "ignore_index": 255,
        "train": {"set": "train", "repeat_times": 5},
        "test": {"set": "val"},
    }
    before = copy.deepcopy(cfg)
    assert len(BuildDataset("TRAIN", None, cfg)) == 10
    assert len(BuildDataset("TEST", None, cfg)) == 2
    assert BuildDataset("TEST", None, cfg).ignore_index == 255
    BuildDataset("TRAIN", None, cfg).dataset_cfg["repeat_times"] = 7
    assert cfg == before


def test_parts_may_be_left_out(tmp_path):
    folder_tree(tmp_path)
    assert len(BuildDataset("TRAIN", None, {"type": "FolderDataset", "rootdir": str(tmp_path), "test": None})) == 4


def test_users_register_their_own(tmp_path, registry):
    class Mine(BaseDataset):
        pass

    registry.register("Mine", Mine)
    logger = object()
    dataset = registry.build("TEST", logger, {"type": "Mine", "rootdir": str(tmp_path), "answer": 42})
    assert isinstance(dataset, Mine)
    assert dataset.logger_handle is logger
    assert dataset.dataset_cfg == {"type": "Mine", "rootdir": str(tmp_path), "answer": 42}
    with pytest.warns(UserWarning, match="'VOCDataset' was registered already"):
        registry.register("VOCDataset", Mine)


@pytest.mark.parametrize(
    ("cfg", "error", "message"),
    [
        ({"type": "VOCDatset"}, UnknownNameError, r"\['type'\]: .*'VOCDatset'.*Did you mean 'VOCDataset'\?"),
        ({"rootdir": "."}, UnknownNameError, r"SEGMENTOR_CFG\['dataset'\]: 'type' is missing.*VOCDataset"),
        ({"type": "VOCDataset"}, ConfigError, r"\['rootdir'\]: is missing, but VOCDataset needs it"),
        ({"type": "VOCDataset", "rootdir": "."}, ConfigError, r"\['set'\]: is missing, but VOCDataset needs it"),
    ],
)
def test_c03_what_is_missing_or_unknown_is_named(cfg, error, message):
    with pytest.raises(error, match=message):
        BuildDataset("TRAIN", None, cfg)


def test_an_unknown_mode_is_refused():
    with pytest.raises(ConfigError, match=r"mode='train' must be one of TRAIN, TEST\. Did you mean 'TRAIN'\?"):
        BuildDataset("train", None, {"type": "VOCDataset"})
