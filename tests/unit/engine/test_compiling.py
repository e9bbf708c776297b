"""Models through torch.compile, as a whole or block by block."""

import pytest
import torch

from ssseg.engine.compiling import compiled, repeated_blocks
from ssseg.engine.options import RuntimeOptions
from ssseg.modules import BuildBackbone, BuildSegmentor, SSSegInputStructure
from ssseg.modules.utils.errors import ConfigError
from tests.contracts.small_cfgs import small

# of torch's own tracing
pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")


@pytest.mark.parametrize("name", ["FCN", "Segformer"])
@pytest.mark.parametrize("how", [True, "regional"])
def test_the_loss_and_the_names_stay(name, how):
    segmentor = BuildSegmentor(small(name), "TRAIN").eval()
    segmentor.mode = "TRAIN"
    labels = torch.randint(0, 4, (2, 64, 64), dtype=torch.int16)
    data_meta = SSSegInputStructure(mode="TRAIN", images=torch.randn(2, 3, 64, 64), seg_targets=labels)
    expected, names = segmentor(data_meta).loss, list(segmentor.state_dict())
    loss = compiled(segmentor, how, backend="eager")(data_meta).loss
    torch.testing.assert_close(loss, expected)
    loss.backward()
    assert list(segmentor.state_dict()) == names
    torch._dynamo.reset()


@pytest.mark.parametrize(
    ("cfg", "expected"),
    [
        ({"type": "ResNet", "structure_type": "resnet18", "depth": 18}, {"BasicBlock"}),
        ({"type": "MixVisionTransformer", "structure_type": "mit-b0", "embed_dims": 8}, {"MixBlock"}),
        ({"type": "SwinTransformer", "structure_type": "tiny", "embed_dims": 12}, {"SwinBlock"}),
    ],
)
def test_repeated_blocks_are_those_that_networks_are_deep_of(cfg, expected):
    blocks = list(repeated_blocks(BuildBackbone({**cfg, "pretrained": False})))
    assert {type(block).__name__ for block in blocks} == expected
    assert len(blocks) >= 8


def test_nothing_is_compiled_unless_asked_for():
    model = torch.nn.Linear(2, 2)
    assert compiled(model, False) is model


def test_other_ways_are_refused():
    with pytest.raises(ConfigError, match=r"\['compile'\]: 'blocks' must be False or True or 'regional'"):
        RuntimeOptions.of({"runtime": {"compile": "blocks"}})
