import pytest
import torch

from ssseg.modules import BuildSegmentor, SSSegInputStructure
from ssseg.modules.models.segmentors.psanet.psamask import collect_attention
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import small


@pytest.mark.parametrize("mask_size", [(3, 5), (4, 2), (9, 11)])
def test_collect_attention_against_loops(mask_size):
    height, width = 4, 5
    scores = torch.randn(2, mask_size[0] * mask_size[1], height, width)
    expected = torch.zeros(2, height * width, height * width)
    for row in range(height):
        for column in range(width):
            for down in range(mask_size[0]):
                for right in range(mask_size[1]):
                    y, x = row + down - (mask_size[0] - 1) // 2, column + right - (mask_size[1] - 1) // 2
                    if 0 <= y < height and 0 <= x < width:
                        given = scores[:, down * mask_size[1] + right, row, column]
                        expected[:, y * width + x, row * width + column] = given
    assert torch.equal(collect_attention(scores, mask_size), expected)


@pytest.mark.parametrize("kind", ["collect", "distribute", "bi-direction"])
@pytest.mark.parametrize("compact", [True, False])
def test_kinds(kind, compact):
    cfg = small("PSANet")
    cfg["head"] |= {"type": kind, "compact": compact, "mask_size": (6, 8), "shrink_factor": 1}
    scores = BuildSegmentor(cfg, "TEST")(SSSegInputStructure(mode="TEST", images=torch.randn(1, 3, 48, 64))).seg_logits
    assert scores.shape == (1, 4, 6, 8)
    assert scores.isfinite().all()


def test_a_compact_mask_of_another_size_than_the_map():
    cfg = small("PSANet")
    cfg["head"] |= {"compact": True, "shrink_factor": 1}
    with pytest.raises(ConfigError, match=r"\['mask_size'\]: is \(5, 5\), but with 'compact' .* here \(6, 8\)"):
        BuildSegmentor(cfg, "TEST")(SSSegInputStructure(mode="TEST", images=torch.randn(1, 3, 48, 64)))


def test_an_unknown_type():
    cfg = small("PSANet")
    cfg["head"]["type"] = "bidirection"
    with pytest.raises(ConfigError, match=r"\['head'\]\['type'\]: is 'bidirection'.* Did you mean 'bi-direction'\?"):
        BuildSegmentor(cfg, "TEST")
