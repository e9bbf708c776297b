import copy
from collections.abc import MutableMapping
from typing import Any, get_args

from ...utils.datastructure import Mode
from ...utils.errors import ConfigError, listed
from ...utils.modulebuilder import BaseModuleBuilder, Registry

_HERE = "ssseg.modules.models.segmentors"


class SegmentorBuilder(BaseModuleBuilder):
    """Builds a segmentor from a whole `SEGMENTOR_CFG`."""

    REGISTERED_MODULES = Registry(
        {
            "Deeplabv3": f"{_HERE}.deeplabv3.deeplabv3:Deeplabv3",
            "Deeplabv3Plus": f"{_HERE}.deeplabv3plus.deeplabv3plus:Deeplabv3Plus",
            "DepthwiseSeparableFCN": f"{_HERE}.fcn.depthwiseseparablefcn:DepthwiseSeparableFCN",
            "FCN": f"{_HERE}.fcn.fcn:FCN",
            "PSPNet": f"{_HERE}.pspnet.pspnet:PSPNet",
        }
    )
    kind = "segmentor"
    where = "SEGMENTOR_CFG"

    def build(self, segmentor_cfg: MutableMapping[str, Any], mode: str) -> Any:  # type: ignore[override]
        """Build the segmentor that `segmentor_cfg["type"]` names; it keeps a copy of the cfg without that entry.

        Args:
            segmentor_cfg: a dict or a SegmentorConfig.
            mode: "TRAIN", "TEST" (then it is in eval mode) or "TRAIN_DEVELOP".

        Raises:
            UnknownNameError: no segmentor has that name.
            ConfigError: an entry is missing, unknown or does not fit.
        """
        if mode not in get_args(Mode):
            raise ConfigError(f"mode={mode!r} must be one of {listed(get_args(Mode))}")
        cfg = copy.deepcopy(segmentor_cfg)
        segmentor = self.find(cfg.pop("type", None))(cfg=cfg, mode=mode)
        return segmentor.eval() if mode == "TEST" else segmentor


def BuildSegmentor(segmentor_cfg: MutableMapping[str, Any], mode: str) -> Any:  # noqa: N802
    """Build the segmentor that `segmentor_cfg` describes; see `SegmentorBuilder.build`."""
    return SegmentorBuilder().build(segmentor_cfg, mode)
