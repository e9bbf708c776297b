"""Where the published weights of every backbone are: recorded addresses, by `structure_type`."""

import json
import sys
from pathlib import Path

import pytest

from ssseg.modules import BackboneBuilder

RECORDED = json.loads((Path(__file__).with_name("data") / "pretrained_urls.json").read_text())


@pytest.mark.parametrize("name", RECORDED)
def test_addresses(name):
    module = sys.modules[BackboneBuilder().find(name).__module__]
    ours = module.DEFAULT_MODEL_URLS
    assert {key: ours.get(key) for key in RECORDED[name]} == RECORDED[name]
    assert set(ours) <= {key for urls in RECORDED.values() for key in urls}, "weights that no table promises"
