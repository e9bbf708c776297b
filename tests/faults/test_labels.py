"""Group D of docs/reliability.md: label maps that hold something else than classes."""

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ssseg.engine.runlog import read_log
from ssseg.engine.trainer import train
from ssseg.modules import BuildDataset, DatasetBuilder
from ssseg.modules.datasets.matlab import read_matrix
from ssseg.modules.datasets.pipelines.evaluation import ConfusionMatrix
from ssseg.modules.datasets.pipelines.metrics import metrics_table
from ssseg.modules.utils.configparser import load_config
from ssseg.modules.utils.errors import LabelError
from ssseg.modules.utils.images import read_label
from ssseg.modules.utils.labelmap import LabelMap
from tests.faults.screen import run_command
from tests.properties.test_losses import IGNORE, OVER_CLASSES, build, draw, value_and_gradient
from tests.recorded import write_mat
from tests.trees import folder_tree, make_labels, write_label

LABEL = ("labels", "train", "train_1.png")


def read(root):
    """Read the sample whose label map is `LABEL`."""
    return BuildDataset("TRAIN", None, {"type": "FolderDataset", "rootdir": str(root)})[1]["seg_target"]


def spoilt(root, value, pixels=((2, 3), (4, 5))):
    labels = make_labels(1).astype(np.int32)
    for pixel in pixels:
        labels[pixel] = value
    write_label(root.joinpath(*LABEL), labels)
    return root


@pytest.mark.parametrize("value", [3, 7, 254, 300, 65535])
def test_L01_a_number_that_is_no_class_is_named_with_count_place_and_option(value, tmp_path):
    root = spoilt(folder_tree(tmp_path), value)
    with pytest.raises(LabelError) as caught:
        read(root)
    text = str(caught.value)
    assert text.startswith(str(root.joinpath(*LABEL)))
    assert f"holds the ids {value} (2 pixels), first at row 2, column 3" in text
    assert "SEGMENTOR_CFG['dataset']['auto_correct_invalid_seg_target'] = True" in text


@pytest.mark.parametrize("value", [-1, -7])
def test_L01_so_is_a_negative_one(value):
    labels = np.zeros((4, 5), np.int32)
    labels[1, 2] = value
    label_map = LabelMap.of_classes(["a", "b"], [(0, 0, 0), (1, 1, 1)])
    with pytest.raises(LabelError, match=rf"x\.png: holds the ids {value} \(1 pixel\), first at row 1, column 2"):
        label_map.apply(labels, where="x.png")


def test_L01_on_the_command_line_it_is_exit_code_3(own, capsys):
    root, config = own
    write_label(root / "labels" / "train" / "002.png", np.full((32, 32), 9))
    code, _, err = run_command(capsys, "train", config)
    assert code == 3
    assert "labels/train/002.png: holds the ids 9 (1,024 pixels)" in err


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_L02_a_palette_gives_indices_never_luminance(kind, tmp_path):
    labels = make_labels(1)
    picture = Image.fromarray(labels)
    picture.putpalette([200, 0, 0, 0, 200, 0, 255, 255, 255])  # luminance would be 60, 117, 255
    picture.save(tmp_path / "label", kind)
    np.testing.assert_array_equal(read_label(tmp_path / "label"), labels)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_L03_16_bit_numbers_are_read_as_they_are_and_then_checked(kind, tmp_path):
    deep = np.arange(300, 321, dtype=np.uint16).reshape(3, 7)
    Image.fromarray(deep).save(tmp_path / "label", kind)
    raw = read_label(tmp_path / "label")
    np.testing.assert_array_equal(raw, deep)
    label_map = LabelMap.of_classes(["a", "b"], [(0, 0, 0), (1, 1, 1)])
    with pytest.raises(LabelError, match=r"holds the ids 300 \(1 pixel\), 301 .* and 15 more"):
        label_map.apply(raw, where="label")
    table = {int(number): int(number) % 2 for number in deep.ravel()}
    known = LabelMap.of_classes(["a", "b"], [(0, 0, 0), (1, 1, 1)], table)
    np.testing.assert_array_equal(known.apply(raw, where="label"), deep % 2)


