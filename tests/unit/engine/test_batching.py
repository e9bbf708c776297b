import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssseg.engine.batching import plan_batch
from ssseg.modules.utils.errors import ConfigError


def cfg(total, auto=True, each=2):
    return {
        "expected_total_train_bs_for_assert": total,
        "auto_adapt_to_expected_train_bs": auto,
        "train": {"batch_size_per_gpu": each},
    }


def test_each_process_takes_an_equal_share():
    plan = plan_batch(cfg(16), processes=4)
    assert (plan.per_process, plan.accumulate) == (4, 1)
    assert str(plan) == "16 = 4 x 4 processes"


def test_a_share_can_be_cut_into_parts():
    plan = plan_batch(cfg(16), processes=2, accumulate=4)
    assert plan.per_process == 2
    assert str(plan) == "16 = 2 x 2 processes x 4 accumulated"


def test_accumulation_follows_from_a_given_share():
    plan = plan_batch(cfg(16, auto=False, each=2), processes=2)
    assert (plan.per_process, plan.accumulate) == (2, 4)


@pytest.mark.parametrize("processes", [3, 5, 6, 7, 9])
def test_what_cannot_be_shared_out_names_the_nearest(processes):
    with pytest.raises(ConfigError, match=f"total batch 16 cannot be shared out by {processes} process") as caught:
        plan_batch(cfg(16), processes)
    nearest = [int(word.rstrip(".")) for word in str(caught.value).split("nearest that can is ")[1].split(" or ")]
    assert all(plan_batch(cfg(total), processes).total == total for total in nearest)


@pytest.mark.parametrize("total", [0, -1, 1.5, None])
def test_the_total_must_be_a_count(total):
    with pytest.raises(ConfigError, match="expected_total_train_bs_for_assert"):
        plan_batch(cfg(total), 1)


def test_a_given_share_must_be_a_count():
    with pytest.raises(ConfigError, match="batch_size_per_gpu"):
        plan_batch(cfg(16, auto=False, each=0), 1)


@given(total=st.integers(1, 64), processes=st.integers(1, 8), accumulate=st.integers(1, 4))
def test_the_total_is_kept(total, processes, accumulate):
    try:
        plan = plan_batch(cfg(total), processes, accumulate)
    except ConfigError:
        assert total % (processes * accumulate)
    else:
        assert plan.per_process * plan.processes * plan.accumulate == total
