import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ssseg.modules.parallel.order import EvalOrder, TrainOrder


def order(**options):
    return TrainOrder(**{"length": 23, "total_batch": 4, "max_epochs": 3, "seed": 7, **options})


def test_an_epoch_reads_no_sample_twice():
    indices = [key[2] for batch in order(max_epochs=1).batches() for key in batch]
    assert len(indices) == 20 == len(set(indices))


def test_epochs_differ_and_seeds_differ():
    assert not np.array_equal(order().epoch_order(1), order().epoch_order(2))
    assert not np.array_equal(order().epoch_order(1), order(seed=8).epoch_order(1))
    assert np.array_equal(order().epoch_order(1), order().epoch_order(1))


def test_without_drop_last_every_sample_is_read_and_the_last_batch_is_filled():
    full = order(drop_last=False)
    assert full.iters_per_epoch == 6
    indices = full.epoch_order(1)
    assert len(indices) == 24
    assert set(indices) == set(range(23))


def test_no_batch_when_the_data_are_too_few():
    assert order(length=3).iters_per_epoch == 0
    assert list(order(length=3).batches()) == []


@given(
    world_size=st.sampled_from([1, 2, 4]),
    accumulate=st.sampled_from([1, 2]),
    length=st.integers(8, 40),
    start=st.integers(0, 20),
    drop_last=st.booleans(),
)
def test_any_number_of_processes_sees_the_same_batches(world_size, accumulate, length, start, drop_last):
    def iterations(start=0, **options):
        """The keys of each iteration, in one order over parts and processes."""
        plans = [
            order(length=length, total_batch=8, drop_last=drop_last, rank=rank, **options)
            for rank in range(options.get("world_size", 1))
        ]
        streams = [list(plan.batches(start)) for plan in plans]
        parts = options.get("accumulate", 1)
        together = []
        for first in range(0, len(streams[0]), parts):
            together.append([key for part in range(parts) for stream in streams for key in stream[first + part]])
        return together

    whole = iterations()
    assert iterations(start, world_size=world_size, accumulate=accumulate) == whole[start:]


@given(length=st.integers(0, 30), world_size=st.integers(1, 5), batch_size=st.integers(1, 4))
def test_an_evaluation_reads_every_sample_once(length, world_size, batch_size):
    keys = [
        key
        for rank in range(world_size)
        for batch in EvalOrder(length, batch_size, rank=rank, world_size=world_size).batches()
        for key in batch
    ]
    assert sorted(key[2] for key in keys) == list(range(length))
