import pytest
import safetensors.torch
import torch

from ssseg.cli.main import main
from ssseg.engine.weightfiles import average, check, convert, read_header, weights_of
from ssseg.modules import saveckpts
from ssseg.modules.utils.errors import CheckpointError

HEADER = {"format": 1, "config": {"type": "FCN", "head": {"sizes": (1, 2)}}, "label_map": {"classnames": ["a", "b"]}}


def written(path, shift=0.0, **extra):
    model = {
        "layer.weight": torch.arange(4.0) + shift,
        "layer.count": torch.tensor(3 + int(shift)),
        "half": torch.ones(2).half(),
    }
    entries = {
        "model": model,
        "model_ema": {name: value * 2 for name, value in model.items()},
        "ssseg": HEADER,
        **extra,
    }
    saveckpts(entries, path, make_soft_link=False)
    return path


def test_weights_and_header(tmp_path):
    path = written(tmp_path / "a.pth")
    assert read_header(path)["config"]["type"] == "FCN"
    assert weights_of(path)["layer.weight"].tolist() == [0, 1, 2, 3]
    assert weights_of(path, ema=True)["layer.weight"].tolist() == [0, 2, 4, 6]


def test_files_of_others_have_no_header(tmp_path):
    torch.save({"layer.weight": torch.ones(2)}, tmp_path / "b.pth")
    assert read_header(tmp_path / "b.pth") == {}
    assert weights_of(tmp_path / "b.pth").keys() == {"layer.weight"}
    with pytest.raises(CheckpointError, match="has no 'model_ema' weights"):
        weights_of(tmp_path / "b.pth", ema=True)


@pytest.mark.parametrize(
    ("header", "words"), [("null", ""), ("5", "ssseg is a int"), ("[" * 100_000, "cannot be read")]
)
def test_headers_of_other_kinds(tmp_path, header, words):
    safetensors.torch.save_file({"a": torch.zeros(2)}, tmp_path / "h.safetensors", {"ssseg": header})
    if not words:
        assert read_header(tmp_path / "h.safetensors") == {}
        return
    with pytest.raises(CheckpointError, match=words):
        read_header(tmp_path / "h.safetensors")


@pytest.mark.parametrize("name", ["c.safetensors", "c.pth"])
@pytest.mark.parametrize("ema", [False, True])
def test_conversion_keeps_weights_and_header(tmp_path, name, ema):
    source, target = written(tmp_path / "a.pth"), tmp_path / name
    convert(source, target, ema=ema)
    before, after = weights_of(source, ema=ema), weights_of(target)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[key], after[key]) and before[key].dtype == after[key].dtype for key in before)
    assert read_header(target)["label_map"] == HEADER["label_map"]
    assert check(target) == []


def test_a_dtype_in_the_config_becomes_its_name(tmp_path):
    header = {"config": {"fp16_cfg": {"autocast": {"dtype": torch.float16}}}}
    convert(written(tmp_path / "a.pth", ssseg=header), tmp_path / "c.safetensors")
    assert read_header(tmp_path / "c.safetensors")["config"]["fp16_cfg"]["autocast"]["dtype"] == "torch.float16"


def test_conversion_takes_two_formats(tmp_path):
    with pytest.raises(CheckpointError, match=r"c.bin: must end in .safetensors or .pth"):
        convert(written(tmp_path / "a.pth"), tmp_path / "c.bin")


def test_average(tmp_path):
    paths = [written(tmp_path / f"{i}.pth", shift=float(i)) for i in range(3)]
    average(paths, tmp_path / "mean.pth")
    mean = weights_of(tmp_path / "mean.pth")
    assert mean["layer.weight"].tolist() == [1, 2, 3, 4]
    assert mean["layer.count"] == 5
    assert mean["half"].dtype == torch.float16


def test_average_needs_alike_weights(tmp_path):
    torch.save({"model": {"other": torch.ones(1)}}, tmp_path / "b.pth")
    with pytest.raises(CheckpointError, match=r"b.pth: its weights have other names or shapes than those of .*a.pth"):
        average([written(tmp_path / "a.pth"), tmp_path / "b.pth"], tmp_path / "mean.pth")


def test_damage_and_values_that_are_not_finite_are_found(tmp_path):
    path = written(tmp_path / "a.pth")
    torch.save({"model": {"bad": torch.tensor([1.0, float("nan")])}}, tmp_path / "nan.pth")
    assert check(tmp_path / "nan.pth") == ["bad"]
    (tmp_path / "cut.pth").write_bytes(path.read_bytes()[:-40])
    with pytest.raises(CheckpointError, match=r"cut.pth"):
        check(tmp_path / "cut.pth")
    (tmp_path / "cut.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{")
    with pytest.raises(CheckpointError, match=r"cut.safetensors"):
        read_header(tmp_path / "cut.safetensors")


def test_commands(tmp_path, capsys):
    path = str(written(tmp_path / "a.pth"))
    assert main(["ckpt", "info", path]) == 0
    assert "segmentor  FCN" in capsys.readouterr().out
    assert main(["ckpt", "check", path]) == 0
    assert main(["ckpt", "convert", path, str(tmp_path / "a.safetensors")]) == 0
    assert main(["ckpt", "average", path, path, "--out", str(tmp_path / "mean.pth")]) == 0
    torch.save({"model": {"bad": torch.tensor(float("inf"))}}, tmp_path / "inf.pth")
    assert main(["ckpt", "check", str(tmp_path / "inf.pth")]) == 4
