"""Tensors that do not lie inside their storage are refused before anything is allocated."""

from collections import OrderedDict

import pytest
import torch

from ssseg.modules.utils import CheckpointError
from ssseg.modules.utils.safeload import load, scan, verify

from .crafting import Call, Storage, crafted, tensor

LIES = {
    "offset past the end": tensor(Storage(), 1),
    "size past the end": tensor(Storage(), 0, (5,)),
    "stride past the end": tensor(Storage(), 0, (2,), (4,)),
    "two dimensions past the end": tensor(Storage(), 0, (2, 2), (2, 2**62)),
    "negative offset": tensor(Storage(), -1),
    "negative size": tensor(Storage(), 0, (-1,)),
    "negative stride": tensor(Storage(), 3, (4,), (-1,)),
    "terabytes by stride 0": tensor(Storage(), 0, (2**40,), (0,)),
    "size and stride of other lengths": tensor(Storage(), 0, (2, 2), (1,)),
    "hundred dimensions": tensor(Storage(), 0, (1,) * 100, (1,) * 100),
    "numbers without end": tensor(Storage(), 0, (2**2000,) * 60, (2**2000,) * 60),
    "true as a size": tensor(Storage(), 0, (True,)),
    "text as a size": tensor(Storage(), 0, ("4",)),
    "list as a size": tensor(Storage(), 0, [4]),
    "no storage": tensor("storage"),
    "metadata": tensor(Storage(), 0, (4,), (1,), {"conj": True}),
    "longer storage": tensor(Storage(numel=5)),
    "shorter storage": tensor(Storage(numel=3), 0, (3,)),
    "terabytes of storage": tensor(Storage(numel=2**40)),
    "negative storage": tensor(Storage(numel=-4)),
    "storage of another type": tensor(Storage(kind=torch.DoubleStorage)),
    "storage that is no type": tensor(Storage(kind=torch.float32)),
    "storage that is missing": tensor(Storage(key="1")),
    "storage without a name": tensor(Storage(key=0)),
    "storage in another folder": tensor(Storage(key="../data.pkl")),
    "storage somewhere else": tensor(Storage(what="module")),
    "parameter of nothing": Call(torch._utils._rebuild_parameter, 5, False, OrderedDict()),
    "device of a strange kind": Call(torch.device, "cuda:0; rm"),
}


@pytest.mark.parametrize("name", LIES)
def test_tensors_that_do_not_lie_in_their_storage_are_refused(tmp_path, name):
    path = crafted(tmp_path, {"a": LIES[name]})
    for read in (load, scan, verify):
        with pytest.raises(CheckpointError, match=r"crafted\.pth: "):
            read(path)
