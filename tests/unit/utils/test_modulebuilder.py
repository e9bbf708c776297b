import copy
import sys

import pytest

from ssseg.modules.utils.errors import ConfigError, UnknownNameError
from ssseg.modules.utils.modulebuilder import BaseModuleBuilder, Registry


class Thing:
    def __init__(self, size=1, parts=()):
        self.size, self.parts = size, parts


@pytest.fixture
def builder():
    class ThingBuilder(BaseModuleBuilder):
        REGISTERED_MODULES = Registry({"Thing": Thing, "Late": "colorsys:rgb_to_hsv"})
        kind, where = "thing", "SEGMENTOR_CFG['thing']"

    return ThingBuilder


def test_build_leaves_the_cfg_alone(builder):
    cfg = {"type": "Thing", "size": 3, "parts": [1]}
    before = copy.deepcopy(cfg)
    thing = builder().build(cfg)
    thing.parts.append(2)
    assert (thing.size, cfg) == (3, before)


def test_unknown_type_names_place_nearest_and_all(builder):
    place, hint = r"SEGMENTOR_CFG\['thing'\]\['type'\]: no thing is called 'Thin'.", r"Did you mean 'Thing'\? "
    with pytest.raises(UnknownNameError, match=place + " " + hint + "There are 2: Thing, Late"):
        builder().build({"type": "Thin"})


def test_missing_type(builder):
    with pytest.raises(UnknownNameError, match="'type' is missing"):
        builder().build({"size": 3})


def test_unknown_field(builder):
    with pytest.raises(ConfigError, match=r"\['siz'\]: Thing has no such field. Did you mean 'size'"):
        builder().build({"type": "Thing", "siz": 3})


def test_a_registration_is_seen_by_all_builders_of_the_class(builder):
    builder().register("New", dict)
    assert builder().get("New") is dict
    assert "New" not in BaseModuleBuilder.REGISTERED_MODULES


def test_registering_a_taken_name_replaces_it_with_a_warning(builder):
    with pytest.warns(UserWarning, match="'Thing' was registered already"):
        builder().register("Thing", dict)
    assert builder().get("Thing") is dict


def test_constructor_arguments_register_and_renew(builder):
    made = builder({"A": dict}, {"Thing": list})
    assert made.get("A") is dict
    assert made.get("Thing") is list


def test_renew_pop_delete_need_an_existing_name(builder):
    for act in (lambda b: b.renew("No", dict), lambda b: b.pop("No"), lambda b: b.delete("No"), lambda b: b.get("No")):
        with pytest.raises(UnknownNameError):
            act(builder())


def test_pop_and_delete_remove(builder):
    assert builder().pop("Thing") is Thing
    builder().delete("Late")
    assert list(builder().keys()) == []


def test_what_is_registered_can_be_called(builder):
    with pytest.raises(ConfigError, match="must be a class or a function, not 3"):
        builder().register("Three", 3)
    with pytest.raises(ConfigError, match="must be a class or a function"):
        builder().update({"Three": 3})


def test_entries_load_on_first_use(builder):
    sys.modules.pop("colorsys", None)
    assert list(builder().keys()) == ["Thing", "Late"]
    assert "colorsys" not in sys.modules
    builder().validate()
    assert callable(builder().get("Late"))
    assert "colorsys" in sys.modules


def test_registry_behaves_as_a_dict(builder):
    registry = builder.REGISTERED_MODULES
    assert registry["Thing"] is Thing
    assert registry.get("No", 5) == 5
    assert dict(registry.items()) == registry.copy()
    assert all(callable(value) for value in registry.values())
    assert registry.pop("Late").__name__ == "rgb_to_hsv"
    assert registry.pop("Late", None) is None
    with pytest.raises(KeyError):
        registry.pop("Late")
