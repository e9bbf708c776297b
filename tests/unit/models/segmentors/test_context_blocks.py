"""Blocks that gather context: non-local, disentangled, global, dual, criss-cross, interlaced."""

import pytest
import torch
from torch import nn

from ssseg.modules import BuildSegmentor, SSSegInputStructure
from ssseg.modules.models.segmentors.ccnet.crisscross import CrissCrossAttention
from ssseg.modules.models.segmentors.danet.danet import ChannelAttention, PositionAttention
from ssseg.modules.models.segmentors.dnlnet.dnlnet import DisentangledNonLocalBlock
from ssseg.modules.models.segmentors.gcnet.contextblock import ContextBlock
from ssseg.modules.models.segmentors.nonlocalnet import NonLocalBlock
from ssseg.modules.utils import ConfigError
from tests.contracts.small_cfgs import small

RELU = {"type": "ReLU", "inplace": True}
LAYERS = {"norm_cfg": {"type": "BatchNorm2d"}, "act_cfg": RELU}


def with_head(name, **fields):
    cfg = small(name)
    cfg["head"].update(fields)
    return cfg


def sample(size=48):
    images = torch.randn(2, 3, size, size)
    return SSSegInputStructure(images=images, seg_targets=torch.randint(0, 4, (2, size, size)))


def pairwise_scores(block, theta, phi):
    """The scores of all pairs of places (N, L, L), as the paper writes them."""
    if block.mode.endswith("gaussian"):
        return (block.scale * theta.transpose(1, 2) @ phi).softmax(dim=2)
    length = theta.shape[2]
    if block.mode == "dotproduct":
        return theta.transpose(1, 2) @ phi / length
    pairs = torch.cat([theta[..., None].expand(-1, -1, -1, length), phi[:, :, None].expand(-1, -1, length, -1)], dim=1)
    return block.project(pairs).squeeze(1) / length


@pytest.mark.parametrize("mode", ["embeddedgaussian", "gaussian", "dotproduct", "concatenation"])
@pytest.mark.parametrize("use_scale", [True, False])
def test_non_local_modes(mode, use_scale):
    block = NonLocalBlock(8, 2, use_scale, mode, **LAYERS).eval()
    x = torch.randn(2, 8, 3, 5)
    theta = phi = x.flatten(2)
    if mode != "gaussian":
        theta, phi = block.theta(x).flatten(2), block.phi(x).flatten(2)
    assert block.scale == (0.5 if use_scale and mode == "embeddedgaussian" else 1.0)
    weights = pairwise_scores(block, theta, phi)
    mean = (block.g(x).flatten(2) @ weights.transpose(1, 2)).unflatten(2, (3, 5))
    torch.testing.assert_close(block(x), x + block.conv_out(mean))


@pytest.mark.parametrize("name", ["NonLocalNet", "DNLNet"])
@pytest.mark.parametrize("mode", ["gaussian", "dotproduct", "concatenation"])
def test_every_mode_trains(name, mode):
    """Also concatenation with an activation in place."""
    segmentor = BuildSegmentor(with_head(name, mode=mode), "TRAIN")
    segmentor(sample()).loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in segmentor.parameters())


@pytest.mark.parametrize("name", ["NonLocalNet", "DNLNet"])
def test_an_unknown_mode_names_the_nearest(name):
    with pytest.raises(ConfigError, match=r"\['head'\]\['mode'\]: is 'gausian'.*Did you mean 'gaussian'"):
        BuildSegmentor(with_head(name, mode="gausian"), "TRAIN")


def test_disentangled_parts():
    block = DisentangledNonLocalBlock(8, 2, True, "embeddedgaussian", 0.05, **LAYERS).eval()
    x = torch.randn(2, 8, 3, 5)
    theta, phi, value = (part(x).flatten(2) for part in (block.theta, block.phi, block.g))
    theta, phi = theta - theta.mean(dim=2, keepdim=True), phi - phi.mean(dim=2, keepdim=True)
    weights = (theta.transpose(1, 2) @ phi / 2 / 0.05).softmax(dim=2)
    weights = weights + block.conv_mask(x).flatten(2).softmax(dim=2)
    mean = (value @ weights.transpose(1, 2)).unflatten(2, (3, 5))
    torch.testing.assert_close(block(x), x + block.conv_out(mean), rtol=1e-4, atol=1e-4)


def test_temperature_only_divides_embedded_scores():
    assert DisentangledNonLocalBlock(8, 2, True, "gaussian", 0.05, **LAYERS).scale == 1.0


