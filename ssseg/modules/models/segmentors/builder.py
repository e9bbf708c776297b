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
            "ANNNet": f"{_HERE}.annnet.annnet:ANNNet",
            "APCNet": f"{_HERE}.apcnet.apcnet:APCNet",
            "CCNet": f"{_HERE}.ccnet.ccnet:CCNet",
            "CE2P": f"{_HERE}.ce2p.ce2p:CE2P",
            "DANet": f"{_HERE}.danet.danet:DANet",
            "Deeplabv3": f"{_HERE}.deeplabv3.deeplabv3:Deeplabv3",
            "Deeplabv3Plus": f"{_HERE}.deeplabv3plus.deeplabv3plus:Deeplabv3Plus",
            "DepthwiseSeparableFCN": f"{_HERE}.fcn.depthwiseseparablefcn:DepthwiseSeparableFCN",
            "DMNet": f"{_HERE}.dmnet.dmnet:DMNet",
            "DNLNet": f"{_HERE}.dnlnet.dnlnet:DNLNet",
            "EdgeSAM": f"{_HERE}.edgesam.edgesam:EdgeSAM",
            "EMANet": f"{_HERE}.emanet.emanet:EMANet",
            "ENCNet": f"{_HERE}.encnet.encnet:ENCNet",
            "FastFCN": f"{_HERE}.fastfcn.fastfcn:FastFCN",
            "FCN": f"{_HERE}.fcn.fcn:FCN",
            "GCNet": f"{_HERE}.gcnet.gcnet:GCNet",
            "ICNet": f"{_HERE}.icnet.icnet:ICNet",
            "IDRNet": f"{_HERE}.idrnet.idrnet:IDRNet",
            "ISANet": f"{_HERE}.isanet.isanet:ISANet",
            "ISNet": f"{_HERE}.isnet.isnet:ISNet",
            "Mask2Former": f"{_HERE}.mask2former.mask2former:Mask2Former",
            "MaskFormer": f"{_HERE}.maskformer.maskformer:MaskFormer",
            "MCIBI": f"{_HERE}.mcibi.mcibi:MCIBI",
            "MCIBIPlusPlus": f"{_HERE}.mcibiplusplus.mcibiplusplus:MCIBIPlusPlus",
            "LRASPPNet": f"{_HERE}.lrasppnet.lrasppnet:LRASPPNet",
            "MobileSAM": f"{_HERE}.mobilesam.mobilesam:MobileSAM",
            "NonLocalNet": f"{_HERE}.nonlocalnet.nonlocalnet:NonLocalNet",
            "OCRNet": f"{_HERE}.ocrnet.ocrnet:OCRNet",
            "PointRend": f"{_HERE}.pointrend.pointrend:PointRend",
            "PSANet": f"{_HERE}.psanet.psanet:PSANet",
            "PSPNet": f"{_HERE}.pspnet.pspnet:PSPNet",
            "SAM": f"{_HERE}.sam.sam:SAM",
            "SAMHQ": f"{_HERE}.samhq.samhq:SAMHQ",
            "SAMV2": f"{_HERE}.samv2.samv2:SAMV2",
            "Segformer": f"{_HERE}.segformer.segformer:Segformer",
            "SemanticFPN": f"{_HERE}.semanticfpn.semanticfpn:SemanticFPN",
            "SETRMLA": f"{_HERE}.setr.setrmla:SETRMLA",
            "SETRUP": f"{_HERE}.setr.setrup:SETRUP",
            "UPerNet": f"{_HERE}.upernet.upernet:UPerNet",
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
