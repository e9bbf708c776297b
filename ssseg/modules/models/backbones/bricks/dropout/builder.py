from collections.abc import Mapping
from typing import Any

from torch import nn

from .....utils.modulebuilder import BaseModuleBuilder, Registry


class DropoutBuilder(BaseModuleBuilder):
    """Builds a dropout layer from its cfg; None means no dropout."""

    REGISTERED_MODULES = Registry(
        {
            "DropPath": "ssseg.modules.models.backbones.bricks.dropout.droppath:DropPath",
            "Dropout": "torch.nn:Dropout",
            "Dropout2d": "torch.nn:Dropout2d",
            "Dropout3d": "torch.nn:Dropout3d",
        }
    )
    kind = "dropout"
    where = "dropout_cfg"

    def build(self, dropout_cfg: Mapping[str, Any] | None) -> nn.Module:
        """Build the layer that `dropout_cfg` describes, nn.Identity for None; see `BaseModuleBuilder.build`."""
        return nn.Identity() if dropout_cfg is None else self.construct(dropout_cfg)


def BuildDropout(dropout_cfg: Mapping[str, Any] | None) -> nn.Module:  # noqa: N802
    """Build the dropout layer that `dropout_cfg` describes; nn.Identity for None."""
    return DropoutBuilder().build(dropout_cfg)
