import json

import pytest

from ssseg.cli.main import main
from tests.tiny import write_config, write_data


@pytest.fixture
def config(tmp_path):
    write_data(tmp_path / "data", train=4, val=2)
    return str(write_config(tmp_path, tmp_path / "data"))


def test_without_a_config_the_demo_is_measured(capsys):
    assert main(["bench", "eval", "--rounds", "1", "--device", "cpu", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["subject"].startswith("scores of 9 classes")
    assert [row["name"] for row in report["ways"]] == ["plain", "as in evaluation"]


def test_tables_name_the_stages_and_what_would_help(config, capsys):
    assert main(["bench", "infer", config, "--rounds", "1", "--device", "cpu"]) == 0
    text = capsys.readouterr().out
    for words in ("a picture of 32 x 32 on cpu", "times faster", "label map", "most of it: ", "what would help: "):
        assert words in text


def test_overrides_without_a_config_are_those_of_the_demo(capsys):
    assert main(["bench", "data", "num_classes=3", "--rounds", "1", "--device", "cpu"]) == 2
    assert "has 9 classes" in capsys.readouterr().err


def test_a_plan_is_printed(config, capsys):
    assert main(["plan", config, "--memory", "0.0001", "--device", "cpu"]) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if not line.startswith("larg"))
    assert lines["training"].endswith("for a batch of 4")
    assert lines["memory"].startswith("0.1 MB")
    assert main(["plan", config, "--memory", "0.0001", "--device", "cpu", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["largest_batch"] is None


def test_memory_must_be_a_number_above_0(config, capsys):
    assert main(["plan", config, "--memory", "-1"]) == 2
    assert "--memory -1: must be" in capsys.readouterr().err