def test_L04_colours_in_place_of_ids_suggest_a_table_of_colours(tmp_path):
    root = folder_tree(tmp_path)
    colours = np.array([(128, 0, 0), (0, 128, 0), (0, 0, 128)], np.uint8)[make_labels(1)]
    write_label(root.joinpath(*LABEL), colours)
    rows = "".join(f"{number}\tclass {number}\n" for number in range(3))
    (root / "classes.txt").write_text(rows)
    with pytest.raises(LabelError, match=r"holds colours, \(0, 0, 128\), .* `id name r g b` in classes\.txt"):
        read(root)


@pytest.mark.parametrize("name", OVER_CLASSES)
@settings(max_examples=8)
@given(seed=st.integers(0, 2**31), reduction=st.sampled_from(["mean", "sum"]))
def test_L05_a_batch_of_ignored_pixels_has_loss_0_and_gradient_0(name, seed, reduction):
    logits, labels = draw(seed, (2, 3, 4))
    value, gradient = value_and_gradient(build(name, reduction=reduction), logits, torch.full_like(labels, IGNORE))
    assert value == 0
    assert torch.equal(gradient, torch.zeros_like(gradient))


@pytest.mark.parametrize("name", OVER_CLASSES)
def test_L05_so_has_one_image_of_them_while_the_others_count(name):
    logits, labels = draw(5, (2, 3, 4))
    labels[0], labels[1] = IGNORE, labels[1] % 3
    value, gradient = value_and_gradient(build(name), logits, labels)
    assert value > 0
    assert torch.equal(gradient[0], torch.zeros_like(gradient[0]))
    assert gradient[1].abs().sum() > 0


@pytest.mark.parametrize(("number", "warned"), [(1, True), (8, True), (0, False)])
def test_L05_samples_of_an_epoch_without_labels_are_counted_and_many_are_a_warning(number, warned, own, tmp_path):
    root, config = own
    for index in range(number):
        write_label(root / "labels" / "train" / f"{index:03d}.png", np.full((32, 32), 255))
    train(load_config(config, ["scheduler.max_epochs=1", "runtime.seed=3"]), device="cpu")
    lines = [line for line in read_log(tmp_path / "run" / "metrics.jsonl") if line.get("message") == "unlabelled"]
    assert [(line["count"], line["of"]) for line in lines] == ([(number, 8)] if number else [])
    text = (tmp_path / "run" / "tiny.log").read_text()
    assert (f"{number} of 8 training samples of epoch 1 had ignored pixels only; they teach nothing" in text) == warned
    losses = [line["loss_total"] for line in read_log(tmp_path / "run" / "metrics.jsonl") if line["kind"] == "train"]
    assert all(loss == 0 for loss in losses) == (number == 8)


@pytest.mark.parametrize(("kind", "options"), [("JPEG", {}), ("WEBP", {}), ("TIFF", {"compression": "jpeg"})])
def test_L06_a_lossy_format_is_refused(kind, options, own, capsys):
    root, config = own
    stream = io.BytesIO()
    Image.fromarray(np.zeros((32, 32), np.uint8)).save(stream, kind, **options)
    (root / "labels" / "train" / "001.png").write_bytes(stream.getvalue())
    code, _, err = run_command(capsys, "train", config)
    assert code == 3
    assert f"labels/train/001.png: a {kind} file cannot hold labels" in err


def element(kind, content):
    return struct.pack("<2I", kind, len(content)) + content + bytes(-len(content) % 8)


def mat(*variables):
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM" + b"".join(variables)


def matrix(name, class_number, *parts):
    flags = element(6, struct.pack("<2I", class_number, 0)) + element(5, struct.pack("<2i", 2, 2))
    return element(14, flags + element(1, name) + b"".join(parts))


def packed(content, times=1):
    for _ in range(times):
        data = zlib.compress(content, 9)
        content = struct.pack("<2I", 15, len(data)) + data
    return content


NUMBERS = element(2, bytes(range(4)))
CRAFTED = {
    "other key": (mat(matrix(b"T", 9, NUMBERS)), r"holds no matrix of numbers 'S', but T"),
    "object array": (mat(matrix(b"S", 3, NUMBERS)), "holds no matrix of numbers 'S'"),
    "cell array": (mat(matrix(b"S", 1, matrix(b"", 9, NUMBERS))), "holds no matrix of numbers 'S'"),
    "fewer numbers": (mat(matrix(b"S", 9, element(2, b"ab"))), "cut short or damaged"),
    "unknown type": (mat(matrix(b"S", 9, element(99, b"abcd"))), "cut short or damaged"),
    "no numbers": (mat(matrix(b"S", 9)), "cut short or damaged"),
    "size of its own": (mat(struct.pack("<2I", 14, 2**31)), "cut short or damaged"),
    "nested compression": (mat(packed(matrix(b"S", 9, NUMBERS), times=2000)), "compressed variable inside of another"),
    "half a compression": (mat(packed(matrix(b"S", 9, NUMBERS))[:-9]), "cut short or damaged"),
    "pickle": (b"\x80\x04cposix\nsystem\n", "no MATLAB file of level 5"),
}


