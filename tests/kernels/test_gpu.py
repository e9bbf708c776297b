"""The kernels on a GPU, compiled; `make test-gpu` runs it."""

import importlib.util

import pytest
import torch

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
    pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="needs the extra 'triton'"),
    pytest.mark.filterwarnings("ignore:TRITON_DEFAULT_FP_FUSION:UserWarning"),
]

if importlib.util.find_spec("triton") is not None:
    from .equality import *  # noqa: F403


@pytest.fixture(name="device")
def _device():
    return torch.device("cuda")


def test_the_gpu_of_this_machine_has_kernels():
    from ssseg.modules.models.kernels import available

    assert available.__wrapped__(torch.device("cuda"))
