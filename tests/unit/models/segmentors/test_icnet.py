import pytest

from ssseg.modules import BuildSegmentor
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import BACKBONES, small


def test_pooling_keeps_the_last_row_of_odd_maps():
    segmentor = BuildSegmentor(small("ICNet"), "TEST")
    assert segmentor.backbone_net.backbone_net.maxpool.ceil_mode


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"in_channels_list": [8, 8, 8]}, r"\['in_channels_list'\]: is \[8, 8, 8\], but must be 4, 8, 8"),
        ({"encoder": {"layer_channels_list": [8, 64]}}, r"\['layer_channels_list'\]: is \[8, 64\].* \[16, 64\]"),
        ({"encoder": {"psp_channels": 8}}, r"\['encoder'\]\['psp_channels'\].*Did you mean 'psp_out_channels'"),
        ({"feats_channels": 16}, r"\['auxiliary'\]\[0\]\['in_channels'\]: is 8, but must be 16"),
    ],
)
def test_widths_that_do_not_fit(change, message):
    cfg = small("ICNet")
    cfg["head"] |= change
    with pytest.raises(ConfigError, match=message):
        BuildSegmentor(cfg, "TRAIN")


def test_a_backbone_without_the_stages_of_a_resnet():
    cfg = small("ICNet")
    cfg["backbone"] = BACKBONES["MobileNetV2"]
    with pytest.raises(ConfigError, match=r"SEGMENTOR_CFG\['backbone'\]: is a MobileNetV2; ICNet needs a ResNet"):
        BuildSegmentor(cfg, "TRAIN")
