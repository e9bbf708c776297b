"""Image encoders of the SAM family and timm's networks that they were made from, with the same weights."""

import pytest
import torch

from ssseg.modules import BuildBackbone
from ssseg.modules.models.backbones.bricks.transformer import renamed
from tests.witness.agreement import assert_agree, randomized

HIERA = {"embed_dim": 8, "num_heads": 1, "stages": (1, 2, 3, 1), "window_spec": (4, 2, 4, 2), "global_att_blocks": (4,)}


@pytest.mark.parametrize("size", [(64, 96), (128, 128)])
def test_hiera(timm, size):
    theirs = randomized(timm.create_model("sam2_hiera_tiny", **HIERA, global_pos_size=(5, 7)))
    rules = ((r"\.mlp\.fc(\d)\.", lambda m: f".mlp.layers.{int(m[1]) - 1}."),)
    state = {name: value for name, value in theirs.state_dict().items() if not name.startswith("head.")}
    ours = BuildBackbone({"type": "Hiera", **HIERA, "window_pos_embed_bkg_spatial_size": (5, 7)}).eval()
    ours.load_state_dict(renamed(state, rules))
    image = torch.randn(2, 3, *size)
    with torch.no_grad():
        made = ours(image)
        expected = theirs.forward_intermediates(image, intermediates_only=True, output_fmt="NCHW")
    assert len(made) == len(expected)
    for x, y in zip(made, expected, strict=True):
        assert_agree(x, y)


@pytest.mark.parametrize("size", [(64, 96), (224, 160)])
def test_tiny_vit(timm, size):
    """Three of the four stages: then the encoder keeps the size, where the classifier halves it."""
    theirs = randomized(timm.create_model("tiny_vit_5m_224"))
    rules = (
        (r"^patch_embed\.conv(\d)\.", lambda m: f"patch_embed.seq.{2 * int(m[1]) - 2}."),
        (r"\.conv\.weight$", ".c.weight"),
        (r"^stages\.(\d)\.downsample\.", lambda m: f"layers.{int(m[1]) - 1}.downsample."),
        (r"^stages\.", "layers."),
    )
    state = {name: value for name, value in theirs.state_dict().items() if not name.startswith("head.")}
    widths, heads = (64, 128, 160, 320), (2, 4, 5, 10)
    cfg = {"type": "MobileSAMTinyViT", "structure_type": "small", "embed_dims": widths, "num_heads": heads}
    ours = BuildBackbone(cfg).eval()
    result = ours.load_state_dict(renamed(state, rules), strict=False)
    assert not result.unexpected_keys
    assert all(name.startswith("neck.") for name in result.missing_keys)
    made, image = [], torch.randn(2, 3, *size)
    for stage in ours.layers[:3]:
        stage.downsample.register_forward_pre_hook(lambda module, arguments: made.append(arguments[0]))
    with torch.no_grad():
        ours(image)
        expected = theirs.forward_intermediates(image, intermediates_only=True)
    for x, y in zip(made, expected[:3], strict=True):
        assert_agree(x, y)


@pytest.mark.parametrize("arch", ["m1", "m3"])
def test_repvit(timm, arch):
    """timm counts a stage's last block to the next one and names some parts otherwise; the order is the same."""
    theirs = randomized(timm.create_model(f"repvit_{arch}"))
    ours = BuildBackbone({"type": "EdgeSAMRepViT", "structure_type": arch, "arch": arch}).eval()
    trunk = [value for name, value in theirs.state_dict().items() if not name.startswith("head.")]
    for x, y in zip(ours.features.state_dict().values(), trunk, strict=True):
        assert x.shape == y.shape
        x.copy_(y)
    x = image = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        for block in ours.features:
            x = block(x)
        assert_agree(x, theirs.forward_features(image))
