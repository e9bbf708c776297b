"""The networks of published experiments, by hashes of the names and shapes of all their entries: weights fit or not.

The file says how the hashes were made. Nothing is computed: networks are built without memory for their weights.
"""

import gzip
import hashlib
import json
from pathlib import Path

import pytest
import torch

from ssseg.modules import BackboneBuilder, BuildSegmentor, SegmentorBuilder

FILES = sorted(Path(__file__).with_name("data").glob("config_signatures_*.json.gz"))
ENTRIES = {
    name: entry for path in FILES for name, entry in json.loads(gzip.decompress(path.read_bytes()))["configs"].items()
}


@pytest.mark.parametrize("name", ENTRIES)
def test_signature(name):
    entry = ENTRIES[name]
    for part, builder in ((entry["type"], SegmentorBuilder()), (entry["backbone"], BackboneBuilder())):
        if part not in builder.REGISTERED_MODULES:
            pytest.skip(f"no {builder.kind} is called {part} yet")
    with torch.device("meta"):
        model = BuildSegmentor(entry["cfg"], "TRAIN")
    shapes = sorted([key, list(value.shape)] for key, value in model.state_dict().items())
    assert len(shapes) == entry["num_keys"]
    assert sum(p.numel() for p in model.parameters()) == entry["num_params"]
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == entry["num_trainable"]
    assert hashlib.sha256(json.dumps(shapes).encode()).hexdigest() == entry["keys_shapes_sha256"]


def test_all_convolutional_experiments_are_there():
    assert sum("conv" in path.name for path in FILES) == 1
    assert len(ENTRIES) >= 257
