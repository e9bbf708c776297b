"""Starts and ends the process group of a run: one process, or as many as torchrun or Slurm started."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

from ..modules.utils.errors import DistributedError

VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


def local_rank() -> int:
    """Return this process's number on its machine, from the environment; 0 without a launcher."""
    return _number("LOCAL_RANK") if "LOCAL_RANK" in os.environ else 0


@contextmanager
def process_group(device: torch.device, timeout: float, cfg: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Hold a process group for the time of the block; without a launcher's variables there is one process.

    Args:
        device: nccl connects GPUs, gloo everything else.
        timeout: seconds that processes wait for one another.
        cfg: keyword arguments of `init_process_group` that override ours, `SEGMENTOR_CFG['init_process_group_cfg']`.

    Raises:
        DistributedError: a variable is missing or malformed, or the processes do not find one another.
    """
    given = [name for name in VARIABLES if name in os.environ]
    if "RANK" not in given and "WORLD_SIZE" not in given:
        yield
        return
    missing = [name for name in VARIABLES if name not in given]
    if missing:
        raise DistributedError(
            f"the environment sets {', '.join(given)} but not {', '.join(missing)}. "
            "Start with torchrun, which sets all, or unset them to run one process."
        )
    rank, world_size = _number("RANK"), _number("WORLD_SIZE")
    _number("LOCAL_RANK"), _number("MASTER_PORT")
    if not rank < world_size:
        raise DistributedError(f"RANK={rank} must be below WORLD_SIZE={world_size}")
    options: dict[str, Any] = {"backend": "nccl", "timeout": timeout, **(cfg or {})}
    if device.type != "cuda":
        options["backend"] = "gloo"
    if not isinstance(options["timeout"], timedelta):
        options["timeout"] = timedelta(seconds=options["timeout"])
    try:
        dist.init_process_group(**options)
    except (RuntimeError, ValueError, dist.DistError) as error:
        place = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        raise DistributedError(f"process {rank} of {world_size} cannot join the others at {place}: {error}") from error
    try:
        yield
        dist.barrier()  # the first process holds what the others still talk to
    finally:
        dist.destroy_process_group()


def _number(variable: str) -> int:
    text = os.environ[variable]
    if not text.isdigit():
        raise DistributedError(f"environment variable {variable}={text!r} must be a number, as torchrun sets it")
    return int(text)
