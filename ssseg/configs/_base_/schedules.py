"""The optimizers that several experiments share, as `SEGMENTOR_CFG["scheduler"]["optimizer"]` takes them."""

from typing import Any


def sgd(lr: float = 0.01, *, weight_decay: float = 5e-4, params_rules: dict[str, Any] | None = None) -> dict[str, Any]:
    """SGD with momentum 0.9.

    Args:
        lr: learning rate at the start, for the whole batch.
        params_rules: part of a parameter's name -> its multipliers of learning rate and weight decay.
    """
    return {"type": "SGD", "lr": lr, "momentum": 0.9, "weight_decay": weight_decay, "params_rules": params_rules or {}}
