"""Benchmarks of the user's own config. What they say is checked, not how long anything takes."""

import pytest
import torch

from ssseg.engine.bench.advice import verdict
from ssseg.engine.bench.data import bench_data
from ssseg.engine.bench.measuring import Row, Stopwatch, compare
from ssseg.engine.bench.testing import bench_eval, bench_infer
from ssseg.engine.bench.training import bench_loss, bench_train
from ssseg.modules.utils.configparser import load_config
from tests.tiny import write_config, write_data

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def cfg(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    write_data(folder / "data", train=4, val=2)
    return load_config(write_config(folder, folder / "data"))


def names(rows):
    return [row.name for row in rows]


@pytest.mark.parametrize(
    ("bench", "stages"),
    [
        (bench_data, ["decode", "augment"]),
        (bench_loss, []),
        (bench_train, ["data", "transfer", "loss", "forward", "backward", "optimizer"]),
        (bench_infer, ["forward", "label map"]),
        (bench_eval, ["label map", "confusion matrix"]),
    ],
)
def test_every_subject_reports_two_ways_and_its_stages(bench, stages, cfg):
    report = bench(cfg, CPU, 2)
    assert len(report.ways) == 2
    assert report.ways[0].ratio == 1
    assert all(row.low <= row.ms <= row.high for row in report.ways)
    assert names(report.stages) == stages
    if stages:
        longest = max(report.stages, key=lambda row: row.ms).name
        assert report.bottleneck.startswith(longest)
        assert report.advice


def test_ways_take_turns_and_the_first_call_does_not_count():
    calls = []
    rows = compare({"plain": lambda: calls.append("plain"), "ours": lambda: calls.append("ours")}, CPU, 3)
    assert calls[-6:] == ["plain", "ours"] * 3
    assert names(rows) == ["plain", "ours"]


def test_ratios_are_medians_of_pairs():
    watch = Stopwatch(CPU)
    watch.laps |= {"plain": [10.0, 20.0, 30.0], "ours": [5.0, 5.0, 10.0]}
    plain, ours = watch.rows(plain="plain")
    assert (plain.ratio, ours.ratio, ours.ms, ours.low, ours.high) == (1, 3, 5, 5, 10)


@pytest.mark.parametrize(
    ("stage", "changes", "word"),
    [
        ("decode", {}, "raw_cache"),
        ("decode", {"dataset": {"raw_cache": "folder"}}, "num_workers_per_gpu=8"),
        ("augment", {}, "device_transforms"),
        ("data", {}, "num_workers_per_gpu=8"),
        ("forward", {}, "bfloat16"),
        ("backward", {"fp16_cfg": {"type": "pytorch"}}, "channels_last"),
        ("loss", {}, "loss_grid"),
    ],
)
def test_advice_names_a_switch_that_is_not_on(stage, changes, word):
    cfg = {"dataloader": {"train": {"num_workers_per_gpu": 4}}, **changes}
    bottleneck, advice = verdict([Row("other", 1, 1, 1), Row(stage, 3, 3, 3)], cfg, CPU)
    assert bottleneck == f"{stage}, 75% of the time"
    assert word in advice
