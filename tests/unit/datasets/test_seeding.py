import random

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from ssseg.modules import BuildDataset, DataTransformBuilder
from ssseg.modules.datasets.seeding import SampleKey, SeededDataset
from tests.trees import folder_tree


class Drawing:
    """A data set whose user draws from every global generator."""

    epoch = 1

    def __len__(self):
        return 12

    def __getitem__(self, index):
        return index, self.epoch, np.random.rand(), random.random(), torch.rand(()).item(), np.random.randint(1 << 30)


def keys(seed=3, epoch=2):
    return [SampleKey(seed, epoch, index) for index in range(12)]


def first_item(batch):
    return batch[0]


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # more workers than this machine has cores
def test_any_number_of_workers_gives_the_same_samples():
    expected = [SeededDataset(Drawing())[key] for key in keys()]
    for workers in (0, 1, 3):
        loader = DataLoader(
            SeededDataset(Drawing()), sampler=keys(), batch_size=1, num_workers=workers, collate_fn=first_item
        )
        assert list(loader) == expected


class Jitter:
    """A transform as a user may write it."""

    def __call__(self, sample_meta):
        sample_meta["drawn"] = np.random.rand(), random.random(), torch.rand(()).item()
        return sample_meta


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_real_samples_with_a_users_transform_are_the_same_too(tmp_path):
    builder = DataTransformBuilder()
    builder.register("Jitter", Jitter)
    try:
        pipeline = [("RandomFlip", {"prob": 0.5}), ("Jitter", {}), ("PhotoMetricDistortion", {}), ("ToTensor", {})]
        cfg = {"type": "FolderDataset", "rootdir": str(folder_tree(tmp_path, train=6)), "data_pipelines": pipeline}
        epochs = [[(7, epoch, index) for index in (3, 0, 5, 1, 4, 2)] for epoch in (1, 2)]
        read = []
        for workers in (0, 1, 3):
            dataset = SeededDataset(BuildDataset("TRAIN", None, cfg))
            loaders = [
                DataLoader(dataset, 1, sampler=keys, num_workers=workers, collate_fn=first_item) for keys in epochs
            ]
            read.append([sample for loader in loaders for sample in loader])
    finally:
        builder.delete("Jitter")
    for samples in read:
        assert [sample["drawn"] for sample in samples] == [sample["drawn"] for sample in read[0]]
        for sample, expected in zip(samples, read[0], strict=True):
            assert torch.equal(sample["image"], expected["image"])
            assert torch.equal(sample["seg_target"], expected["seg_target"])
    first = {sample["id"]: sample["image"] for sample in read[0][:6]}
    assert not all(torch.equal(first[sample["id"]], sample["image"]) for sample in read[0][6:])


def test_a_sample_does_not_depend_on_what_was_read_before():
    dataset = SeededDataset(Drawing())
    forwards = [dataset[key] for key in keys()]
    np.random.rand(17)
    assert [dataset[key] for key in reversed(keys())] == forwards[::-1]
    assert dataset[tuple(keys()[5])] == forwards[5]


def test_seed_epoch_and_index_each_change_the_sample():
    dataset = SeededDataset(Drawing())
    samples = {dataset[key][2:] for key in [(3, 2, 1), (4, 2, 1), (3, 3, 1), (3, 2, 2), (2, 3, 1), (3 + 2**32, 2, 1)]}
    assert len(samples) == 6
    assert dataset[3, 2, 1][:2] == (1, 2)
    assert len(dataset) == 12
