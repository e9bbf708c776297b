from collections.abc import Mapping
from typing import Any

from torch import nn

from .....utils.modulebuilder import BaseModuleBuilder, Registry

_TORCH = (
    "CELU ELU GELU GLU Hardshrink Hardtanh LeakyReLU LogSigmoid Mish PReLU RReLU ReLU ReLU6 SELU SiLU Sigmoid Softplus "
    "Softshrink Softsign Tanh Tanhshrink Threshold"
).split()


class ActivationBuilder(BaseModuleBuilder):
    """Builds an activation from its cfg; None means no activation."""

    REGISTERED_MODULES = Registry(
        {
            "HardSigmoid": "ssseg.modules.models.backbones.bricks.activation.hardsigmoid:HardSigmoid",
            "HardSwish": "ssseg.modules.models.backbones.bricks.activation.hardswish:HardSwish",
            "Swish": "ssseg.modules.models.backbones.bricks.activation.swish:Swish",
            **{name: f"torch.nn:{name}" for name in _TORCH},
        }
    )
    kind = "activation"
    where = "act_cfg"

    def build(self, act_cfg: Mapping[str, Any] | None) -> nn.Module:
        """Build the activation that `act_cfg` describes, nn.Identity for None; see `BaseModuleBuilder.build`."""
        return nn.Identity() if act_cfg is None else self.construct(act_cfg)


def BuildActivation(act_cfg: Mapping[str, Any] | None) -> nn.Module:  # noqa: N802
    """Build the activation that `act_cfg` describes; nn.Identity for None."""
    return ActivationBuilder().build(act_cfg)
