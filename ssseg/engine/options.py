"""Options of ours that concern a whole run, and their defaults: `SEGMENTOR_CFG['runtime']`."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from ..modules.utils.errors import ConfigError, call_with


@dataclass(frozen=True)
class RuntimeOptions:
    """How a run goes about its work; none of these changes what a model is.

    Args:
        seed: of everything random, in [0, 2**32).
        deterministic: only algorithms that give the same bits each time, at some cost on a GPU.
        channels_last: keep images and feature maps as (N, H, W, C) in memory; often faster with convolutions.
        compile: run the segmentor through `torch.compile`; "regional" does so with its repeated blocks, which takes
            much less time to start.
        tf32: let a GPU round the factors of float32 products to ten bits, which is several times faster.
        keep_memory: on a CPU keep what a step frees for the next one instead of handing it back to the system.
        accumulate: parts that each process cuts its share of a batch into, to need less memory.
        num_threads: CPU threads of torch in this process; 0 leaves torch's choice.
        loss_grid: "image" upsamples predictions to the image before the loss, as documented; "logits" samples the
            labels down to the predictions' grid instead, which is much cheaper on a CPU.
        save_interval_iters: also save every so many iterations; 0 saves at epochs only.
        keep_last: how many of the newest epoch and iteration checkpoints to keep; 0 keeps all.
        best_metric: the metric whose best value `checkpoints-best.pth` holds.
        tensorboard: also write TensorBoard events.
        device_transforms: change colours at random (PhotoMetricDistortion) on the device, a batch at a time.
        dump_batch: write the batch at which a loss or gradient is not finite to `<work_dir>/diverged-rank<R>.pth`.
        loader_timeout: seconds that a batch may take to be read before the run stops.
        process_timeout: seconds that a process of several may make no progress before the run stops.
        async_save: write checkpoints in a thread while training goes on; the last one is waited for.
        on_save_error: "warn" goes on where a checkpoint cannot be written, as on a full disk; the last must be.
    """

    seed: int = 0
    deterministic: bool = False
    channels_last: bool = False
    compile: bool | Literal["regional"] = False
    tf32: bool = True
    keep_memory: bool = True
    accumulate: int = 1
    num_threads: int = 0
    loss_grid: Literal["image", "logits"] = "image"
    save_interval_iters: int = 0
    keep_last: int = 0
    best_metric: str = "miou"
    tensorboard: bool = False
    device_transforms: bool = False
    dump_batch: bool = False
    loader_timeout: float = 600
    process_timeout: float = 600
    async_save: bool = False
    on_save_error: Literal["raise", "warn"] = "raise"

    @classmethod
    def of(cls, cfg: Mapping[str, Any]) -> Self:
        """Return the options of a `SEGMENTOR_CFG`.

        Raises:
            ConfigError: an option is unknown or out of range.
        """
        options: Self = call_with(cls, cfg.get("runtime") or {}, where="SEGMENTOR_CFG['runtime']")
        whole = {"seed": 0, "accumulate": 1, "num_threads": 0, "save_interval_iters": 0, "keep_last": 0}
        for name, least in whole.items():
            value = getattr(options, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ConfigError(
                    f"SEGMENTOR_CFG['runtime'][{name!r}]: {value!r} must be an integer of at least {least}"
                )
        chosen: dict[str, tuple[Any, ...]] = {
            "loss_grid": ("image", "logits"),
            "on_save_error": ("raise", "warn"),
            "compile": (False, True, "regional"),
        }
        for name, choices in chosen.items():
            if getattr(options, name) not in choices:
                shown = " or ".join(map(repr, choices))
                raise ConfigError(f"SEGMENTOR_CFG['runtime'][{name!r}]: {getattr(options, name)!r} must be {shown}")
        for name in ("loader_timeout", "process_timeout"):
            value = getattr(options, name)
            if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < math.inf:
                raise ConfigError(f"SEGMENTOR_CFG['runtime'][{name!r}]: {value!r} must be a number of seconds above 0")
        return options
