import os
import time

import numpy as np
import pytest
import torch

from ssseg.modules import BuildDistributedDataloader, BuildDistributedModel
from ssseg.modules.parallel.dataloader import collate_train, eval_loader, train_loader
from ssseg.modules.parallel.order import EvalOrder, TrainOrder
from ssseg.modules.utils.errors import DataError, ImageError, ResourceError


class Samples:
    """Sample i is a 1x2x2 image of i; `act` may do something else instead."""

    mode = "TRAIN"

    def __init__(self, act=lambda index: None, length=8):
        self.act, self.length = act, length

    def __len__(self):
        return self.length

    def __getitem__(self, key):
        index = key[2] if isinstance(key, tuple) else key
        self.act(index)
        target = torch.full((2, 2), index, dtype=torch.int16)
        return {
            "image": torch.full((1, 2, 2), float(index)),
            "seg_target": target,
            "id": index,
            "width": 2,
            "height": 2,
        }


def batches_of(dataset, workers, timeout=60):
    order = TrainOrder(length=8, total_batch=4, max_epochs=1, shuffle=False)
    return list(train_loader(dataset, {"num_workers_per_gpu": workers}, order, timeout=timeout))


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_come_in_order(workers):
    batches = batches_of(Samples(), workers)
    assert [batch["ids"] for batch in batches] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert batches[0]["images"].shape == (4, 1, 2, 2)
    assert batches[0]["seg_targets"].dtype == torch.int16


@pytest.mark.parametrize("workers", [0, 2])
def test_our_errors_arrive_as_they_were_raised(workers):
    def fail(index):
        if index == 5:
            raise ImageError("b.jpg: truncated")

    with pytest.raises(ImageError, match=r"^b.jpg: truncated$"):
        batches_of(Samples(fail), workers)


def test_images_of_different_sizes_are_named():
    samples = [{"image": torch.zeros(3, 2, 2), "id": "a"}, {"image": torch.zeros(3, 2, 4), "id": "b"}]
    with pytest.raises(DataError, match=r"a: \(3, 2, 2\), b: \(3, 2, 4\)"):
        collate_train(samples)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_dead_worker_is_reported():
    def die(index):
        if index == 5:
            os._exit(9)

    with pytest.raises(ResourceError, match="a data worker died"):
        batches_of(Samples(die), 1)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_hanging_worker_is_reported():
    def hang(index):
        if index == 5:
            time.sleep(30)

    with pytest.raises(ResourceError, match=r"no batch for 1 s: a data worker hangs.*loader_timeout"):
        batches_of(Samples(hang), 1, timeout=1)


def test_evaluation_batches_are_lists_of_samples():
    loader = eval_loader(Samples(), {"num_workers_per_gpu": 0}, EvalOrder(8, 3), timeout=60)
    assert [[sample["id"] for sample in batch] for batch in loader] == [[0, 1, 2], [3, 4, 5], [6, 7]]


def test_documented_loader_reads_one_epoch():
    cfg = {"train": {"batch_size_per_gpu": 2, "num_workers_per_gpu": 0, "shuffle": True, "drop_last": True}, "test": {}}
    ids = np.concatenate([batch["ids"] for batch in BuildDistributedDataloader(Samples(), cfg)])
    assert sorted(ids) == list(range(8))
    test_set = Samples()
    test_set.mode = "TEST"
    assert [batch[0]["id"] for batch in BuildDistributedDataloader(test_set, cfg)] == list(range(8))


def test_one_process_needs_no_wrapper():
    model = torch.nn.Linear(1, 1)
    assert BuildDistributedModel(model, {"find_unused_parameters": True}) is model
