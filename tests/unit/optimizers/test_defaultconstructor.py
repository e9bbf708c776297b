"""Parameter groups by name. The recorded groups are compared in tests/golden/test_schedulers.py."""

import pytest
from torch import nn

from ssseg.modules import BuildOptimizer, BuildParamsConstructor
from ssseg.modules.utils import ConfigError, UnknownNameError
from tests.golden.inputs import TinyModel

WHERE = r"SEGMENTOR_CFG\['scheduler'\]\['optimizer'\]"


def groups(rules=None, base_setting=None, model=None, **options):
    cfg = {
        "type": "SGD",
        "lr": 1.0,
        "weight_decay": 0.1,
        "params_rules": rules,
        "base_setting": base_setting,
        **options,
    }
    optimizer = BuildOptimizer(model or TinyModel(), cfg)
    return {group["name"]: group for group in optimizer.param_groups}


def test_the_longest_fitting_key_wins_and_a_leading_dot_means_the_model_itself():
    found = groups(
        {"embed": {"lr_multiplier": 2.0}, ".pos_embed": {"lr_multiplier": 3.0}, "layers": {"lr_multiplier": 0.5}}
    )
    assert found["pos_embed"]["lr"] == 3.0
    assert found["backbone_net.layers.1.conv.weight"]["lr"] == 0.5
    assert found["decoder.0.weight"]["lr"] == 1.0
    assert [found[name]["rule_key"] for name in ("pos_embed", "decoder.0.weight")] == [".pos_embed", "base_setting"]


def test_the_base_setting_holds_for_all_parameters_that_no_rule_fits():
    found = groups(
        {"auxiliary_decoder": {"lr_multiplier": 2.0}},
        {
            "lr_multiplier": 0.5,
            "wd_multiplier": 0.25,
            "bias_lr_multiplier": 3.0,
            "bias_wd_multiplier": 0.0,
            "norm_wd_multiplier": 0.1,
        },
    )
    rates = {name: (group["lr"], round(group["weight_decay"], 9)) for name, group in found.items()}
    assert rates["pos_embed"] == rates["decoder.0.weight"] == (0.5, 0.025)
    assert rates["decoder.3.bias"] == rates["backbone_net.layers.0.conv.bias"] == (3.0, 0.0)
    for norm in ("backbone_net.layers.0.norm", "backbone_net.ln", "decoder.1"):
        assert rates[f"{norm}.weight"] == rates[f"{norm}.bias"] == (0.5, 0.01)
    assert rates["auxiliary_decoder.0.weight"] == rates["auxiliary_decoder.0.bias"] == (2.0, 0.1)


def test_a_base_setting_works_without_rules():
    found = groups(None, {"bias_lr_multiplier": 2.0})
    assert found["decoder.3.bias"]["lr"] == 2.0
    assert found["decoder.3.weight"]["lr"] == 1.0


def test_shared_parameters_have_one_group():
    model = TinyModel()
    model.decoder[3].weight = model.auxiliary_decoder[0].weight
    found = groups({"decoder": {"lr_multiplier": 2.0}}, model=model)
    assert "decoder.3.weight" in found
    assert "auxiliary_decoder.0.weight" not in found


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (
            {"norm": {"lr_mult": 1.0}},
            rf"{WHERE}\['params_rules'\]\['norm'\]\['lr_mult'\]: no such field. Did you mean 'lr_m",
        ),
        (
            {"norm": {"wd_multiplier": -1}},
            rf"{WHERE}\['params_rules'\]\['norm'\]\['wd_multiplier'\]=-1 must be a number",
        ),
        ({"norm": {"wd_multiplier": None}}, rf"{WHERE}\['params_rules'\]\['norm'\]\['wd_multiplier'\]=None must be"),
        ({"norm": 0.1}, rf"{WHERE}\['params_rules'\]\['norm'\]=0\.1 must be a dict of multipliers"),
    ],
)
def test_rules_that_are_not_understood_are_named(rules, message):
    with pytest.raises(ConfigError, match=message):
        groups(rules)


@pytest.mark.parametrize("own", [None, {"lr_multiplier": 2.0}])
def test_a_base_setting_may_stand_among_the_rules(own):
    among, rest = {"norm_wd_multiplier": 0.1, "lr_multiplier": 3.0}, {"decoder": {"wd_multiplier": 0.0}}
    made, expected = groups({"base_setting": among, **rest}, own), groups(rest, {**among, **(own or {})})
    for field in ("lr", "weight_decay"):
        assert {name: group[field] for name, group in made.items()} == {
            name: group[field] for name, group in expected.items()
        }
    assert made["decoder.1.weight"]["rule_key"] == "decoder"


def test_base_settings_that_are_not_understood_are_named():
    with pytest.raises(ConfigError, match=rf"{WHERE}\['base_setting'\]\['norm_lr_multiplier'\]: no such field"):
        groups(None, {"norm_lr_multiplier": 1.0})


def test_an_unknown_constructor_is_an_error():
    with pytest.raises(
        UnknownNameError, match=rf"{WHERE}\['params_rules'\]\['type'\]: no params constructor is called 'X'"
    ):
        BuildParamsConstructor({"type": "X"})


# ---------------------------------------------------------------- keys that fit nothing (C14)


def test_keys_that_nearly_fit_are_told_in_one_warning():
    rules = {"backbone_ent": {"lr_multiplier": 0.1}, "decodr.0": {"lr_multiplier": 2.0}}
    with pytest.warns(UserWarning, match="contains") as caught:
        groups(rules)
    (warning,) = caught
    assert "'backbone_ent' (there is 'backbone_net'), 'decodr.0' (there is 'decoder.0')" in str(warning.message)


@pytest.mark.parametrize("key", ["absolute_pos_embed", "relative_position_bias_table", "backbone_net.layers.17.norm"])
def test_keys_of_parts_that_other_models_have_are_silent(key):
    assert groups({key: {"wd_multiplier": 0.0}})["pos_embed"]["weight_decay"] == 0.1


def test_without_rules_the_parameters_stay_together():
    model = nn.Linear(2, 3)
    assert BuildParamsConstructor()(model) == list(model.parameters())
