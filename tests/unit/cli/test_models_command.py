import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ssseg.cli.main import main
from ssseg.modules.utils.configfiles import configs_folder, experiments


@pytest.fixture
def ssseg(capsys):
    """Run `ssseg models ...`; return the lines that it printed."""

    def run(*arguments):
        assert main(["models", *arguments]) == 0
        return capsys.readouterr().out.splitlines()

    return run


def names(lines):
    return [line.split()[0] for line in lines[1:]]


def test_every_experiment_has_a_line_that_says_what_it_is(ssseg):
    lines = ssseg("list")
    assert lines[0].split() == ["name", "method", "backbone", "dataset", "lr/policy/batch/epochs", "mIoU", "checkpoint"]
    assert names(lines) == list(experiments())
    assert all(len(line.split()) >= 7 for line in lines)


def test_a_line_has_what_was_published(ssseg):
    address = "https://github.com/SegmentationBLWX/modelstore/releases/download/ssseg_fcn/fcn_resnet50os16_voc.pth"
    _, line = ssseg("list", "fcn_resnet50os16_voc", "--filter", "method=fcn")
    assert line.split() == ["fcn_resnet50os16_voc", "FCN", "R-50-D16", "VOC2012", "0.01/poly/16/60", "66.58", address]


def test_an_experiment_of_ours_is_described_by_its_config(ssseg):
    _, line, _ = ssseg("list", "--filter", "dataset=CamVid")
    assert line.split()[:4] == ["fcn_compactunet_camvid", "FCN", "compactunet", "CamVid"]
    assert line.split()[-2:] == ["-", "-"]


def test_words_narrow_the_list(ssseg):
    assert names(ssseg("list", "FCN_", "mobilenet", "pascal")) == ["fcn_mobilenetv2os8_voc"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["method=bisenet*"], []),
        (["method=FCN", "backbone=R-50-D16", "miou>=66", "miou<=70"], ["fcn_resnet50os16_voc"]),
        (["schedule=*/cosine/*"], 3),
        (["checkpoint=*/upernet_beitlarge_ade20k.zip"], ["upernet_beitlarge_ade20k"]),
        (["miou>=0"], 422),
    ],
)
def test_filters_narrow_the_list(ssseg, filters, expected):
    rows = json.loads("\n".join(ssseg("list", "--json", *(f"--filter={text}" for text in filters))))
    found = [row["name"] for row in rows]
    assert (len(found) if isinstance(expected, int) else found) == expected


def test_nothing_fits(ssseg):
    assert ssseg("list", "fcn", "nonesuch", "--filter", "miou>=99") == [
        f"none of the {len(experiments())} experiments fits fcn and nonesuch and miou>=99"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mio=3", "--filter mio=3: there is no field 'mio'. Did you mean 'miou'?"),
        ("miou", "--filter miou: must be FIELD=PATTERN"),
        ("miou>=much", "--filter miou>=much: 'much' is no number"),
        ("backbone>=3", "--filter backbone>=3: backbone is no number"),
    ],
)
def test_a_filter_that_is_none(capsys, text, message):
    assert main(["models", "list", "--filter", text]) == 2
    assert capsys.readouterr().err.startswith(message)


def test_the_table_names_experiments_and_is_in_the_wheel():
    table = json.loads((configs_folder() / "modelzoo.json").read_text())
    assert table["experiments"].keys() <= experiments().keys()
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())
    assert project["tool"]["setuptools"]["package-data"]["ssseg"] == ["configs/*.json"]


def test_listing_loads_no_torch():
    code = (
        "import sys; from ssseg.cli.main import main; main(['models', 'list', 'fcn']); sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_info_prints_size_cost_and_maps(ssseg):
    lines = ssseg("info", "danet_resnet50os8_voc", "num_classes=3", "--size", "64", "96", "--batch", "2")
    facts = {line[:14].strip(): line[16:] for line in lines}
    assert facts["images"] == "2 x 3 x 64 x 96"
    assert (
        facts["parameters"] == facts["trainable"] == "52,177,774"
    )  # 4 classifiers of 512 channels, 18 classes less each
    assert facts["multiply-adds"].endswith(" in convolutions and linear layers")
    assert facts["published mIoU"] == "76.39 %"
    assert lines[-5:] == [
        "index  channels  stride  size",
        "0      256       4       16 x 24",
        "1      512       8       8 x 12",
        "2      1024      8       8 x 12",
        "3      2048      8       8 x 12",
    ]


def test_info_as_json(ssseg):
    facts = json.loads("\n".join(ssseg("info", "danet_resnet50os8_voc", "--json", "--size", "64", "64")))
    assert facts["name"] == "danet_resnet50os8_voc"
    assert facts["input_shape"] == [1, 3, 64, 64]
    assert facts["parameters"] == 52_214_710
    assert facts["total_macs"] > facts["macs"] > 0
    assert facts["maps"][0] == {"channels": 256, "stride": 4, "height": 16, "width": 16}
    assert facts["published"]["metrics"] == {"mIoU": 76.39}


def test_a_file_with_the_name_of_an_experiment_is_not_that_one(ssseg, tmp_path):
    path = tmp_path / "fcn_resnet50os16_voc.py"
    path.write_text(experiments()["fcn_resnet50os16_voc"].read_text())
    assert json.loads("\n".join(ssseg("info", str(path), "--json", "--size", "64", "64")))["published"] is None


def test_info_on_a_size_that_is_none(capsys):
    assert main(["models", "info", "fcn_resnet50os16_voc", "--size", "0", "64"]) == 2
    assert "input_shape=(1, 3, 0, 64)" in capsys.readouterr().err
