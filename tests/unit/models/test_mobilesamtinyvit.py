import itertools

import pytest
import torch

from ssseg.modules import BuildBackbone
from ssseg.modules.models.backbones import weights
from ssseg.modules.models.backbones.bricks.transformer import resize_positions
from ssseg.modules.models.backbones.mobilesamtinyvit import AUTO_ASSERT_STRUCTURE_TYPES, DEFAULT_MODEL_URLS
from ssseg.modules.models.backbones.tinyvitblocks import BiasedAttention
from ssseg.modules.utils import CheckpointError, ConfigError
from tests.contracts.small_cfgs import BACKBONES

SMALL = BACKBONES["MobileSAMTinyViT"]


def build(**fields):
    return BuildBackbone({**SMALL, **fields}).eval()


def load(monkeypatch, file, **fields):
    monkeypatch.setattr(weights, "loadpretrainedweights", lambda *args, **kwargs: file)
    return build(pretrained=True, pretrained_model_path="x.pth", **fields)


def file_of(encoder):
    """The weights of an encoder as Microsoft's files have them: with a classifier and derived entries, no neck."""
    file = {name: value for name, value in encoder.state_dict().items() if not name.startswith("neck.")}
    derived = {"layers.1.blocks.0.attn.attention_bias_idxs": torch.zeros(9, 9, dtype=torch.int64)}
    return {**file, **derived, "norm_head.weight": torch.ones(16), "head.weight": torch.ones(1)}


@pytest.mark.parametrize("size", [(64, 64), (48, 80), (50, 70), (17, 3), (128, 64)])
@pytest.mark.parametrize("widths", [(8, 8, 16, 16), (8, 8, 16, 320)])
def test_any_size_and_width(size, widths):
    with torch.no_grad():
        x, maps = build(embed_dims=widths)(torch.randn(1, 3, *size), return_interm_embeddings=True)
    expected = (-(-size[0] // 16), -(-size[1] // 16))
    assert x.shape == (1, 256, *expected)
    assert [one.shape for one in maps] == [(1, *expected, 16)]


def test_biases_depend_on_the_distance_only():
    attention = BiasedAttention(8, 2, 3)
    torch.nn.init.normal_(attention.attention_biases)
    places, rows = list(itertools.product(range(3), repeat=2)), {}
    bias = attention.bias()
    assert bias.shape == (2, 9, 9)
    for (i, a), (j, b) in itertools.product(enumerate(places), repeat=2):
        away = (abs(a[0] - b[0]), abs(a[1] - b[1]))
        row = rows.setdefault(away, len(rows))  # numbered as they come, as in the authors' files
        assert torch.equal(bias[:, i, j], attention.attention_biases[:, row])


def test_weights_that_are_filled_in_after_eval_count():
    one, other, x = build(), build(), torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        other(x)
        for parameter in one.parameters():
            parameter.add_(0.1)
        for mine, theirs in zip(other.parameters(), one.parameters(), strict=True):
            mine.copy_(theirs)
        assert torch.equal(one(x), other(x))
        other.layers[1].blocks[0].attn.attention_biases.add_(torch.arange(9.0))
        assert not torch.equal(one(x), other(x))


def test_published_weights_load(monkeypatch, caplog):
    source = build()
    with caplog.at_level("INFO"):
        encoder = load(monkeypatch, file_of(source))
    state = source.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in encoder.state_dict().items() if "neck" not in name)
    assert "left as initialised: neck.0.weight" in caplog.text
    assert "not used: norm_head.weight, head.weight" in caplog.text


def test_biases_of_other_windows_are_interpolated(monkeypatch):
    source = build()
    for name, parameter in source.named_parameters():
        if name.endswith("attention_biases"):
            torch.nn.init.normal_(parameter)
    encoder = load(monkeypatch, file_of(source), window_sizes=(3, 4, 5, 3))
    theirs, ours = (x.layers[1].blocks[0].attn.attention_biases for x in (source, encoder))
    assert ours.shape == (2, 16)
    expected = resize_positions(theirs.T[None], (3, 3), (4, 4), "bicubic")[0].T
    torch.testing.assert_close(ours, expected)
    assert torch.equal(
        encoder.layers[3].blocks[0].attn.attention_biases, source.layers[3].blocks[0].attn.attention_biases
    )


def test_weights_of_another_shape_are_refused(monkeypatch):
    with pytest.raises(CheckpointError, match="these are not the weights of this MobileSAMTinyViT"):
        load(monkeypatch, file_of(build()), embed_dims=(8, 16, 16, 16))


def test_published_weights_need_their_structure():
    with pytest.raises(
        ConfigError, match=r"\['embed_dims'\].*'tiny_vit_5m_22kto1k_distill' need \(64, 128, 160, 320\)"
    ):
        build(structure_type="tiny_vit_5m_22kto1k_distill", pretrained=True)
    assert DEFAULT_MODEL_URLS.keys() == AUTO_ASSERT_STRUCTURE_TYPES.keys()
    assert len(DEFAULT_MODEL_URLS) == 11


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"depths": (1, 1)}, r"\['depths'\]: is \(1, 1\), must hold 4 numbers, one a stage"),
        ({"num_heads": (1, 3, 2, 4)}, r"\['num_heads'\]: 3 heads do not share out the width 8"),
    ],
)
def test_what_does_not_fit_is_named(fields, message):
    with pytest.raises(ConfigError, match=message):
        build(**fields)
