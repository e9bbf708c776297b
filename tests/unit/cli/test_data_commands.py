import json

import pytest

from ssseg.cli.main import main
from tests.tiny import write_config, write_data


@pytest.fixture
def root(tmp_path):
    return write_data(tmp_path / "data", train=2, val=1)


def test_a_folder_in_order_is_0(root, capsys):
    assert main(["data", "check", str(root), "--workers", "0"]) == 0
    assert capsys.readouterr().out == "images: 2 in train, 1 in val; 0 errors, 0 warnings, 0 notes\n"


def test_an_error_is_3_and_written_as_json(root, tmp_path, capsys):
    (root / "images/train/000.png").write_bytes(b"")
    report = tmp_path / "report.json"
    assert main(["data", "check", str(root), "--workers", "0", "--json", str(report)]) == 3
    assert "foreign-image" in capsys.readouterr().out
    record = json.loads(report.read_text())
    assert record["counts"]["error"] == 1
    assert record["findings"][0]["file"].endswith("images/train/000.png")
    assert main(["data", "check", str(root), "--split", "val", "--workers", "0"]) == 0


def test_what_cannot_be_opened_is_a_finding_in_json(tmp_path):
    report = tmp_path / "report.json"
    (tmp_path / "empty").mkdir()
    assert main(["data", "check", str(tmp_path / "empty"), "--workers", "0", "--json", str(report)]) == 3
    assert [finding["kind"] for finding in json.loads(report.read_text())["findings"]] == ["unusable-set"]


def test_a_warning_is_0(root):
    (root / "images/train/000.png").write_bytes((root / "images/train/001.png").read_bytes())
    assert main(["data", "check", str(root), "--workers", "0"]) == 0


def test_an_experiment_is_checked_with_overrides(root, tmp_path, capsys):
    path = str(write_config(tmp_path, root))
    assert main(["data", "check", path, "--workers", "0"]) == 0
    assert main(["data", "check", path, "num_classes=7", "--workers", "0"]) == 3
    assert "class-count" in capsys.readouterr().out


def test_what_is_no_data_set_is_explained(tmp_path, capsys):
    assert main(["data", "check", str(tmp_path), "--workers", "0"]) == 3
    assert "Looked for folders called" in " ".join(capsys.readouterr().err.split())
    assert main(["data", "check", "fcn_resnet50os8_vco"]) == 2
    assert "Did you mean" in capsys.readouterr().err


def test_figures_are_printed_and_written(root, tmp_path, capsys):
    path, cache = tmp_path / "figures.json", tmp_path / "cache.json"
    options = ["--workers", "0", "--json", str(path), "--cache", str(cache)]
    assert main(["data", "stats", str(root), *options]) == 0
    out = capsys.readouterr().out
    assert out.startswith("set       train\nimages    2\n")
    assert "sqrt_inverse" in out
    figures = json.loads(path.read_text())
    assert figures["val"]["images"] == 1
    assert [entry["name"] for entry in figures["train"]["classes"]] == ["ground", "bright", "dark"]
    assert cache.is_file()
