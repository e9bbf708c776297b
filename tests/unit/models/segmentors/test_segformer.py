import pytest
import torch

from ssseg.modules import BuildSegmentor
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import small


def test_levels_are_joined_finest_first():
    segmentor = BuildSegmentor(small("Segformer"), "TEST")
    features = [torch.randn(1, width, size, size) for width, size in ((8, 8), (16, 4), (32, 2), (64, 1))]
    seen = []
    segmentor.decoder.register_forward_hook(lambda module, args, output: seen.append(args[0]))
    with torch.no_grad():
        assert segmentor.predict(features).shape == (1, 4, 8, 8)
        torch.testing.assert_close(seen[0][:, :8], segmentor.convs[0](features[0]))
        coarsest = segmentor.convs[3](features[3]).expand(-1, -1, 8, 8)
        torch.testing.assert_close(seen[0][:, 24:], coarsest)


def test_any_number_of_levels():
    cfg = small("Segformer")
    cfg["backbone"]["selected_indices"], cfg["head"]["in_channels_list"] = (0, 2), [8, 32]
    assert len(BuildSegmentor(cfg, "TEST").convs) == 2
    cfg["head"]["in_channels_list"] = [8, 16]
    with pytest.raises(ConfigError, match=r"\['head'\]\['in_channels_list'\]: is \[8, 16\], but must be 8, 32"):
        BuildSegmentor(cfg, "TEST")


def test_linear_levels_are_joined_coarsest_first():
    cfg = small("Segformer")
    cfg["head"]["linear_levels"] = True
    segmentor = BuildSegmentor(cfg, "TEST").eval()
    features = [torch.randn(1, width, size, size) for width, size in ((8, 8), (16, 4), (32, 2), (64, 1))]
    seen = []
    segmentor.decoder.register_forward_hook(lambda module, args, output: seen.append(args[0]))
    with torch.no_grad():
        segmentor.predict(features)
        shifted = [x + 1 for x in features]
        segmentor.predict(shifted)
        torch.testing.assert_close(seen[0][:, 24:], segmentor.convs[0](features[0]))
        gained = torch.cat([conv[0].weight.sum(dim=(1, 2, 3)) for conv in reversed(segmentor.convs)])
        torch.testing.assert_close(seen[1] - seen[0], gained[:, None, None].expand(32, 8, 8)[None])
