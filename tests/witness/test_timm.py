"""Our backbones and timm's, whose weights reach ours as a file would: through the converters for published weights."""

import pytest
import torch

from ssseg.modules import BuildBackbone
from ssseg.modules.models.backbones.bricks.transformer import renamed
from tests.witness.agreement import assert_agree, randomized

LAYER_NORM = {"type": "LayerNorm", "eps": 1e-6}
PLAIN = {"img_size": (64, 96), "embed_dim": 16, "depth": 3, "num_heads": 2}
OUR_PLAIN = {"img_size": (64, 96), "embed_dims": 16, "num_layers": 3, "num_heads": 2, "out_indices": (0, 1, 2)}
TWINS = {"embed_dims": (8, 16, 16, 32), "num_heads": (1, 2, 2, 4), "depths": (2, 2, 1, 1)}


@pytest.fixture
def loaded(tmp_path):
    """Build a backbone of ours from a file that holds `state`."""

    def build(state, **cfg):
        torch.save(state, tmp_path / "x.pth")
        path = str(tmp_path / "x.pth")
        return BuildBackbone(
            {"structure_type": "small", **cfg, "pretrained": True, "pretrained_model_path": path}
        ).eval()

    return build


def assert_maps_agree(made, expected, share=1e-5):
    assert len(made) == len(expected)
    for x, y in zip(made, expected, strict=True):
        assert_agree(x, y, share)


def intermediates(network, image):
    with torch.no_grad():
        return network.forward_intermediates(image, intermediates_only=True)


@pytest.mark.parametrize("size", [(64, 96), (96, 64), (80, 80)])
def test_vit(timm, loaded, size):
    """Positions are interpolated as timm does but for its filter, which only matters for smaller grids."""
    theirs = randomized(timm.create_model("vit_tiny_patch16_224", **PLAIN))
    ours = loaded(theirs.state_dict(), type="VisionTransformer", **OUR_PLAIN)
    image = torch.randn(2, 3, *size)
    if size != (64, 96):
        positions = ours.pos_embed.detach()
        patches = positions[:, 1:].transpose(1, 2).unflatten(2, (4, 6))
        grid = (size[0] // 16, size[1] // 16)
        patches = torch.nn.functional.interpolate(patches, grid, mode="bilinear").flatten(2).transpose(1, 2)
        theirs.pos_embed = torch.nn.Parameter(torch.cat([positions[:, :1], patches], dim=1))
        theirs.patch_embed.strict_img_size = False
    with torch.no_grad():
        assert_maps_agree(ours(image), intermediates(theirs, image))


def test_mae_is_a_plain_transformer_before_it_learns_biases(timm, loaded):
    theirs = randomized(timm.create_model("vit_tiny_patch16_224", **PLAIN))
    ours = loaded(theirs.state_dict(), type="MAE", **OUR_PLAIN)
    image = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        assert_maps_agree(ours(image), intermediates(theirs, image))


def test_beit(timm, loaded):
    theirs = randomized(timm.create_model("beit_base_patch16_224", **PLAIN, init_values=0.1))
    ours = loaded(theirs.state_dict(), type="BEiT", **OUR_PLAIN)
    image = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        assert_maps_agree(ours(image), intermediates(theirs, image))


def with_one_eps(network):
    """Twins of timm's, random, every normalization with `LAYER_NORM`'s eps; some have 1e-5 there."""
    for part in network.modules():
        if isinstance(part, torch.nn.LayerNorm):
            part.eps = LAYER_NORM["eps"]
    return randomized(network)


@pytest.mark.parametrize("size", [(64, 96), (32, 160)])
def test_pcpvt(timm, loaded, size):
    theirs = with_one_eps(timm.create_model("twins_pcpvt_small", img_size=size, **TWINS))
    ours = loaded(theirs.state_dict(), type="PCPVT", **TWINS, norm_cfg=LAYER_NORM)
    image = torch.randn(2, 3, *size)
    with torch.no_grad():
        assert_maps_agree(ours(image), intermediates(theirs, image))


def test_svt(timm, loaded):
    """Windows need no padding here: where they do, timm masks nothing."""
    fields = {**TWINS, "mlp_ratios": (4, 4, 4, 4)}
    theirs = with_one_eps(timm.create_model("twins_svt_small", img_size=128, **fields, wss=(4, 4, 4, 4)))
    ours = loaded(
        theirs.state_dict(),
        type="SVT",
        **fields,
        windiow_sizes=(4, 4, 4, 4),
        norm_after_stage=False,
        norm_cfg=LAYER_NORM,
    )
    image = torch.randn(2, 3, 128, 128)
    with torch.no_grad():
        assert_maps_agree(ours(image), intermediates(theirs, image))


def openmmlabs(state):
    """A MobileViT of timm's under the names of the published files."""
    depths = {name.split(".transformer.")[0]: 0 for name in state if ".transformer." in name}
    for block in depths:
        depths[block] = len({name.split(".")[4] for name in state if name.startswith(f"{block}.transformer.")})
    rules = (
        (r"\.conv(\d)_(1x1|kxk)\.(?=conv|bn)", lambda m: f".conv.{int(m[1]) - 1}."),
        (r"\.conv_kxk\.", ".local_rep.0."),
        (r"\.conv_1x1\.weight", ".local_rep.1.conv.weight"),
        (r"\.transformer\.(\d)\.norm(\d)\.", r".global_rep.\1.ln\2."),
        (r"\.transformer\.(\d)\.mlp\.fc1\.", r".global_rep.\1.ffn.layers.0.0."),
        (r"\.transformer\.(\d)\.mlp\.fc2\.", r".global_rep.\1.ffn.layers.1."),
        (r"\.transformer\.", ".global_rep."),
        (r"^(stages\.\d\.\d)\.norm\.", lambda m: f"{m[1]}.global_rep.{depths[m[1]]}."),
        (r"^stages\.", "layers."),
        (r"^final_conv\.", "conv_1x1_exp."),
    )
    return {f"backbone.{name}": value for name, value in renamed(state, rules).items()}


@pytest.mark.parametrize("size", [(64, 96), (75, 101)])
@pytest.mark.parametrize(("name", "arch"), [("mobilevit_xxs", "xx_small"), ("mobilevit_s", "small")])
def test_mobilevit(timm, loaded, name, arch, size):
    theirs = randomized(timm.create_model(name))
    state = openmmlabs(theirs.state_dict())
    ours = loaded(state, type="MobileViT", arch=arch, activate_projection=True, norm_cfg={"type": "BatchNorm2d"})
    image = torch.randn(2, 3, *size)
    with torch.no_grad():
        assert_maps_agree(ours(image)[:-1], intermediates(theirs, image)[:-1])
        assert_agree(ours(image)[-1], theirs.forward_features(image))


@pytest.mark.parametrize("size", [(64, 96), (75, 101)])
@pytest.mark.parametrize("name", ["mobilevitv2_050", "mobilevitv2_175"])
def test_mobilevitv2(timm, loaded, name, size):
    theirs = randomized(timm.create_model(name))
    ours = loaded(theirs.state_dict(), type="MobileViTV2", arch=name, norm_cfg={"type": "BatchNorm2d"})
    image = torch.randn(2, 3, *size)
    with torch.no_grad():
        assert_maps_agree(ours(image), intermediates(theirs, image))
