"""Running out of memory, explained: how much was asked for by what, and what to try."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from ..modules.utils.errors import ResourceError

_ON_CPU = "DefaultCPUAllocator"  # torch raises a plain RuntimeError there


@contextmanager
def memory_errors(cfg: Mapping[str, Any], device: torch.device, what: str) -> Iterator[None]:
    """Turn running out of memory in the block into an error that says what to try.

    Args:
        cfg: `SEGMENTOR_CFG`.
        what: was being done, with its sizes.

    Raises:
        ResourceError: torch or Python found no memory; what torch had set aside on a GPU is freed.
    """
    try:
        yield
    except (torch.cuda.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not isinstance(error, torch.cuda.OutOfMemoryError | MemoryError) and _ON_CPU not in str(error):
            raise
        if device.type == "cuda":
            torch.cuda.empty_cache()
        raise ResourceError(_explained(cfg, device, what, str(error))) from error


def _explained(cfg: Mapping[str, Any], device: torch.device, what: str, text: str) -> str:
    asked = re.search(r"[Tt]ried to allocate (?:([\d.]+ [KMGT]?i?B)|(\d+) bytes)", text)
    wanted = f", which asked for {asked[1] or f'{int(asked[2]):,} bytes'} more" if asked else ""
    backbone = cfg["backbone"].get("structure_type") or cfg["backbone"]["type"]
    accumulate = (cfg.get("runtime") or {}).get("accumulate", 1)
    return (
        f"out of memory on {device} while {what}: {cfg['type']} on {backbone}{wanted}. Try one of these:\n"
        f"  - runtime.accumulate={2 * accumulate} cuts each process's share of the batch into smaller parts\n"
        "  - a smaller crop in SEGMENTOR_CFG['dataset']['train']['data_pipelines']; for testing, "
        "inference.forward.mode='slide'\n"
        "  - fp16_cfg=\"{'type': 'pytorch', 'autocast': {'dtype': 'bfloat16'}}\", or a smaller backbone"
    )
