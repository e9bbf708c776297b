"""Parameters that get their first gradient late."""

from typing import Any

import torch


def start_momenta(optimizer: torch.optim.Optimizer, *_: Any) -> None:
    """Let momenta start from 0 where others of a group have one already; called before a fused step of SGD.

    Its kernel takes momenta for all parameters or for none. A head that is not used at first comes late, and so does
    what a checkpoint did not hold. Without dampening a momentum that starts from 0 is the first gradient, as usual.
    """
    for group in optimizer.param_groups:
        if not group["momentum"]:
            continue
        moving = [parameter for parameter in group["params"] if parameter.grad is not None]
        late = [p for p in moving if optimizer.state[p].get("momentum_buffer") is None]
        if len(late) < len(moving):
            for parameter in late:
                optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
