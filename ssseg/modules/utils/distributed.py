"""Which process this is, and the few collective operations that more than one place needs.

A single process without a process group is rank 0 of 1, so callers need no special case for it.
"""

import os
import subprocess
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from .errors import DistributedError


def is_distributed() -> bool:
    """Whether a process group is up."""
    return dist.is_available() and dist.is_initialized()


def rank() -> int:
    """This process's number, from 0."""
    return dist.get_rank() if is_distributed() else 0


def world_size() -> int:
    """How many processes work together."""
    return dist.get_world_size() if is_distributed() else 1


def ismainprocess() -> bool:
    """Whether this process is the one that writes files and messages."""
    return rank() == 0


def barrier() -> None:
    """Wait until every process is here."""
    if is_distributed():
        dist.barrier()


def all_reduce(tensor: Tensor, operation: str = "sum") -> Tensor:
    """Return `tensor` combined over all processes ("sum" or "max"); the argument stays as it was."""
    if not is_distributed():
        return tensor
    combined = tensor.to("cuda") if dist.get_backend() == "nccl" else tensor.clone()
    dist.all_reduce(combined, {"sum": dist.ReduceOp.SUM, "max": dist.ReduceOp.MAX}[operation])
    return combined.to(tensor.device)


def ddpallreducemean(tensor: Tensor) -> Tensor:
    """Return the mean of `tensor` over all processes."""
    return all_reduce(tensor) / world_size()


def gather_objects(value: Any) -> list[Any]:
    """Return the `value` of every process, in the order of ranks. Small values only: they are pickled by torch."""
    if not is_distributed():
        return [value]
    values: list[Any] = [None] * world_size()
    dist.all_gather_object(values, value)
    return values


def initslurm(cmd_args: Any, master_port: str = "29000") -> Any:
    """Set the variables that torch.distributed reads from those that Slurm sets.

    Args:
        cmd_args: its `local_rank` and `nproc_per_node`, where it has them, are set too.
        master_port: used unless MASTER_PORT is set.

    Raises:
        DistributedError: Slurm's variables are missing: the command was not started by srun.
    """
    missing = [name for name in ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_NODELIST") if name not in os.environ]
    if missing:
        raise DistributedError(
            f"--slurm: {', '.join(missing)} not set; start the command with srun, or leave --slurm out"
        )
    process, nodes = int(os.environ["SLURM_PROCID"]), os.environ["SLURM_NODELIST"]
    local = int(os.environ.get("SLURM_LOCALID", process % max(torch.cuda.device_count(), 1)))
    os.environ.setdefault("MASTER_PORT", master_port)
    os.environ.setdefault("MASTER_ADDR", _first_host(nodes))
    os.environ.update(RANK=str(process), WORLD_SIZE=os.environ["SLURM_NTASKS"], LOCAL_RANK=str(local))
    if hasattr(cmd_args, "local_rank"):
        cmd_args.local_rank = local
    if hasattr(cmd_args, "nproc_per_node"):
        cmd_args.nproc_per_node = int(os.environ.get("SLURM_NTASKS_PER_NODE", os.environ["SLURM_NTASKS"]).split("(")[0])
    return cmd_args


def _first_host(nodes: str) -> str:
    """Return the first host of a Slurm node list such as `gpu[03-07,12]`."""
    try:
        listing = subprocess.run(  # noqa: S603  (no shell; the argument comes from Slurm)
            ["scontrol", "show", "hostnames", nodes],  # noqa: S607  (wherever the site installed Slurm)
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        return listing.stdout.split()[0]
    except (OSError, subprocess.SubprocessError, IndexError):
        prefix, bracket, inside = nodes.partition("[")
        return prefix + inside.split(",")[0].split("-")[0].rstrip("]") if bracket else nodes.split(",", maxsplit=1)[0]
