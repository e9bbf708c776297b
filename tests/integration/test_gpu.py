"""What only a GPU can show; `make test-gpu` runs it."""

import warnings

import pytest
import torch

from ssseg.engine.databatch import to_device
from ssseg.engine.devices import Precision, describe_device, set_up_backends
from ssseg.engine.finiteness import Verdict
from ssseg.engine.labelling import label_images
from ssseg.engine.options import RuntimeOptions
from ssseg.engine.predictor import Predictor
from ssseg.engine.state import TrainState
from ssseg.engine.step import train_step
from ssseg.engine.trainer import train
from ssseg.modules import BuildOptimizer, BuildScheduler, BuildSegmentor, EMASegmentor, SSSegInputStructure, loadckpts
from ssseg.modules.utils.checkpoint import LATEST
from ssseg.modules.utils.configparser import load_config
from ssseg.modules.utils.errors import DivergedError
from tests.contracts.small_cfgs import small
from tests.integration.test_one_process import outcome, same
from tests.tiny import write_config, write_data

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")]
GPU, CPU = torch.device("cuda"), torch.device("cpu")
BFLOAT16 = {"type": "pytorch", "autocast": {"dtype": "bfloat16"}}
ADAMW = {"type": "AdamW", "lr": 1e-3, "weight_decay": 0.01, "params_rules": {"norm": {"wd_multiplier": 0.0}}}


@pytest.fixture(autouse=True)
def _settings_as_before():
    yield
    set_up_backends({}, RuntimeOptions(tf32=False))
    torch.cuda.set_sync_debug_mode("default")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data"))


def batch(size=4):
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 4, (size, 8, 8), generator=generator).repeat_interleave(8, 1).repeat_interleave(8, 2)
    labels[:, :5] = -100
    images = torch.randn(size, 3, 64, 64, generator=generator)
    return {"images": images.pin_memory(), "seg_targets": labels.to(torch.int16).pin_memory()}


def made(name, device=GPU, precision=None):
    torch.manual_seed(0)
    model = BuildSegmentor(small(name), "TRAIN").to(device).train()
    optimizer = BuildOptimizer(model, ADAMW)
    scheduler = BuildScheduler(optimizer, {"type": "PolyScheduler", "max_epochs": 1, "iters_per_epoch": 100})
    ema = EMASegmentor(model, momentum=0.1, device=device)
    return TrainState(model, optimizer, scheduler, ema, None, 100, lags=True), Precision(precision, device)


def step(state, precision, given, device=GPU):
    part = SSSegInputStructure(mode="TRAIN", **to_device(given, device))
    return train_step(state, state.segmentor, [part], precision, ["a"])


@pytest.mark.parametrize("precision", [None, BFLOAT16], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("name", ["FCN", "Segformer", "UPerNet", "Deeplabv3Plus"])
def test_no_step_lets_the_host_wait(name, precision):
    state, precision = made(name, precision=precision)
    given = batch()
    for _ in range(2):  # choices of algorithms, the optimizer's first state
        step(state, precision, given)
    torch.cuda.set_sync_debug_mode("error")
    try:
        losses = step(state, precision, given)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    state.settle()
    assert torch.isfinite(losses["loss_total"])


@pytest.mark.parametrize("name", ["FCN", "Segformer"])
def test_losses_equal_those_of_the_cpu_and_bfloat16_comes_near(name):
    given, found = batch(), {}
    for title, device, cfg in (("cpu", CPU, None), ("gpu", GPU, None), ("bfloat16", GPU, BFLOAT16)):
        state, precision = made(name, device, cfg)
        found[title] = float(step(state, precision, given, device)["loss_total"])
    assert found["gpu"] == pytest.approx(found["cpu"], rel=1e-4)
    assert found["bfloat16"] == pytest.approx(found["cpu"], rel=0.02)


def test_numbers_that_are_not_finite_are_left_out_and_told_a_step_later():
    state, precision = made("FCN")
    given = batch()
    step(state, precision, given)
    before = {name: value.clone() for name, value in state.segmentor.named_parameters()}
    given["images"][0, 0, 0, 0] = torch.nan
    step(state, precision, given)
    for name, value in state.segmentor.named_parameters():
        assert torch.equal(value, before[name])
    with pytest.raises(DivergedError, match="at iteration 2"):
        step(state, precision, batch())


def test_a_verdict_waits_for_its_own_step_only():
    good, bad = (Verdict(torch.full((), value, device=GPU), lambda: "no") for value in (0.0, 1.0))
    good.settle()
    with pytest.raises(DivergedError, match="no"):
        bad.settle()


@pytest.mark.parametrize("how", [True, "regional"])
def test_compiled_runs_train_and_go_on(data, tmp_path, how):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the compiler's own
        cfg = load_config(write_config(tmp_path, data), [f"runtime.compile={how!r}", "runtime.channels_last=True"])
        train(cfg, device="cuda")
        cfg = load_config(write_config(tmp_path, data), [f"runtime.compile={how!r}", "scheduler.max_epochs=3"])
        train(cfg, device="cuda", ckptspath=str(tmp_path / "run" / LATEST))
    assert loadckpts(tmp_path / "run" / LATEST)["cur_epoch"] == 3


@pytest.mark.parametrize("options", [[], ["runtime.async_save=True", "runtime.save_interval_iters=1"]])
def test_a_run_goes_on_to_the_bit(data, tmp_path, options):
    options = [*options, "runtime.deterministic=True", "runtime.tf32=False", "save_interval_epochs=1"]
    runs = []
    for name in ("whole", "parted"):
        (tmp_path / name).mkdir()
        config = write_config(tmp_path / name, data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an operation that has no deterministic form
            train(load_config(config, options), device="cuda")
            if name == "parted":
                first = tmp_path / name / "run" / "checkpoints-epoch-1.pth"
                train(load_config(config, options), device="cuda", ckptspath=str(first))
        runs.append(outcome(tmp_path / name / "run")[0])
    assert same(*runs)


def test_windows_together_give_the_labels_of_windows_one_by_one():
    cfg = small("FCN")
    cfg["inference"]["forward"].update(mode="slide", cropsize=(32, 40), stride=(24, 17), windows_at_once=1)
    model = BuildSegmentor(cfg, "TEST").to(GPU).eval()
    images = torch.randn(2, 3, 75, 90, device=GPU)
    one_by_one, labels = model.inference(images), label_images(model, images, (75, 90))
    model.cfg["inference"]["forward"]["windows_at_once"] = None
    torch.testing.assert_close(model.inference(images), one_by_one, rtol=1e-5, atol=1e-5)
    assert (label_images(model, images, (75, 90)) != labels).float().mean() < 1e-3


def test_what_is_trained_on_a_gpu_predicts_on_a_cpu(data, tmp_path):
    config = write_config(tmp_path, data)
    train(load_config(config), device="cuda")
    image = next((data / "images" / "val").iterdir())
    there, here = (Predictor(config, tmp_path / "run" / LATEST, device=device)(image) for device in ("cuda", "cpu"))
    assert (there.labels != here.labels).mean() < 0.01


@pytest.mark.parametrize("tf32", [True, False])
def test_the_precision_of_products_is_chosen_and_said(tf32):
    set_up_backends({}, RuntimeOptions(tf32=tf32))
    words = "TF32 products" if tf32 else "exact products"
    assert words in describe_device(GPU, Precision(None, GPU))
    assert "autocast to bfloat16" in describe_device(GPU, Precision(BFLOAT16, GPU))