@pytest.mark.parametrize("pooling", ["att", "avg"])
def test_global_context(pooling):
    cfg = {"norm_cfg": {"type": "LayerNorm"}, "act_cfg": RELU}
    block = ContextBlock(8, 0.25, pooling, ["channel_add", "channel_mul"], **cfg)
    x = torch.randn(2, 8, 3, 5)
    if pooling == "att":
        weights = block.conv_mask(x).flatten(2).softmax(dim=2)
        context = (x.flatten(2) * weights).sum(dim=2)[:, :, None, None]
    else:
        context = x.mean(dim=(2, 3), keepdim=True)
    expected = x * block.channel_mul_conv(context).sigmoid() + block.channel_add_conv(context)
    torch.testing.assert_close(block(x), expected)
    assert block.channel_add_conv[1].weight.shape == (2, 1, 1)


def test_global_context_takes_the_segmentors_norm_where_the_head_has_none():
    segmentor = BuildSegmentor(with_head("GCNet", norm_cfg=None), "TRAIN")
    assert isinstance(segmentor.contextblock_net.channel_add_conv[1], nn.BatchNorm2d)


def test_global_context_names_what_is_unknown():
    with pytest.raises(ConfigError, match=r"\['pooling_type'\]: is 'max', must be one of att, avg"):
        BuildSegmentor(with_head("GCNet", pooling_type="max"), "TRAIN")
    with pytest.raises(ConfigError, match=r"\['fusion_types'\]: is \['add'\], must be a list of channel_add"):
        BuildSegmentor(with_head("GCNet", fusion_types=["add"]), "TRAIN")


def test_dual_attention():
    x = torch.randn(2, 4, 3, 5)
    places, channels = PositionAttention(4, 2), ChannelAttention()
    assert torch.equal(places(x), x)  # both start as the identity
    assert torch.equal(channels(x), x)
    with torch.no_grad():
        places.gamma.scale.fill_(1.0)
        channels.gamma.scale.fill_(1.0)
    query, key, value = (p(x).flatten(2) for p in (places.query_project, places.key_project, places.value_project))
    weights = (query.transpose(1, 2) @ key).softmax(dim=2)
    torch.testing.assert_close(places(x), (value @ weights.transpose(1, 2)).unflatten(2, (3, 5)) + x)
    flat = x.flatten(2)
    energy = flat @ flat.transpose(1, 2)
    weights = (energy.amax(dim=2, keepdim=True) - energy).softmax(dim=2)
    torch.testing.assert_close(channels(x), (weights @ flat).unflatten(2, (3, 5)) + x)


def test_criss_cross_attention_one_place_at_a_time():
    attention = CrissCrossAttention(16)
    x = torch.randn(1, 16, 4, 5)
    assert torch.equal(attention(x), x)
    with torch.no_grad():
        attention.gamma.scale.fill_(2.0)
    query, key, value = attention.query_conv(x)[0], attention.key_conv(x)[0], attention.value_conv(x)[0]
    made = attention(x)[0]
    for i in range(4):
        for j in range(5):
            places = [(g, j) for g in range(4) if g != i] + [(i, v) for v in range(5)]
            scores = torch.stack([query[:, i, j] @ key[:, g, v] for g, v in places]).softmax(dim=0)
            mean = sum(weight * value[:, g, v] for weight, (g, v) in zip(scores, places, strict=True))
            torch.testing.assert_close(made[:, i, j], 2 * mean + x[0, :, i, j])


def test_criss_cross_recurrence_uses_one_module():
    once, twice = (BuildSegmentor(with_head("CCNet", num_recurrence=n), "TEST") for n in (1, 2))
    assert list(once.state_dict()) == list(twice.state_dict())
    twice.load_state_dict(once.state_dict())
    for segmentor in (once, twice):
        segmentor.cca.gamma.scale.data.fill_(1.0)
    images = torch.randn(1, 3, 48, 48)
    assert not torch.allclose(once.inference(images), twice.inference(images))


def test_interlaced_attention_one_group_at_a_time():
    segmentor = BuildSegmentor(with_head("ISANet", down_factor=[2, 3]), "TEST")
    x = torch.randn(1, 8, 5, 7)  # to be filled up to 6 x 9: one more row below, one more column on either side
    padded = nn.functional.pad(x, (1, 1, 0, 1))
    far = torch.empty_like(padded)
    for i in range(2):
        for j in range(3):
            far[:, :, i::2, j::3] = segmentor.global_relation(padded[:, :, i::2, j::3])
    near = torch.empty_like(padded)
    for i in range(0, 6, 2):
        for j in range(0, 9, 3):
            near[:, :, i : i + 2, j : j + 3] = segmentor.local_relation(far[:, :, i : i + 2, j : j + 3])
    torch.testing.assert_close(segmentor.relate(x), near[:, :, :5, 1:8])


def test_a_wrong_block_size_is_named():
    with pytest.raises(ConfigError, match=r"\['down_factor'\]: is \[8, 0\], must be two positive integers"):
        BuildSegmentor(with_head("ISANet", down_factor=[8, 0]), "TRAIN")
