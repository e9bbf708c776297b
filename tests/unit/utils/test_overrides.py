import re

import pytest

from ssseg.configs._base_ import SegmentorConfig
from ssseg.modules.utils.errors import ConfigError
from ssseg.modules.utils.overrides import apply_overrides, find_entry, parse_override, parse_value

CFG = SegmentorConfig(
    type="FCN",
    head={"in_channels": 2048, "dropout": 0.1},
    auxiliary=[{"dropout": 0.1}, {"dropout": 0.2}],
    losses={"loss_aux": {"type": "CrossEntropyLoss"}},
    scheduler={"optimizer": {"params_rules": {"backbone_net": {}, "backbone_net.norm": {"wd_multiplier": 0.0}}}},
    dataset={
        "train": {"data_pipelines": [("Resize", {"output_size": (2048, 512)}), ("ToTensor", {})]},
        "seg_target_remapper": {0: 0, 10: 1},
    },
)


def changed(*overrides):
    return apply_overrides(CFG, overrides)


def error_of(*overrides):
    with pytest.raises(ConfigError) as caught:
        changed(*overrides)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-1", -1),
        ("1e-3", 0.001),
        ("(512,512)", (512, 512)),
        ("512,512", (512, 512)),
        ("[0.5, 1.0]", [0.5, 1.0]),
        ("{'type': 'SGD'}", {"type": "SGD"}),
        ('{"is_on": true, "cfg": null}', {"is_on": True, "cfg": None}),
        ("None", None),
        ("null", None),
        ("True", True),
        ("true", True),
        ("False", False),
        ("false", False),
        ("'3'", "3"),
        ("PSPNet", "PSPNet"),
        ("data/CamVid", "data/CamVid"),
        ("2007-01", "2007-01"),
        ("a=b", "a=b"),
        ("...", "..."),
        ("b'x'", "b'x'"),
        ("2+3j", "2+3j"),
        ("", ""),
    ],
)
def test_values(text, value):
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


@pytest.mark.parametrize("text", ["[a, b]", "(512", "{'a': }"])
def test_brackets_that_cannot_be_read(text):
    with pytest.raises(ConfigError, match=re.escape(repr(f"head.x={text}")) + ".*need quotes"):
        parse_override(f"head.x={text}")


@pytest.mark.parametrize("text", ["head.dropout", "", "--head"])
def test_what_is_no_override(text):
    with pytest.raises(ConfigError, match=re.escape(repr(text)) + ".*a.b.c=value"):
        parse_override(text)


@pytest.mark.parametrize("text", ["=3", "head..dropout=3", ".head=3", "~"])
def test_what_is_no_path(text):
    assert "is no path" in error_of(text)


def test_the_config_itself_is_not_changed():
    before = CFG.copy()
    changed("head.dropout=0.5", "~auxiliary.0", "dataset.train.data_pipelines.0.1.output_size=(1,1)", "runtime.seed=3")
    assert before == CFG


def test_set():
    assert changed("head.dropout=0.5")["head"] == {"in_channels": 2048, "dropout": 0.5}
    assert changed("head.dropout=0.5", "head.dropout=0.6")["head"]["dropout"] == 0.6
    assert changed("type=PSPNet").type == "PSPNet"


def test_set_in_lists_and_tuples():
    size = "dataset.train.data_pipelines.{}.1.output_size=(512,512)"
    for position in (0, -2):
        pipelines = changed(size.format(position))["dataset"]["train"]["data_pipelines"]
        assert pipelines == [("Resize", {"output_size": (512, 512)}), ("ToTensor", {})]
    width = changed("dataset.train.data_pipelines.0.1.output_size.-1=256")
    assert width["dataset"]["train"]["data_pipelines"][0] == ("Resize", {"output_size": (2048, 256)})
    assert changed("auxiliary.1.dropout=0")["auxiliary"] == [{"dropout": 0.1}, {"dropout": 0}]


