import copy
import pickle
from collections.abc import MutableMapping

import pytest

from ssseg.configs._base_ import DataloaderConfig, DatasetConfig, SegmentorConfig

CORE = (
    "type num_classes benchmark align_corners work_dir eval_interval_epochs save_interval_epochs logger_handle_cfg "
    "training_logging_manager_cfg norm_cfg act_cfg backbone head auxiliary losses inference scheduler dataset "
    "dataloader"
).split()


def test_segmentor_config_has_the_19_core_keys_in_a_fixed_order():
    assert list(SegmentorConfig()) == CORE
    assert list(SegmentorConfig(zebra=1, dataloader={}, type="FCN", ape=2)) == [*CORE, "zebra", "ape"]
    assert SegmentorConfig()["type"] is None


def test_segmentor_config_takes_keywords_only():
    with pytest.raises(TypeError):
        SegmentorConfig("FCN")


def test_entries_are_attributes_and_extra_entries_are_too():
    cfg = SegmentorConfig(type="FCN", fp16_cfg={"type": "pytorch"})
    assert cfg.type == cfg["type"] == "FCN"
    assert cfg.fp16_cfg == {"type": "pytorch"}
    cfg.ema_cfg = {"momentum": 0.1}
    cfg["runtime"] = {"seed": 1}
    assert cfg["ema_cfg"] == {"momentum": 0.1}
    assert cfg.runtime == {"seed": 1}
    del cfg.ema_cfg
    assert "ema_cfg" not in cfg


def test_unknown_attribute_names_the_nearest():
    with pytest.raises(AttributeError, match=r"'num_clases'.*'num_classes'"):
        _ = SegmentorConfig().num_clases
    with pytest.raises(AttributeError, match=r"'bacbone'.*'backbone'"):
        del SegmentorConfig().bacbone


def test_an_attribute_that_is_a_method_is_not_overwritten():
    cfg = SegmentorConfig()
    with pytest.raises(AttributeError, match=r"cfg\['copy'\]"):
        cfg.copy = 1
    cfg["copy"] = 1
    assert cfg.copy()["copy"] == 1


def test_no_internal_store_is_visible():
    assert not hasattr(SegmentorConfig(), "__dict__")
    with pytest.raises(KeyError):
        SegmentorConfig()["_extra"]


def test_it_is_a_mutable_mapping():
    cfg = SegmentorConfig(type="FCN")
    assert isinstance(cfg, MutableMapping)
    assert dict(**cfg) == dict(cfg)
    assert cfg.get("nothing", 3) == 3
    with pytest.raises(KeyError):
        cfg["nothing"]
    assert cfg.pop("type") == "FCN"
    assert len(cfg) == 18
    assert "type" not in cfg
    cfg["type"] = "PSPNet"
    assert cfg.type == "PSPNet"
    cfg.update(num_classes=3)
    assert cfg.setdefault("num_classes", 4) == 3


def test_dataset_and_dataloader_configs_need_their_documented_arguments():
    assert DatasetConfig("VOCDataset", "VOC") == DatasetConfig(type="VOCDataset", rootdir="VOC", train={}, test={})
    assert list(DatasetConfig("VOCDataset", "VOC", repeat_times=2)) == [
        "type",
        "rootdir",
        "train",
        "test",
        "repeat_times",
    ]
    with pytest.raises(TypeError, match="rootdir"):
        DatasetConfig(type="VOCDataset")
    assert DataloaderConfig(16, True).train == {}
    with pytest.raises(TypeError, match="auto_adapt"):
        DataloaderConfig(16)


def test_each_config_gets_its_own_empty_parts():
    one, other = DatasetConfig("a", "b"), DatasetConfig("a", "b")
    one.train["set"] = "train"
    assert other.train == {}


@pytest.mark.parametrize(
    "duplicate", [lambda cfg: cfg.copy(), copy.deepcopy, lambda cfg: pickle.loads(pickle.dumps(cfg))]
)
def test_copies_are_deep_and_of_the_same_class(duplicate):
    cfg = SegmentorConfig(head={"dropout": 0.1}, dataset=DatasetConfig("VOCDataset", "VOC"), extra=[1])
    other = duplicate(cfg)
    assert other == cfg
    assert type(other) is SegmentorConfig
    assert type(other.dataset) is DatasetConfig
    other["head"]["dropout"] = 0.5
    other.dataset.train["set"] = "val"
    other.extra.append(2)
    assert cfg.head == {"dropout": 0.1}
    assert cfg.dataset.train == {}
    assert cfg.extra == [1]


def test_equality_is_between_configs_of_one_class_and_sees_extra_entries():
    assert SegmentorConfig(type="FCN") == SegmentorConfig(type="FCN")
    assert SegmentorConfig(type="FCN") != SegmentorConfig(type="PSPNet")
    assert SegmentorConfig() != SegmentorConfig(fp16_cfg={})
    assert SegmentorConfig() != dict(SegmentorConfig())
    assert dict(SegmentorConfig()) != SegmentorConfig()
    assert SegmentorConfig(train={}) != DatasetConfig("a", "b")


def test_it_is_unhashable():
    with pytest.raises(TypeError):
        hash(SegmentorConfig())


def test_repr_names_the_class_and_holds_extra_entries():
    text = repr(DatasetConfig("VOCDataset", "VOC", ignore_index=255))
    assert (
        text == "DatasetConfig({'type': 'VOCDataset', 'rootdir': 'VOC', 'train': {}, 'test': {}, 'ignore_index': 255})"
    )


def test_dir_lists_the_entries():
    assert {"head", "fp16_cfg", "copy"} <= set(dir(SegmentorConfig(fp16_cfg={})))
