"""Other implementations, as witnesses of ours: they compute the same from the same weights. `make test-witness`.

A test asks for the fixture `transformers` or `timm`, and is skipped where the package is not installed. Every test of
this folder has the mark `witness`. Models are built from small configurations with random weights: nothing is fetched.
"""

import os
from pathlib import Path

import pytest
import torch

os.environ["HF_HUB_OFFLINE"] = "1"
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.witness)


@pytest.fixture(scope="session")
def torchvision():
    """torchvision where it is installed, declaring what its modules ask for where its operators cannot be loaded.

    Models of transformers and timm use none of the operators, but import torchvision, whose one published wheel loads
    only beside a CUDA torch.
    """
    try:
        import torchvision
    except RuntimeError:
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", "(Tensor boxes, Tensor scores, float threshold) -> Tensor")
        import torchvision
    except ModuleNotFoundError:
        return None
    return torchvision


@pytest.fixture(scope="session")
def transformers(torchvision):
    return pytest.importorskip("transformers", reason="transformers is not installed: make test-witness")


@pytest.fixture(scope="session")
def timm(torchvision):
    return pytest.importorskip("timm", reason="timm is not installed: make test-witness")
