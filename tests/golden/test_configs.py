"""The base configs and the experiments against what SSSegmentation 1.7.0 resolves them to.

A tuple counts as a list, integer keys as strings, and the working directory as `$CWD`, as JSON holds them.
"""

import gzip
import json
import os
import random
from pathlib import Path

import pytest

from ssseg.configs._base_ import REGISTERED_DATALOADER_CONFIGS, REGISTERED_DATASET_CONFIGS, REGISTERED_SEGMENTOR_CONFIGS
from ssseg.modules.utils.configfiles import experiments
from ssseg.modules.utils.configparser import ConfigParser, load_config

DATA = Path(__file__).parent / "data"


def read(name):
    return json.loads(gzip.decompress((DATA / name).read_bytes()))


BASE, EXPERIMENTS = read("configs_base.json.gz"), read("configs.json.gz")


def as_recorded(value):
    if isinstance(value, dict):
        return {str(key): as_recorded(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [as_recorded(entry) for entry in value]
    return value.replace(os.getcwd(), "$CWD", 1) if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("kind", "registry"),
    [
        ("SEGMENTOR", REGISTERED_SEGMENTOR_CONFIGS),
        ("DATASET", REGISTERED_DATASET_CONFIGS),
        ("DATALOADER", REGISTERED_DATALOADER_CONFIGS),
    ],
)
def test_base_configs(kind, registry):
    recorded = BASE[f"REGISTERED_{kind}_CONFIGS"]
    assert set(registry) == set(recorded)
    for name, expected in recorded.items():
        assert as_recorded(registry[name]) == expected, name


def test_every_base_config_lies_in_its_documented_module():
    from importlib import import_module

    for name, module in BASE["modules"].items():
        assert getattr(import_module(f"ssseg.configs.{module}"), name).base_name == name


@pytest.mark.parametrize("path", EXPERIMENTS)
def test_experiment(path):
    assert as_recorded(load_config(Path(path).stem)) == EXPERIMENTS[path]


def test_every_recorded_experiment_is_listed_in_its_folder():
    found = {f"{path.parent.name}/{path.name}" for path in experiments().values()}
    assert set(EXPERIMENTS) <= found


@pytest.mark.parametrize("seed", range(3))
def test_order_of_loading_does_not_matter(seed):
    order = list(EXPERIMENTS)
    random.Random(seed).shuffle(order)
    for path in order:
        module, _ = ConfigParser()(Path(path).stem)
        assert as_recorded(module.SEGMENTOR_CFG) == EXPERIMENTS[path]
        spoil(module.SEGMENTOR_CFG)  # what a careless run would do


def spoil(value):
    """Change everything in a config that can be changed in place."""
    for entry in value.values() if isinstance(value, dict) else value:
        if isinstance(entry, dict | list):
            spoil(entry)
    value.clear()
