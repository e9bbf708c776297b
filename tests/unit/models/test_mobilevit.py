import pytest
import torch

from ssseg.modules import BuildBackbone
from ssseg.modules.models.backbones import mobilevit, mobilevitv2, weights
from ssseg.modules.models.backbones.mobilevit import join_quarters, split_quarters
from ssseg.modules.utils import CheckpointError, ConfigError

FIRST = {"type": "MobileViT", "structure_type": "mobilevit-xxsmall", "arch": "xx_small"}
SECOND = {"type": "MobileViTV2", "structure_type": "mobilevitv2_050"}


def build(cfg, **fields):
    return BuildBackbone({**cfg, "pretrained": False, **fields}).eval()


def openmmlabs(state):
    """The file that OpenMMLab publishes of these weights."""
    names = {key: key.replace("attn.attn.in_proj_", "attn.qkv.").replace("attn.attn.out_", "attn.") for key in state}
    return {
        **{f"backbone.{names[key]}": value for key, value in state.items()},
        "head.fc.weight": torch.zeros(1000, 320),
        "head.fc.bias": torch.zeros(1000),
    }


def timms(state):
    """The file that timm publishes of these weights."""
    parts = {".conv.0.": ".conv1_1x1.", ".conv.1.": ".conv2_kxk.", ".conv.2.": ".conv3_1x1."}
    file = {"head.fc.weight": torch.zeros(1000, 256), "head.fc.bias": torch.zeros(1000)}
    for key, value in state.items():
        ours = next((part for part in parts if part in key), None)
        file[key.replace(ours, parts[ours]) if ours else key] = value
    return file


@pytest.mark.parametrize(("cfg", "file_of"), [(FIRST, openmmlabs), (SECOND, timms)])
def test_the_published_file(monkeypatch, caplog, cfg, file_of):
    given = build(cfg).state_dict()
    file = file_of(given)
    assert set(given).isdisjoint(key for key in file if "qkv." in key or "_1x1.conv." in key)
    monkeypatch.setattr(weights, "loadpretrainedweights", lambda *args, **kwargs: file)
    with caplog.at_level("INFO"):
        loaded = BuildBackbone({**cfg, "pretrained_model_path": "x.pth"}).state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in given.items())
    assert f"{len(given)} entries loaded" in caplog.text


@pytest.mark.parametrize("cfg", [FIRST, SECOND])
def test_a_file_that_lacks_an_entry_is_refused(monkeypatch, cfg):
    state = build(cfg).state_dict()
    del state["stem.conv.weight"]
    monkeypatch.setattr(weights, "loadpretrainedweights", lambda *args, **kwargs: state)
    with pytest.raises(CheckpointError, match=r"1 missing: stem\.conv\.weight"):
        BuildBackbone({**cfg, "pretrained_model_path": "x.pth"})


def test_weights_of_another_width_are_refused():
    with pytest.raises(ConfigError, match=r"\['arch'\]: is 'small', but the weights of .*xxsmall' need 'xx_small'"):
        BuildBackbone({**FIRST, "arch": "small"})
    with pytest.raises(ConfigError, match=r"\['width_factor'\]: is 1\.0, but .* need 0\.5"):
        BuildBackbone({**SECOND, "arch": "mobilevitv2_100"})
    with pytest.raises(ConfigError, match=r"\['arch'\]: is 'tiny', must be one of small, x_small, xx_small"):
        build(FIRST, arch="tiny")


def test_the_tables_of_weights():
    assert len(mobilevit.DEFAULT_MODEL_URLS) == 3
    urls = mobilevitv2.DEFAULT_MODEL_URLS
    assert len(urls) == 13
    assert urls["mobilevitv2_175_384_in22ft1k"].endswith("/mobilevitv2_175_384_in22ft1k-059cbe56.pth")


def test_the_structure_type_tells_the_widths_of_the_second_version():
    assert build(SECOND).out_channels == (32, 64, 128, 192, 256)
    assert build(SECOND, structure_type="mobilevitv2_100").out_channels == (64, 128, 256, 384, 512)
    assert build(SECOND, structure_type="mobilevitv2_175_384_in22ft1k").out_channels == (112, 224, 448, 672, 896)
    assert build(SECOND, arch="mobilevitv2_100").out_channels == (64, 128, 256, 384, 512)


def test_quarters_are_even_and_odd_rows_and_columns():
    x = torch.randn(2, 3, 4, 6)
    quarters = split_quarters(x)
    assert torch.equal(quarters[1], x[0, :, ::2, 1::2])
    assert torch.equal(quarters[6], x[1, :, 1::2, ::2])
    assert torch.equal(join_quarters(quarters), x)


def test_attention_stays_among_every_other_row_and_column():
    block = build(FIRST).layers[2][1]
    x = torch.randn(1, 64, 6, 8)
    changed = x.clone()
    changed[:, :, 1, 2] += torch.randn(64)
    with torch.no_grad():
        parts = [join_quarters(block.attend(split_quarters(y))) for y in (x, changed)]
    differs = (parts[0] != parts[1]).any(dim=1)[0]
    assert differs[1::2, ::2].all()
    assert differs.sum() == 12


def test_the_authors_put_an_activation_after_the_projection():
    ours, authors = build(FIRST), build(FIRST, activate_projection=True)
    authors.load_state_dict(ours.state_dict())
    image = torch.randn(1, 3, 64, 64)
    for block in (stage[1] for stage in ours.layers[2:]):
        block.conv_proj.activation = torch.nn.SiLU()
    with torch.no_grad():
        assert torch.equal(ours(image)[-1], authors(image)[-1])
        assert not torch.equal(build(FIRST)(image)[-1], authors(image)[-1])


@pytest.mark.parametrize(("cfg", "last"), [(FIRST, (1, 2)), (SECOND, (2, 2))])
def test_sizes_that_no_stage_divides(cfg, last):
    with torch.no_grad():
        maps = build(cfg)(torch.randn(1, 3, 31, 35))
    assert [x.shape[2:] for x in maps[:2]] == [(16, 18), (8, 9)]
    assert maps[-1].shape[2:] == last
