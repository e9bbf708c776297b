import hashlib
import json

import numpy as np
import pytest

from ssseg.modules.datasets.folder import FolderDataset
from ssseg.modules.utils.errors import DataError, ResourceError
from ssseg.modules.utils.images import read_image, read_label
from ssseg.synthetic import CLASSES, VOID, draw_scene, write_dataset
from ssseg.synthetic.noise import Dice, fractal_noise, sample, sample_smoothly, texture
from ssseg.synthetic.shapes import box, disc, polygon, union

SMALL = {"num_train": 3, "num_val": 2, "num_test": 1, "size": (48, 64)}


def digest(*arrays):
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()[:16]


@pytest.mark.parametrize(
    ("key", "size", "expected"),
    [((0, 0, 0), (144, 192), "55d16d65944423f2"), ((7, 1, 5), (96, 128), "a2184a506f2fe889")],
)
def test_scenes_are_equal_on_every_machine(key, size, expected):
    """Recorded with NumPy 2.4 and 1.26, with and without its vector instructions; a change needs a new `VERSION`."""
    assert digest(*draw_scene(key, size)) == expected


def test_a_scene_is_a_function_of_its_key():
    image, labels = draw_scene((3, 0, 1), (48, 64))
    again = draw_scene((3, 0, 1), (48, 64))
    assert digest(image, labels) == digest(*again)
    assert len({digest(*draw_scene(key, (48, 64))) for key in [(3, 0, 1), (4, 0, 1), (3, 1, 1), (3, 0, 2)]}) == 4
    assert image.shape == (48, 64, 3)
    assert image.dtype == labels.dtype == np.uint8
    assert set(np.unique(labels)) <= {*range(len(CLASSES)), VOID}


def test_dice_stay_in_their_range():
    dice = Dice(1)
    numbers = [dice.uniform(-2, 3) for _ in range(200)]
    assert -2 <= min(numbers) < -1.5
    assert 2.5 < max(numbers) < 3
    assert {dice.integer(2, 4) for _ in range(100)} == {2, 3, 4}
    assert {dice.choice("ab") for _ in range(50)} == {"a", "b"}


def test_noise_continues_at_the_opposite_border():
    noise = fractal_noise(Dice(5), (64, 64), (4, 4), 1)
    inside = np.abs(np.diff(noise, axis=1)).max()
    assert np.abs(noise[:, 0] - noise[:, -1]).max() <= inside
    assert abs(noise.mean()) < 0.2
    assert noise.dtype == np.float32


def test_textures_repeat_and_are_interpolated():
    x, y = np.float32([[10, 266]]), np.float32([[20, 532]])
    assert sample("rough", x, y).tolist() == [[texture("rough")[20, 10]] * 2]
    between = sample_smoothly("rough", np.float32([[10.5]]), np.float32([[20]]))
    assert between.item() == pytest.approx((texture("rough")[20, 10] + texture("rough")[20, 11]) / 2, abs=1e-6)


def test_shapes_are_negative_inside():
    x, y = np.float32([[0, 3, 0]]), np.float32([[0, 0, -2]])
    assert disc((0, 0), 1)(x, y).tolist() == [[-1, 2, 1]]
    assert box(-1, -1, 1, 1)(x, y).tolist() == [[-1, 2, 1]]
    square = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    for corners in (square, square[::-1]):
        np.testing.assert_allclose(polygon(*corners)(x, y), [[-1, 2, 1]])
    assert union([disc((0, 0), 1), disc((3, 0), 1)])(x, y).tolist() == [[-1, -1, 1]]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data") / "small", **SMALL)


def test_written_files_hold_the_scenes(small):
    assert sorted(path.relative_to(small).as_posix() for path in small.rglob("*.png")) == sorted(
        f"{kind}/{split}/scene_{k:04d}.png"
        for kind in ("images", "labels")
        for split, count in (("train", 3), ("val", 2), ("test", 1))
        for k in range(count)
    )
    image, labels = draw_scene((0, 1, 1), (48, 64))
    np.testing.assert_array_equal(read_image(small / "images/val/scene_0001.png")[..., ::-1], image)
    np.testing.assert_array_equal(read_label(small / "labels/val/scene_0001.png"), labels)


def test_the_plain_folder_data_set_reads_it(small):
    dataset = FolderDataset(
        "TRAIN", None, {"type": "FolderDataset", "rootdir": str(small), "set": "train", "data_pipelines": []}
    )
    assert dataset.classnames == list(CLASSES)
    assert [tuple(colour) for colour in dataset.palette] == list(CLASSES.values())
    assert len(dataset) == 3
    targets = np.concatenate([np.asarray(dataset[k]["seg_target"]).ravel() for k in range(3)])
    assert set(np.unique(targets)) <= {*range(len(CLASSES)), dataset.ignore_index}
    assert (targets == dataset.ignore_index).any()