def test_delete():
    assert changed("~auxiliary").auxiliary is None
    assert "dropout" not in changed("~head.dropout")["head"]
    assert "runtime" not in changed("runtime.seed=1", "~runtime")
    assert changed("~auxiliary.0")["auxiliary"] == [{"dropout": 0.2}]
    assert changed("~dataset.train.data_pipelines.0.1")["dataset"]["train"]["data_pipelines"][0] == ("Resize",)


def test_the_longest_key_that_is_there_is_taken():
    rules = changed("scheduler.optimizer.params_rules.backbone_net.norm.wd_multiplier=1")
    assert rules["scheduler"]["optimizer"]["params_rules"] == {
        "backbone_net": {},
        "backbone_net.norm": {"wd_multiplier": 1},
    }


def test_keys_that_are_numbers():
    assert changed("dataset.seg_target_remapper.10=5")["dataset"]["seg_target_remapper"] == {0: 0, 10: 5}


def test_a_new_key_may_be_added_to_a_dictionary():
    assert changed("head.num_convs=3")["head"]["num_convs"] == 3
    assert changed("losses.loss_aux1={'type': 'L1Loss'}")["losses"]["loss_aux1"] == {"type": "L1Loss"}


def test_a_key_that_looks_misspelt_is_not_added():
    message = error_of("head.dropuot=0.5")
    assert message.startswith("SEGMENTOR_CFG['head']: has no 'dropuot'. Did you mean 'dropout'?")
    assert "+head.dropuot=0.5" in message
    assert changed("+head.dropuot=0.5")["head"]["dropuot"] == 0.5


def test_fields_that_are_off_by_default_can_be_started():
    cfg = changed("runtime.seed=1", "fp16_cfg.type=pytorch", "is_freeze_norm=true")
    assert (cfg.runtime, cfg.fp16_cfg, cfg.is_freeze_norm) == ({"seed": 1}, {"type": "pytorch"}, True)
    assert changed("ema_cfg=None", "ema_cfg.momentum=0.1").ema_cfg == {"momentum": 0.1}


def test_no_other_key_is_added_at_the_top():
    message = error_of("runtme.seed=1")
    assert message.startswith("SEGMENTOR_CFG: has no 'runtme'. Did you mean 'runtime'?")
    assert "runtime.sead" in error_of("sead=1")
    assert changed("+my_key=1").my_key == 1


def test_a_path_that_leads_nowhere():
    message = error_of("head.aspp.dilations=[1]")
    assert message == "SEGMENTOR_CFG['head']: has no 'aspp'. It has: in_channels, dropout."
    assert "SEGMENTOR_CFG['head']: has no 'dropuot'. Did you mean 'dropout'?" in error_of("~head.dropuot")
    assert "has no 'fp16_cfg'" in error_of("~fp16_cfg")
    assert "Did you mean 'fp16_cfg'" not in error_of("~fp16_cfg")


def test_positions():
    assert "SEGMENTOR_CFG['auxiliary']: holds 2 entries; there is no position 2" in error_of("auxiliary.2.dropout=1")
    assert "SEGMENTOR_CFG['auxiliary']: holds 2 entries by position, not 'x'" in error_of("auxiliary.x=1")


def test_values_without_entries():
    assert "SEGMENTOR_CFG['head']['dropout']: is 0.1 and has no entry 'x'" in error_of("head.dropout.x=1")
    assert "SEGMENTOR_CFG['backbone']: is None" in error_of("backbone.depth=50")


def test_find_entry():
    place, keys, value = find_entry(CFG, "dataset.train.data_pipelines.-2.1.output_size")
    assert place == "SEGMENTOR_CFG['dataset']['train']['data_pipelines'][0][1]['output_size']"
    assert keys == ["dataset", "train", "data_pipelines", 0, 1, "output_size"]
    assert value == (2048, 512)
    with pytest.raises(ConfigError, match="Did you mean 'dropout'"):
        find_entry(CFG, "head.dropot")
