"""Builds a loss from an entry of `SEGMENTOR_CFG['losses']`."""

from collections.abc import Mapping
from typing import Any

from ...utils.modulebuilder import BaseModuleBuilder, Registry

_HERE = "ssseg.modules.models.losses"


class LossBuilder(BaseModuleBuilder):
    """Builds what `loss_cfg["type"]` names; the other entries are its constructor's arguments."""

    REGISTERED_MODULES = Registry(
        {
            "L1Loss": f"{_HERE}.l1loss:L1Loss",
            "MSELoss": f"{_HERE}.mseloss:MSELoss",
            "FocalLoss": f"{_HERE}.focalloss:FocalLoss",
            "CosineSimilarityLoss": f"{_HERE}.cosinesimilarityloss:CosineSimilarityLoss",
            "DiceLoss": f"{_HERE}.diceloss:DiceLoss",
            "KLDivLoss": f"{_HERE}.kldivloss:KLDivLoss",
            "LovaszLoss": f"{_HERE}.lovaszloss:LovaszLoss",
            "CrossEntropyLoss": f"{_HERE}.celoss:CrossEntropyLoss",
        }
    )
    kind = "loss"
    where = "SEGMENTOR_CFG['losses']"


def BuildLoss(loss_cfg: Mapping[str, Any]) -> Any:  # noqa: N802
    """Build one loss; errors as in `LossBuilder.build`."""
    return LossBuilder().build(loss_cfg)
