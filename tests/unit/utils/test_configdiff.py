import torch

from ssseg.configs._base_ import SegmentorConfig
from ssseg.modules.utils.configdiff import MISSING, config_differences, find_origin
from ssseg.modules.utils.configparser import load_config


def differences(before, after):
    return [
        (d.path, d.before, d.after) for d in config_differences(SegmentorConfig(**before), SegmentorConfig(**after))
    ]


def test_equal_configs_do_not_differ():
    cfg = load_config("fcn_resnet50os16_voc")
    assert config_differences(cfg, cfg.copy()) == []


def test_a_list_equals_a_tuple_and_a_dtype_its_name():
    assert differences({"a": (1, [2])}, {"a": [1, (2,)]}) == []
    assert differences({"a": torch.float16}, {"a": "float16"}) == []


def test_entries_that_differ_are_named_by_their_path():
    before = {"head": {"dropout": 0.1, "scales": [1, 2]}, "x": True}
    after = {"head": {"dropout": 0.2, "scales": [1, 3]}, "x": 1}
    assert differences(before, after) == [("head.dropout", 0.1, 0.2), ("head.scales", [1, 2], [1, 3]), ("x", True, 1)]


def test_entries_of_one_config_only():
    assert differences({"a": {"b": 1}}, {"a": {"c": 2}}) == [("a.b", 1, MISSING), ("a.c", MISSING, 2)]


def test_inside_of_pipelines_the_position_is_named():
    before = {"pipes": [("Resize", {"size": 1}), ("ToTensor", {})]}
    after = {"pipes": [("Resize", {"size": 2}), ("ToTensor", {})]}
    assert differences(before, after) == [("pipes.0.1.size", 1, 2)]
    assert differences(before, {"pipes": []}) == [("pipes", before["pipes"], [])]


def origin(key, *overrides):
    return find_origin(key, load_config("fcn_resnet50os16_voc", overrides), load_config("fcn_resnet50os16_voc"))


def test_origin_in_the_base_config():
    found = origin("head.dropout")
    assert (found.place, found.value) == ("SEGMENTOR_CFG['head']['dropout']", 0.1)
    assert (found.layer, found.base_name) == ("base config", "FCN_SEGMENTOR_CFG")
    assert origin("dataset.train.set").base_name == "DATASET_CFG_VOCAUG_512x512"
    assert origin("dataloader.train.shuffle").base_name == "DATALOADER_CFG_BS16"
    assert origin("dataloader.train.shuffle").layer == "base config"


def test_origin_in_the_experiment():
    found = origin("backbone.depth")
    assert (found.layer, found.value, found.base_value) == ("experiment", 50, 101)
    assert origin("num_classes").base_value == -1


def test_origin_in_an_override():
    found = origin("backbone.depth", "backbone.depth=18")
    assert (found.layer, found.value, found.loaded_value, found.base_value) == ("override", 18, 50, 101)
    assert origin("head.num_convs", "head.num_convs=3").loaded_value is MISSING


def test_origin_without_a_base_config():
    cfg = SegmentorConfig(type="FCN")
    assert find_origin("type", cfg, cfg).layer == "experiment"
