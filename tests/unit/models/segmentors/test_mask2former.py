import pytest
import torch
import torch.nn.functional as F

from ssseg.engine.modelinfo import describe
from ssseg.modules import BuildOptimizer, BuildSegmentor, SSSegInputStructure
from ssseg.modules.models.segmentors.mask2former.deformable import deformable_attention
from ssseg.modules.models.segmentors.mask2former.encoder import MultiScaleDeformableAttention
from ssseg.modules.models.segmentors.mask2former.predictor import where_to_look
from ssseg.modules.utils.configparser import load_config
from tests.contracts.small_cfgs import small

SIZES = [(2, 3), (5, 4), (9, 7)]


def sampled_map_by_map(value, sizes, locations, weights):
    """Deformable attention written with `grid_sample`: (N, L, heads * d)."""
    n, _, heads, width = value.shape
    result = 0
    for i, ((h, w), part) in enumerate(zip(sizes, value.split([h * w for h, w in sizes], dim=1), strict=True)):
        x = part.permute(0, 2, 3, 1).reshape(n * heads, width, h, w)
        grid = (2 * locations[:, :, :, i] - 1).transpose(1, 2).flatten(0, 1)  # (N * heads, L, points, 2)
        read = F.grid_sample(x, grid, align_corners=False)  # (N * heads, d, L, points)
        result = result + (read * weights[:, :, :, i].transpose(1, 2).flatten(0, 1)[:, None]).sum(dim=3)
    return result.unflatten(0, (n, heads)).permute(0, 3, 1, 2).flatten(2)


def arguments(dtype=torch.float32, tokens=11, reach=0.4):
    """Values, sizes, locations of which some are outside of the maps, and weights."""
    value = torch.randn(2, sum(h * w for h, w in SIZES), 2, 4, dtype=dtype)
    locations = torch.rand(2, tokens, 2, 3, 5, 2, dtype=dtype) * (1 + 2 * reach) - reach
    weights = torch.rand(2, tokens, 2, 3, 5, dtype=dtype)
    return value.requires_grad_(), SIZES, locations.requires_grad_(), weights.requires_grad_()


@pytest.mark.parametrize("reach", [0.0, 0.4, 1e6])
@pytest.mark.parametrize("tokens", [1, 60])
def test_deformable_attention_against_grid_sample(tokens, reach):
    values = arguments(tokens=tokens, reach=reach)
    inputs = [values[0], *values[2:]]
    made, expected = deformable_attention(*values), sampled_map_by_map(*values)
    torch.testing.assert_close(made, expected, rtol=1e-5, atol=1e-5)
    above = torch.randn_like(made)
    for one, other in zip(
        torch.autograd.grad(made, inputs, above), torch.autograd.grad(expected, inputs, above), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_gradients_of_deformable_attention_against_differences():
    value, sizes, locations, weights = arguments(torch.float64, tokens=2)
    assert torch.autograd.gradcheck(lambda v, x, w: deformable_attention(v, sizes, x, w), (value, locations, weights))


@pytest.mark.parametrize("trained", [0, 2, 3])
def test_parts_of_it_may_be_fixed(trained):
    values = list(arguments())
    for i in {0, 2, 3} - {trained}:
        values[i] = values[i].detach()
    (made,) = torch.autograd.grad(deformable_attention(*values).sum(), values[trained])
    (expected,) = torch.autograd.grad(sampled_map_by_map(*values).sum(), values[trained])
    torch.testing.assert_close(made, expected, rtol=1e-4, atol=1e-4)


def test_heads_first_look_in_their_own_directions():
    attention = MultiScaleDeformableAttention(16, 2, 4, 3)
    attention.reset_parameters()
    offsets = attention.sampling_offsets.bias.view(4, 2, 3, 2)
    steps = torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    torch.testing.assert_close(offsets[:, 1], steps[:, None] * torch.tensor([1.0, 2, 3])[:, None], atol=1e-6, rtol=0)
    assert not attention.sampling_offsets.weight.any()


def test_an_empty_mask_looks_everywhere():
    logits = torch.tensor([[[[-1.0, 2.0], [3.0, -4.0]], [[-1.0, -2.0], [-3.0, -4.0]]]])
    assert where_to_look(logits, (2, 2)).tolist() == [[[[False, True, True, False], [True] * 4]]]


def test_fewer_maps_for_deformable_attention_mean_more_in_the_pyramid():
    cfg = small("Mask2Former")
    cfg["head"]["pixel_decoder"]["transformer_in_features"] = ["res5", "res4"]
    segmentor = BuildSegmentor(cfg, "TEST").eval()
    features = [torch.randn(1, width, size, size) for width, size in zip((8, 16, 32, 64), (16, 8, 4, 2), strict=True)]
    mask_features, maps = segmentor.pixel_decoder(features)
    assert mask_features.shape == (1, 8, 16, 16)
    assert [tuple(x.shape[2:]) for x in maps] == [(2, 2), (4, 4), (8, 8)]


def test_projections_of_maps_that_no_layer_looks_at_are_not_trained():
    cfg = small("Mask2Former")
    cfg["head"]["predictor"] |= {"dec_layers": 2, "enforce_input_project": True}
    segmentor = BuildSegmentor(cfg, "TRAIN")
    sample = SSSegInputStructure(images=torch.randn(2, 3, 48, 64), seg_targets=torch.randint(0, 4, (2, 48, 64)))
    segmentor(sample).loss.backward()
    assert [p.requires_grad for p in segmentor.predictor.input_proj.parameters()] == [True, True, *[False] * 4]
    assert all(p.grad is not None for p in segmentor.parameters() if p.requires_grad)


def test_without_deep_supervision_the_last_layer_alone_learns_from_the_target():
    cfg = small("Mask2Former")
    cfg["head"]["deep_supervision"] = False
    sample = SSSegInputStructure(images=torch.randn(2, 3, 48, 64), seg_targets=torch.randint(0, 4, (2, 48, 64)))
    log = BuildSegmentor(cfg, "TRAIN")(sample).losses_log_dict
    assert list(log) == ["loss_ce", "loss_mask", "loss_dice", "loss_total"]


def test_the_published_rules_fit_the_parameters():
    cfg = load_config("mask2former_swintiny_ade20k")
    cfg["backbone"]["pretrained"] = False
    with torch.device("meta"):
        segmentor = BuildSegmentor(cfg, "TRAIN")
    optimizer = BuildOptimizer(segmentor, cfg["scheduler"]["optimizer"])  # warns of keys that nearly fit
    groups = {group["name"]: (group["lr_multiplier"], group["wd_multiplier"]) for group in optimizer.param_groups}
    expected = {
        "backbone_net.patch_embed.projection.weight": (0.1, 1.0),
        "backbone_net.stages.2.blocks.5.norm2.bias": (0.1, 0.0),
        "pixel_decoder.input_proj.0.1.weight": (1.0, 0.0),
        "pixel_decoder.transformer.level_embed": (1.0, 0.0),
        "predictor.query_feat.weight": (1.0, 0.0),
        "predictor.decoder_norm.weight": (1.0, 0.0),
        "predictor.class_embed.weight": (1.0, 1.0),
    }
    assert {name: groups[name] for name in expected} == expected


def test_its_size_is_known_without_memory_for_it():
    info = describe(load_config("mask2former_swintiny_ade20k"), (1, 3, 128, 128))
    assert info.parameters == 47439633
