"""Whether the numbers of a step are finite, found out without letting the host wait for a GPU."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..modules.utils.errors import DivergedError


class Verdict:
    """Is told of a step whether it may be taken; `settle` raises where it may not.

    Args:
        bad: () float on the device, above 0 where a number is not finite.
        diagnosis: returns the message; it is called where there is one to tell.
    """

    def __init__(self, bad: Tensor, diagnosis: Callable[[], str]):
        self.diagnosis, self.bad = diagnosis, bad
        self.copied: Any = None
        if bad.device.type == "cuda":
            self.bad = torch.empty((), pin_memory=True).copy_(bad, non_blocking=True)
            self.copied = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self.copied.record()

    def settle(self) -> None:
        """Raise a DivergedError where a number was not finite; waits for that step only."""
        if self.copied is not None:
            self.copied.synchronize()
        if bool(self.bad):
            raise DivergedError(self.diagnosis())


def updates_can_be_left_out(optimizer: Any) -> bool:
    """Return whether the kernel of `optimizer` itself leaves out an update, as its `found_inf` says.

    That is how torch's gradient scaler speaks to fused optimizers.
    """
    return all(group.get("fused") for group in optimizer.param_groups)