@pytest.mark.parametrize("name", CRAFTED)
def test_L07_a_crafted_mat_file_is_refused(name, tmp_path):
    data, words = CRAFTED[name]
    (tmp_path / "a.mat").write_bytes(data)
    with pytest.raises(LabelError, match=rf"a\.mat: .*{words}"):
        read_matrix(tmp_path / "a.mat", "S")


def test_L07_a_good_one_is_read(tmp_path):
    good = np.array([[0, 2], [1, 3]])
    (tmp_path / "a.mat").write_bytes(mat(packed(matrix(b"S", 9, NUMBERS))))
    np.testing.assert_array_equal(read_matrix(tmp_path / "a.mat", "S"), good)
    np.testing.assert_array_equal(read_matrix(write_mat(tmp_path / "b.mat", {"S": good.astype("u1")}), "S"), good)


TABLES = {
    name: kind
    for name, kind in DatasetBuilder().items()
    if getattr(kind, "clsid2label", None) and kind.num_classes == len(kind.classnames) > 0
}


@pytest.mark.parametrize("name", TABLES)
def test_L08_built_in_tables_give_what_the_reference_gives(name):
    kind = TABLES[name]
    label_map = LabelMap.of_classes(kind.classnames, kind.palette or [(0, 0, 0)] * kind.num_classes, kind.clsid2label)
    rng = np.random.default_rng(3)
    raw = rng.choice([number for number in label_map.raw_to_label if number >= 0], (64, 64))
    expected = raw.copy()
    for number, label in kind.clsid2label.items():  # pair after pair, in place
        expected[expected == number] = label
    np.testing.assert_array_equal(label_map.apply(raw, where=name), expected)


def test_L08_a_table_that_chains_is_applied_at_once():
    label_map = LabelMap.of_classes("abc", [(0, 0, 0)] * 3, {0: 1, 1: 2, 2: 0})
    np.testing.assert_array_equal(label_map.apply(np.array([[0, 1, 2]], np.uint8), where=""), [[1, 2, 0]])
    np.testing.assert_array_equal(label_map.apply(np.array([[0, 1, 2]], np.int64), where=""), [[1, 2, 0]])


@pytest.mark.parametrize(("value", "count"), [(np.nan, 1), (0.5, 1), (np.inf, 1)])
def test_L09_numbers_that_are_no_integers_are_named(value, count, tmp_path):
    values = np.ones((3, 4), np.float32)
    values[2, 1] = value
    Image.fromarray(values).save(tmp_path / "a.tif")
    label_map = LabelMap.of_classes(["a", "b"], [(0, 0, 0), (1, 1, 1)])
    with pytest.raises(LabelError, match=rf"{count} pixels are none; the first is {value} at row 2, column 1"):
        label_map.apply(read_label(tmp_path / "a.tif"), where="a.tif")


@pytest.mark.parametrize("shape", [(5, 8), (6, 7), (7, 8), (8, 6)])
def test_L10_a_label_map_one_pixel_off_is_named_with_both_sizes(shape, tmp_path):
    root = folder_tree(tmp_path)
    write_label(root.joinpath(*LABEL), np.zeros(shape))
    with pytest.raises(LabelError, match=rf"the label map is {shape[1]} x {shape[0]} pixels .* is 8 x 6\."):
        read(root)


def test_L11_a_class_that_never_occurs_is_nan_left_out_of_the_mean_and_said_so():
    matrix = ConfusionMatrix(3, ignore_index=-100)
    matrix.update(np.array([[0, 0, 1, 1]]), np.array([[0, 0, 1, 0]]))
    metrics = matrix.metrics()
    assert np.isnan(metrics["iou"][2])
    assert metrics["miou"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    table = metrics_table(metrics, ["a", "b", "c"])
    assert "- no pixels to measure; left out of the mean of its column" in table
    assert "neither labelled nor predicted anywhere: c" in table
