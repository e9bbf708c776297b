"""What a run needs, before it runs."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest
import torch
from torch import nn

from ssseg.engine.livememory import LiveMemory
from ssseg.engine.planning import crop_of, free_memory, make_plan, peak_of_testing, peak_of_training
from ssseg.modules.utils.configparser import load_config
from tests.tiny import write_config

CPU = torch.device("cpu")


@pytest.fixture
def cfg(tmp_path):
    return load_config(write_config(tmp_path, tmp_path / "data"))


def test_storages_count_while_they_live():
    with torch.device("meta"), LiveMemory() as memory:
        first = torch.zeros(1000)
        view, same = first[:10], first.add_(1)
        assert (memory.live, memory.peak) == (4000, 4000)
        del first, view
        assert memory.live == 4000
        del same
        assert memory.live == 0
        (torch.zeros(500) + 1).sum()
    assert memory.peak == 4000


def test_what_backward_needs_is_kept():
    layers = nn.Sequential(*(nn.Sigmoid() for _ in range(4))).to("meta")
    with torch.device("meta"), LiveMemory() as memory:
        x = torch.zeros(100, requires_grad=True)
        y = layers(x)
        assert memory.live == 5 * 400
        y.sum().backward()
    with torch.device("meta"), LiveMemory() as testing, torch.no_grad():
        layers(torch.zeros(100))
    assert testing.peak < memory.peak


def test_more_images_take_more_and_testing_takes_less(cfg):
    small, large, larger = (peak_of_training(cfg, (n, 3, 64, 64)) for n in (16, 32, 48))
    wide = peak_of_training(cfg, (4, 3, 128, 128))
    assert peak_of_testing(cfg, (1, 3, 64, 64)) < small < large
    assert abs((larger - large) / (large - small) - 1) < 0.05  # weights count once
    assert abs(wide / small - 1) < 0.1


@pytest.mark.slow
def test_the_plan_fits_and_one_more_does_not(cfg):
    need = peak_of_training(cfg, (5, 3, 512, 512))
    plan = make_plan(cfg, CPU, memory=int(need / 0.9) + 1, measure=False)
    assert (plan.crop, plan.batch, plan.largest_batch) == ((512, 512), 4, 5)
    assert plan.info.parameters > 0
    assert plan.training <= need < peak_of_training(cfg, (6, 3, 512, 512))
    assert 512 <= plan.largest_crop < 640
    assert plan.measured is None


def test_nothing_fits_into_too_little(cfg):
    plan = make_plan(cfg, CPU, memory=1000, measure=False)
    assert plan.largest_batch is None
    assert plan.largest_crop is None


def measured_plan(path):
    cfg = load_config(path)
    cfg["dataset"]["train"]["data_pipelines"] = [("RandomCrop", {"crop_size": (256, 256)})]
    return make_plan(cfg, CPU, memory=1000, measure=True)


def test_a_real_step_is_of_the_estimated_order(tmp_path):
    path = write_config(tmp_path, tmp_path / "data")
    # a process of its own: this one may keep what earlier tests freed, so that nothing seems to be needed
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        plan = pool.submit(measured_plan, path).result(timeout=300)
    if plan.measured is None:
        pytest.skip("this system does not tell how much memory a process needed at most")
    assert 0.2 < plan.measured / plan.estimated < 3


@pytest.mark.parametrize(
    ("pipeline", "crop"),
    [
        ([("RandomCrop", {"crop_size": 64}), ("ToTensor", {})], (64, 64)),
        ([{"type": "RandomCrop", "crop_size": (9, 8)}, ("Padding", {"output_size": (10, 12)})], (10, 12)),
        ([("ToTensor", {})], (512, 512)),
    ],
)
def test_the_crop_is_read_from_the_pipeline(pipeline, crop):
    assert crop_of({"dataset": {"train": {"data_pipelines": pipeline}}}) == crop
    assert crop_of({}) == (512, 512)


def test_there_is_some_memory():
    assert free_memory(CPU) > 2**20
