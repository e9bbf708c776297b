"""Starts and ends the process group of a run: one process, or as many as torchrun or Slurm started."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

from ..modules.utils.errors import DistributedError, LostProcessError, SSSegError
from .watch import GroupWatch, Watch

VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
_MARGIN = 60.0  # seconds that torch waits longer than the watch, which knows more to tell


def local_rank() -> int:
    """Return this process's number on its machine, from the environment; 0 without a launcher."""
    return _number("LOCAL_RANK") if "LOCAL_RANK" in os.environ else 0


@contextmanager
def process_group(device: torch.device, timeout: float, cfg: Mapping[str, Any] | None = None) -> Iterator[Watch]:
    """Hold a process group for the time of the block; without a launcher's variables there is one process.

    Yields the watch that the block tells where it stands.

    Args:
        device: nccl connects GPUs, gloo everything else.
        timeout: seconds without progress after which the watch ends the run.
        cfg: keyword arguments of `init_process_group` that override ours, `SEGMENTOR_CFG['init_process_group_cfg']`.

    Raises:
        DistributedError: a variable is missing or malformed, or the processes do not find one another.
        LostProcessError: another process ended within the block.
    """
    given = [name for name in VARIABLES if name in os.environ]
    if "RANK" not in given and "WORLD_SIZE" not in given:
        yield Watch()
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
    options: dict[str, Any] = {"backend": "nccl", "timeout": timeout + _MARGIN, **(cfg or {})}
    if device.type != "cuda":
        options["backend"] = "gloo"
    if not isinstance(options["timeout"], timedelta):
        options["timeout"] = timedelta(seconds=options["timeout"])
    try:
        dist.init_process_group(**options)
    except (RuntimeError, ValueError, dist.DistError) as error:
        place = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        raise DistributedError(f"process {rank} of {world_size} cannot join the others at {place}: {error}") from error
    watch = GroupWatch(timeout, rank, world_size, _own_store())
    try:
        yield watch
        watch.at("waiting for the others to end", 0)
        dist.barrier()  # the first process holds what the others still talk to
    except RuntimeError as error:
        if _is_lost(error):
            reason = re.sub(r"^\[\S+\] ", "", str(error).strip()).split(". ")[0].splitlines()[0]
            lost = f"process {rank} of {world_size} lost the connection to another: {reason}"
            raise LostProcessError(lost) from error
        raise
    finally:
        watch.close()
        dist.destroy_process_group()


def _own_store() -> Any:
    """Return a connection to the group's store for a thread: torch's own may be in use by the main thread."""
    address, port = os.environ["MASTER_ADDR"], _number("MASTER_PORT")
    try:
        return dist.TCPStore(address, port, timeout=timedelta(seconds=30), wait_for_workers=False)
    except RuntimeError:  # the processes met elsewhere, by an `init_method`; each then tells its own place only
        return dist.HashStore()


def _is_lost(error: RuntimeError) -> bool:
    if isinstance(error, SSSegError):
        return False
    return isinstance(error, dist.DistError) or any(word in str(error) for word in ("gloo", "NCCL", "by peer"))


def _number(variable: str) -> int:
    text = os.environ[variable]
    if not text.isdigit():
        raise DistributedError(f"environment variable {variable}={text!r} must be a number, as torchrun sets it")
    return int(text)
