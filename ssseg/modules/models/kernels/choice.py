"""Whether a kernel runs, or the plain way that it was compared with."""

import functools
import importlib
import importlib.util
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor

TOLERANCE = 1e-4  # of the largest value; two units in the last place where the dtype has larger ones
_TURNS = 3
VOLTA = (7, 0)  # the first compute capability that Triton makes code for

Key = tuple[str, torch.device, torch.dtype]

_trusted: dict[Key, bool] = {}
_faster: dict[Key, bool] = {}


def run_fastest(name: str, plain: Callable, *arguments: Any) -> Any:
    """Return `plain(*arguments)`, from the kernel `name` where there is one for these arguments.

    The first time that a device and dtype are met, kernel and plain way are compared on a few values. A kernel that
    fails or differs is not used again, and one warning says so. Then both take turns on the arguments, and the faster
    one stays; runs that must give the same bits each time leave nothing to such a choice and take the plain way. The
    choice follows the first argument, a tensor.
    """
    like = arguments[0]
    if torch.compiler.is_compiling() or torch.jit.is_tracing() or type(like) is not Tensor:  # such as without values
        return plain(*arguments)
    if not available(like.device) or torch.are_deterministic_algorithms_enabled():
        return plain(*arguments)
    key = (name, like.device, like.dtype)
    with torch.cuda.device(like.device) if like.is_cuda else nullcontext():
        if key not in _trusted:
            _trusted[key] = _agrees(plain, *key)
        if _trusted[key] and (kernel := _load(name)).takes(*arguments):
            if key not in _faster:
                _faster[key] = _is_faster(kernel.run, plain, arguments)
            if _faster[key]:
                return kernel.run(*arguments)
    return plain(*arguments)


@functools.cache
def available(device: torch.device) -> bool:
    """Return whether kernels can run there: on a GPU that Triton knows, if Triton is installed."""
    if device.type != "cuda" or torch.cuda.get_device_capability(device) < VOLTA:
        return False
    return importlib.util.find_spec("triton") is not None


def _load(name: str) -> Any:
    """Return the module of a kernel: `run`, `takes` and `trial`."""
    return importlib.import_module(f".{name}", __package__)


def _is_faster(run: Callable, plain: Callable, arguments: Sequence[Any]) -> bool:
    """Let both take turns on copies of the arguments, with gradients where these are asked for."""
    from torch.utils.benchmark import Timer  # it waits for the GPU before it looks at the clock

    copies = [each.detach().requires_grad_(each.requires_grad) if type(each) is Tensor else each for each in arguments]
    learnt = [each for each in copies if type(each) is Tensor and each.requires_grad]

    def once(function: Callable) -> None:
        with torch.set_grad_enabled(bool(learnt)):
            result = function(*copies)
        if learnt:
            torch.autograd.grad(result.float().sum(), learnt, allow_unused=True)

    timers = [
        Timer("once(function)", globals={"once": once, "function": function}, num_threads=torch.get_num_threads())
        for function in (run, plain)
    ]
    try:
        times = [timer.timeit(_TURNS).median for timer in timers]
    except torch.OutOfMemoryError:  # a kernel needs less
        return True
    return times[0] < times[1]


def _agrees(plain: Callable, name: str, device: torch.device, dtype: torch.dtype) -> bool:
    if dtype not in (torch.float32, torch.bfloat16, torch.float16):
        return False
    try:
        with ThreadPoolExecutor(1) as thread:  # where nobody's autocast, gradient mode or hooks for saved tensors reach
            fault = thread.submit(_difference, plain, name, device, dtype).result()
    except Exception as error:  # a compiler's, a driver's, an installation's
        fault = f"{type(error).__name__}: {error}"
    if fault:
        warnings.warn(f"the kernel {name!r} is not used on {device} for {dtype}: {fault}", stacklevel=4)
    return not fault


def _difference(plain: Callable, name: str, device: torch.device, dtype: torch.dtype) -> str:
    """Return what is wrong with the kernel's results, or nothing."""
    with warnings.catch_warnings(), torch.cuda.device(device) if device.type == "cuda" else nullcontext():
        warnings.simplefilter("ignore")  # the compiler's own
        kernel = _load(name)
        made, expected = kernel.trial(kernel.run, device, dtype), kernel.trial(plain, device, torch.float32)
        tolerance = max(TOLERANCE, 2 * torch.finfo(dtype).eps)
        for one, other in zip(made, expected, strict=True):
            error = float((one.float() - other).abs().max() / other.abs().max())
            if not error <= tolerance:
                return f"it differs from PyTorch by {error:.1e} of the largest value, {tolerance:.1e} is allowed"
    return ""
