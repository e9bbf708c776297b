"""Options, devices, signals: what stands around a run."""

import os
import signal

import pytest
import torch

from ssseg.engine.devices import Precision, choose_device, set_up_backends
from ssseg.engine.options import RuntimeOptions
from ssseg.engine.signals import StopSignals
from ssseg.modules.utils.errors import ConfigError, ResourceError

CPU = torch.device("cpu")


def test_options_have_defaults_and_refuse_what_they_do_not_know():
    assert RuntimeOptions.of({}) == RuntimeOptions()
    assert RuntimeOptions.of({"runtime": {"seed": 3}}).seed == 3
    with pytest.raises(
        ConfigError, match=r"\['runtime'\]\['sed'\]: RuntimeOptions has no such field. Did you mean 'seed'"
    ):
        RuntimeOptions.of({"runtime": {"sed": 3}})


@pytest.mark.parametrize(
    "cfg",
    [
        {"seed": -1},
        {"accumulate": 0},
        {"keep_last": 1.5},
        {"num_threads": True},
        {"loss_grid": "x"},
        {"on_save_error": "ignore"},
        {"loader_timeout": 0},
        {"process_timeout": "1"},
    ],
)
def test_options_check_their_range(cfg):
    with pytest.raises(ConfigError, match=rf"\['runtime'\]\['{next(iter(cfg))}'\]"):
        RuntimeOptions.of({"runtime": cfg})


def test_device_names():
    assert choose_device("cpu") == CPU
    with pytest.raises(ConfigError, match=r"'tpu' must be auto, cpu, cuda or cuda:N"):
        choose_device("tpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_missing_gpu_is_said_and_never_replaced_silently():
    assert choose_device("auto") == CPU
    with pytest.raises(ResourceError, match=r"--device cpu"):
        choose_device("cuda")


def test_deterministic_overrides_benchmark():
    set_up_backends({"benchmark": True}, RuntimeOptions(deterministic=True))
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.backends.cudnn.benchmark
    set_up_backends({"benchmark": True}, RuntimeOptions())
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.backends.cudnn.benchmark


@pytest.mark.parametrize("cfg", [None, {}, {"type": None}])
def test_precision_off(cfg):
    precision = Precision(cfg, CPU)
    with precision.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
    assert precision.scaler is None


@pytest.mark.parametrize("dtype", [torch.bfloat16, "bfloat16", "torch.bfloat16"])
def test_precision_takes_a_dtype_or_its_name(dtype):
    precision = Precision({"type": "pytorch", "autocast": {"dtype": dtype}, "grad_scaler": {}}, CPU)
    with precision.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    assert precision.scaler is None  # bfloat16 has float32's range


def test_float16_gets_a_scaler():
    precision = Precision(
        {"type": "pytorch", "autocast": {"dtype": "float16"}, "grad_scaler": {"init_scale": 8.0}}, CPU
    )
    assert precision.scaler.get_scale() == 8.0


def test_precision_errors():
    with pytest.raises(ConfigError, match=r"'amp' must be 'pytorch', 'apex' or None"):
        Precision({"type": "amp"}, CPU)
    with pytest.raises(ConfigError, match=r"\['autocast'\]\['dtype'\]: 'float8'"):
        Precision({"type": "pytorch", "autocast": {"dtype": "float8"}}, CPU)
    with pytest.raises(ResourceError, match=r"fp16_cfg=.*pytorch"):
        Precision({"type": "apex"}, CPU)


def test_the_first_signal_is_remembered_and_handlers_are_put_back():
    before = signal.getsignal(signal.SIGTERM)
    with StopSignals() as stop:
        assert stop.requested() == ""
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.requested() == "SIGTERM"
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_second_ctrl_c_leaves_at_once():
    with StopSignals() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.requested() == "SIGINT"
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
