import pytest
import torch

from ssseg.modules import BuildSegmentor
from ssseg.modules.models.segmentors.encnet.encnet import find_classes
from ssseg.modules.models.segmentors.encnet.encoding import Encoding
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import small


def test_encoding_is_the_weighted_sum_of_differences_to_the_codewords():
    encoding, x = Encoding(5, 3), torch.randn(2, 5, 4, 6)
    differences = x.flatten(2).transpose(1, 2)[:, :, None] - encoding.codewords  # (N, P, K, C)
    weights = (encoding.scale * differences.square().sum(dim=3)).softmax(dim=2)
    torch.testing.assert_close(encoding(x), (weights[..., None] * differences).sum(dim=1))


def test_find_classes_leaves_out_what_is_no_class():
    labels = torch.tensor([[[0, 2], [2, -100]], [[255, 255], [255, 1]]], dtype=torch.int16)
    assert find_classes(labels, 3).tolist() == [[1, 0, 1], [0, 1, 0]]


@pytest.mark.parametrize("add_lateral", [True, False])
def test_lateral_maps_are_read_where_the_config_says_so(add_lateral):
    cfg = small("ENCNet")
    cfg["head"]["extra"]["add_lateral"] = add_lateral
    segmentor = BuildSegmentor(cfg, "TEST")
    maps = [torch.randn(1, width, 6, 6) for width in (8, 16, 32, 64)]
    other = [maps[0], maps[1] + 1, *maps[2:]]
    with torch.no_grad():
        assert torch.equal(segmentor.predict(maps), segmentor.predict(other)) is not add_lateral


def test_widths_that_are_not_those_of_the_last_maps():
    cfg = small("ENCNet")
    cfg["head"]["in_channels_list"] = [16, 64, 32]
    with pytest.raises(
        ConfigError, match=r"\['head'\]\['in_channels_list'\]: is \[16, 64, 32\], but must be 16, 32, 64"
    ):
        BuildSegmentor(cfg, "TRAIN")
