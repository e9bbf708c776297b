from collections.abc import Mapping
from typing import Any

from torch import nn

from ...utils.modulebuilder import BaseModuleBuilder, Registry


class BackboneBuilder(BaseModuleBuilder):
    """Builds a backbone from its cfg. `selected_indices` is left out: that is the segmentor's."""

    REGISTERED_MODULES = Registry(
        {
            "BEiT": "ssseg.modules.models.backbones.beit:BEiT",
            "BiSeNetV1": "ssseg.modules.models.backbones.bisenetv1:BiSeNetV1",
            "BiSeNetV2": "ssseg.modules.models.backbones.bisenetv2:BiSeNetV2",
            "CGNet": "ssseg.modules.models.backbones.cgnet:CGNet",
            "CompactUNet": "ssseg.modules.models.backbones.compactunet:CompactUNet",
            "ConvNeXt": "ssseg.modules.models.backbones.convnext:ConvNeXt",
            "ConvNeXtV2": "ssseg.modules.models.backbones.convnextv2:ConvNeXtV2",
            "EdgeSAMRepViT": "ssseg.modules.models.backbones.repvit:EdgeSAMRepViT",
            "ERFNet": "ssseg.modules.models.backbones.erfnet:ERFNet",
            "FastSCNN": "ssseg.modules.models.backbones.fastscnn:FastSCNN",
            "Hiera": "ssseg.modules.models.backbones.hiera:Hiera",
            "HieraWithFPN": "ssseg.modules.models.backbones.hierafpn:HieraWithFPN",
            "HRNet": "ssseg.modules.models.backbones.hrnet:HRNet",
            "MAE": "ssseg.modules.models.backbones.mae:MAE",
            "MixVisionTransformer": "ssseg.modules.models.backbones.mit:MixVisionTransformer",
            "MobileNetV2": "ssseg.modules.models.backbones.mobilenet:MobileNetV2",
            "MobileNetV3": "ssseg.modules.models.backbones.mobilenetv3:MobileNetV3",
            "MobileViT": "ssseg.modules.models.backbones.mobilevit:MobileViT",
            "MobileViTV2": "ssseg.modules.models.backbones.mobilevitv2:MobileViTV2",
            "MobileSAMTinyViT": "ssseg.modules.models.backbones.mobilesamtinyvit:MobileSAMTinyViT",
            "PCPVT": "ssseg.modules.models.backbones.twins:PCPVT",
            "ResNeSt": "ssseg.modules.models.backbones.resnest:ResNeSt",
            "ResNet": "ssseg.modules.models.backbones.resnet:ResNet",
            "SAMViT": "ssseg.modules.models.backbones.samvit:SAMViT",
            "SVT": "ssseg.modules.models.backbones.twins:SVT",
            "SwinTransformer": "ssseg.modules.models.backbones.swin:SwinTransformer",
            "TIMMBackbone": "ssseg.modules.models.backbones.timmbackbone:TIMMBackbone",
            "UNet": "ssseg.modules.models.backbones.unet:UNet",
            "VisionTransformer": "ssseg.modules.models.backbones.vit:VisionTransformer",
        }
    )
    kind = "backbone"
    where = "SEGMENTOR_CFG['backbone']"

    def build(self, backbone_cfg: Mapping[str, Any]) -> nn.Module:
        """Build the backbone that `backbone_cfg` describes; see `BaseModuleBuilder.build`."""
        return self.construct({name: value for name, value in backbone_cfg.items() if name != "selected_indices"})


def BuildBackbone(backbone_cfg: Mapping[str, Any]) -> nn.Module:  # noqa: N802
    """Build the backbone that `backbone_cfg` describes."""
    return BackboneBuilder().build(backbone_cfg)
