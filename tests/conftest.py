"""What all tests share."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import pytest
import torch
from hypothesis import settings

torch.set_num_threads(1)
settings.register_profile("ssseg", derandomize=True, deadline=None, print_blob=True, max_examples=50)
settings.load_profile("ssseg")


@pytest.fixture(autouse=True)
def _fixed_generators():
    """Every test starts from the same state of the global generators."""
    import random

    import numpy as np

    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