def test_what_is_there_is_not_written_again(small):
    before = {path: path.stat().st_mtime_ns for path in small.rglob("*")}
    calls = []
    write_dataset(small, **SMALL, progress=lambda *numbers: calls.append(numbers))
    assert not calls
    assert {path: path.stat().st_mtime_ns for path in small.rglob("*")} == before


def test_other_arguments_replace_it(tmp_path):
    write_dataset(tmp_path, **SMALL)
    calls = []
    write_dataset(tmp_path, **SMALL | {"num_train": 1, "seed": 1}, progress=lambda *numbers: calls.append(numbers))
    assert calls == [(k, 4) for k in range(1, 5)]
    assert len(list((tmp_path / "images/train").iterdir())) == 1
    np.testing.assert_array_equal(
        read_label(tmp_path / "labels/train/scene_0000.png"), draw_scene((1, 0, 0), (48, 64))[1]
    )


def test_what_was_interrupted_is_written_anew(tmp_path):
    class Stopped(Exception):
        pass

    def stop(done, total):
        if done == 2:
            raise Stopped

    with pytest.raises(Stopped):
        write_dataset(tmp_path, **SMALL, progress=stop)
    assert len(list(tmp_path.rglob("images/*/*.png"))) == 2
    write_dataset(tmp_path, **SMALL)
    assert len(list(tmp_path.rglob("images/*/*.png"))) == 6


def test_other_folders_are_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(DataError, match=r"not empty.*nothing is overwritten"):
        write_dataset(tmp_path, **SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_damaged_manifest_is_named(tmp_path):
    (tmp_path / "synthetic.json").write_text("{")
    with pytest.raises(DataError, match=r"synthetic\.json.*is damaged; remove"):
        write_dataset(tmp_path, **SMALL)


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(ResourceError, match=r"data"):
        write_dataset(tmp_path / "data", **SMALL)


def test_a_full_disk_is_an_error_of_ours(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ssseg.synthetic.dataset.draw_scene", full)
    with pytest.raises(ResourceError, match="No space left"):
        write_dataset(tmp_path, **SMALL)


@pytest.mark.parametrize(("name", "value"), [("num_train", -1), ("size", (16, 64)), ("seed", -3)])
def test_numbers_out_of_range_are_named(tmp_path, name, value):
    with pytest.raises(DataError, match=rf"{name}=.*at least"):
        write_dataset(tmp_path / "data", **SMALL | {name: value})
    assert not (tmp_path / "data").exists()


def test_numbers_do_not_change_scenes(small, tmp_path):
    write_dataset(tmp_path, **SMALL | {"num_train": 1})
    np.testing.assert_array_equal(
        read_image(tmp_path / "images/val/scene_0000.png"), read_image(small / "images/val/scene_0000.png")
    )
    assert json.loads((tmp_path / "synthetic.json").read_text())["complete"]


@pytest.fixture(scope="module")
def scenes():
    """The training and validation split of the data set as `write_dataset` writes it: pixels (n, 3) and labels (n,)."""
    splits = []
    for number, count in enumerate((400, 60)):
        images, labels = zip(*(draw_scene((0, number, k), (144, 192)) for k in range(count)), strict=True)
        pixels, targets = np.concatenate(images).reshape(-1, 3), np.concatenate(labels).ravel()
        splits.append((pixels[targets != VOID], targets[targets != VOID].astype(np.int32), labels))
    return splits


@pytest.mark.slow
def test_colour_alone_does_not_solve_it(scenes):
    """The best Bayes classifier on colour histograms, chosen by its mIoU on the validation split itself."""
    (pixels, targets, _), (val_pixels, val_targets, _) = scenes
    classes, results = len(CLASSES), []
    for bits in (4, 5):
        bins = 1 << 3 * bits

        def bin_of(colours, bits=bits):
            red, green, blue = (colours[:, k].astype(np.int32) >> (8 - bits) for k in range(3))
            return red << 2 * bits | green << bits | blue

        counts = np.bincount(targets * bins + bin_of(pixels), minlength=classes * bins).reshape(classes, bins)
        for favour_rare in (0, 0.25, 0.5, 0.75):
            votes = (counts / counts.sum(1, keepdims=True) ** favour_rare).argmax(0)
            pairs = np.bincount(val_targets * classes + votes[bin_of(val_pixels)], minlength=classes**2)
            pairs = pairs.reshape(classes, classes)
            hits = np.diag(pairs)
            results.append((hits / (pairs.sum(0) + pairs.sum(1) - hits)).mean())
    assert 0.2 < max(results) < 0.45


@pytest.mark.slow
def test_every_class_is_seen_often_and_borders_are_thin(scenes):
    for _, _, labels in scenes:
        seen = np.mean([[(scene == k).any() for k in range(len(CLASSES))] for scene in labels], axis=0)
        assert seen.min() > 0.5
        assert 0.01 < np.mean([(scene == VOID).mean() for scene in labels]) < 0.08
