"""Published weights: found, verified, opened."""

import hashlib

import pytest
import torch

from ssseg.modules.utils import CheckpointError, ConfigError, loadpretrainedweights
from ssseg.modules.utils import pretrained as module

WEIGHTS = {"conv1.weight": torch.arange(4.0)}


@pytest.fixture
def fetched(monkeypatch, tmp_path):
    """A download that writes what it is told; the URLs that were asked for."""
    urls = []

    def download(url, folder):
        urls.append((url, folder))
        path = tmp_path / url.rsplit("/", 1)[1]
        if not path.exists():
            torch.save(WEIGHTS, path)
        return path

    monkeypatch.setattr(module, "download", download)
    return urls


def equal(state):
    return state.keys() == WEIGHTS.keys() and all(torch.equal(state[key], WEIGHTS[key]) for key in WEIGHTS)


def test_fetches_what_the_table_names(fetched, tmp_path):
    urls = {"net": "https://example.org/net.pth"}
    assert equal(loadpretrainedweights("net", default_model_urls=urls, cache_dir=tmp_path))
    assert fetched == [("https://example.org/net.pth", tmp_path)]


def test_a_given_file_needs_no_table(fetched, tmp_path):
    torch.save(WEIGHTS, tmp_path / "mine.pth")
    assert equal(loadpretrainedweights("mine", tmp_path / "mine.pth"))
    assert fetched == []


@pytest.mark.parametrize(
    ("contents", "keys"),
    [
        ({"state_dict": WEIGHTS, "meta": {"epoch": 1}}, {}),
        ({"model": WEIGHTS, "optimizer": {}}, {}),
        ({"model": {}, "state_dict": WEIGHTS}, {}),
        ({"ema": WEIGHTS, "model": {}}, {"possible_model_keys": ["ema"]}),
    ],
)
def test_weights_inside_a_checkpoint(tmp_path, contents, keys):
    torch.save(contents, tmp_path / "x.pth")
    assert equal(loadpretrainedweights("x", tmp_path / "x.pth", **keys))


def test_an_old_file_is_read_where_its_published_name_vouches_for_it(tmp_path):
    torch.save(WEIGHTS, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    digest = hashlib.sha256((tmp_path / "old.pth").read_bytes()).hexdigest()[:8]
    path = (tmp_path / "old.pth").rename(tmp_path / f"net-{digest}.pth")
    assert equal(loadpretrainedweights("net", path, {"net": f"https://example.org/net-{digest}.pth"}))
    with pytest.raises(CheckpointError, match=r"net-.*\.pth"):
        loadpretrainedweights("net", path)


def test_a_date_in_a_name_of_ones_own_is_no_digest(tmp_path):
    torch.save(WEIGHTS, tmp_path / "mine-20240131.pth")
    assert equal(loadpretrainedweights("net", tmp_path / "mine-20240131.pth"))


def test_an_unknown_structure_names_the_nearest(fetched):
    urls = {"resnet50": "https://example.org/a.pth", "resnet101": "https://example.org/b.pth"}
    with pytest.raises(ConfigError, match=r"structure_type.*'resnet5'.*Did you mean 'resnet50'.*resnet50, resnet101"):
        loadpretrainedweights("resnet5", default_model_urls=urls)
    with pytest.raises(ConfigError, match="None are published"):
        loadpretrainedweights("resnet5")


def test_a_missing_file_names_the_nearest(tmp_path):
    torch.save(WEIGHTS, tmp_path / "resnet50.pth")
    with pytest.raises(CheckpointError, match=r"resnet5\.pth: there is no such file.*Did you mean 'resnet50\.pth'"):
        loadpretrainedweights("x", tmp_path / "resnet5.pth")
    with pytest.raises(CheckpointError, match="no such file"):
        loadpretrainedweights("x", tmp_path / "nowhere" / "x.pth")
