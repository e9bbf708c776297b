"""Which device a run uses, and how exactly it computes there."""

import importlib
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..modules.utils.errors import ConfigError, ResourceError
from .options import RuntimeOptions


def choose_device(name: str = "auto", local_rank: int = 0) -> torch.device:
    """Return the device for `name`: "auto", "cpu", "cuda" or "cuda:N".

    Raises:
        ConfigError: there is no such kind of device.
        ResourceError: a GPU is asked for and there is none.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, index = name.partition(":")
    if kind == "cpu":
        return torch.device("cpu")
    if kind != "cuda" or (index and not index.isdigit()):
        raise ConfigError(f"--device: {name!r} must be auto, cpu, cuda or cuda:N")
    if not torch.cuda.is_available():
        raise ResourceError(f"--device {name}: torch {torch.__version__} finds no GPU to use. Try --device cpu.")
    number = int(index) if index else local_rank
    if number >= torch.cuda.device_count():
        raise ResourceError(f"--device {name}: GPU {number} of {torch.cuda.device_count()}; they count from 0.")
    device = torch.device("cuda", number)
    torch.cuda.set_device(device)
    return device


def describe_device(device: torch.device, precision: "Precision | None" = None) -> str:
    """Return a line for the log: the device, and in which precision it computes."""
    if device.type != "cuda":
        return f"device cpu, {torch.get_num_threads()} thread(s); {_numbers(precision)}"
    products = "TF32 products" if torch.backends.cuda.matmul.allow_tf32 else "exact products (runtime.tf32=False)"
    return f"device {device}: {torch.cuda.get_device_name(device)}; {_numbers(precision)}, {products}"


def _numbers(precision: "Precision | None") -> str:
    if precision is None or precision.kind is None:
        return "float32 (fp16_cfg with autocast to bfloat16 is faster where the processor has it)"
    dtype = precision.options.get("dtype")
    return "apex" if dtype is None else f"autocast to {str(dtype).removeprefix('torch.')}"


def set_up_backends(cfg: Mapping[str, Any], options: RuntimeOptions) -> None:
    """Apply `benchmark`, `runtime.deterministic`, `runtime.tf32` and `runtime.num_threads` to torch."""
    if options.num_threads:
        torch.set_num_threads(options.num_threads)
    torch.backends.cudnn.benchmark = bool(cfg.get("benchmark")) and not options.deterministic
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = options.tf32
    if options.deterministic or torch.are_deterministic_algorithms_enabled():  # saying so loads the compiler, a second
        torch.use_deterministic_algorithms(options.deterministic, warn_only=True)


DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}


class Precision:
    """Mixed precision as `SEGMENTOR_CFG['fp16_cfg']` asks for it.

    Args:
        cfg: None or `type: None` is off. Type "pytorch" takes `autocast`, keyword arguments of `torch.autocast` such as
            dtype (a torch dtype or its name), and `grad_scaler`, those of `torch.amp.GradScaler`, used with float16
            only. Type "apex" takes `initialize` and `scale_loss`.
        device: where the run computes.

    Raises:
        ConfigError: unknown type or dtype.
        ResourceError: apex is asked for and not installed.
    """

    def __init__(self, cfg: Mapping[str, Any] | None, device: torch.device):
        where, cfg = "SEGMENTOR_CFG['fp16_cfg']", dict(cfg or {})
        self.kind: Literal["pytorch", "apex"] | None = cfg.get("type")
        self.device, self.scaler = device, None
        self.options: dict[str, Any] = {}
        if self.kind not in (None, "pytorch", "apex"):
            raise ConfigError(f"{where}['type']: {self.kind!r} must be 'pytorch', 'apex' or None")
        if self.kind == "apex":
            self.amp = _import_apex_amp()
            self.options = {"initialize": cfg.get("initialize") or {}, "scale_loss": cfg.get("scale_loss") or {}}
        if self.kind == "pytorch":
            self.options = dict(cfg.get("autocast") or {})
            dtype = self.options.get("dtype", torch.float16 if device.type == "cuda" else torch.bfloat16)
            dtype = DTYPES.get(dtype.removeprefix("torch."), dtype) if isinstance(dtype, str) else dtype
            if dtype not in DTYPES.values():
                raise ConfigError(f"{where}['autocast']['dtype']: {dtype!r} must be one of {', '.join(DTYPES)}")
            self.options["dtype"] = dtype
            if dtype == torch.float16:
                self.scaler = torch.amp.GradScaler(device.type, **(cfg.get("grad_scaler") or {}))

    def autocast(self) -> torch.autocast:
        """Return the context in which the forward pass runs."""
        if self.kind == "pytorch":
            return torch.autocast(self.device.type, **self.options)
        return torch.autocast(self.device.type, enabled=False)

    def prepare(self, segmentor: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Let apex patch the model and its optimizer; nothing to do for the other kinds."""
        if self.kind == "apex":
            self.amp.initialize(segmentor, optimizer, **self.options["initialize"])

    def backward(self, loss: Tensor, optimizer: torch.optim.Optimizer) -> None:
        """Compute the gradients of `loss`, scaled where the precision needs it."""
        if self.kind == "apex":
            with self.amp.scale_loss(loss, optimizer, **self.options["scale_loss"]) as scaled:
                scaled.backward()
        elif self.scaler is not None:
            self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        else:
            loss.backward()  # type: ignore[no-untyped-call]


def _import_apex_amp() -> Any:
    try:
        return importlib.import_module("apex.amp")
    except ImportError as error:
        raise ResourceError(
            "SEGMENTOR_CFG['fp16_cfg']['type'] is 'apex', which is not installed. PyTorch's own mixed precision does "
            "the same; the override is fp16_cfg=\"{'type': 'pytorch', 'autocast': {'dtype': 'float16'}}\"."
        ) from error
