"""What all tests share."""

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import pytest
import torch
from hypothesis import settings

torch.set_num_threads(1)
settings.register_profile("ssseg", derandomize=True, deadline=None, print_blob=True, max_examples=50)
settings.load_profile("ssseg")


SLOW = ("contracts", "docs", "faults", "golden", "integration", "unit/models")  # folders that take minutes


def pytest_collection_modifyitems(items):
    """Mark what `make quick` leaves out."""
    tests = Path(__file__).parent
    for item in items:
        if item.path.relative_to(tests).as_posix().startswith(SLOW):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def _fixed_generators():
    """Every test starts from the same state of the global generators."""
    import random

    import numpy as np

    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture
def saved(tmp_path):
    """A function that writes bytes to a file and returns its path."""

    def save(data, name="picture"):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return save
