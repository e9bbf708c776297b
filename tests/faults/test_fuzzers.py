"""Mutants of images, label maps and configs: a result, or an error of ours. Failures are kept in `corpus/`."""

import copy
import random
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from ssseg.configs._base_.config import Config
from ssseg.engine.configcheck import check_config
from ssseg.engine.trainer import train
from ssseg.modules.datasets.matlab import read_matrix
from ssseg.modules.utils.configparser import load_config, plain, resolved_source
from ssseg.modules.utils.errors import ConfigError, DataError, SSSegError
from ssseg.modules.utils.images import read_image, read_label
from ssseg.modules.utils.labelmap import LabelMap
from tests.faults.fuzzing import amounts, keep, mutants
from tests.pictures import encoded
from tests.recorded import write_mat
from tests.tiny import CONFIG, write_config

RNG = np.random.default_rng(5)
SMOOTH = np.add.outer(np.arange(24), np.arange(32)).astype(np.uint8)[..., None] * np.array([2, 3, 4], np.uint8)
LABELS = RNG.integers(0, 4, (24, 32), dtype=np.uint8)


def with_palette(labels):
    picture = Image.fromarray(labels)
    picture.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0, 0, 0, 128])
    return picture


IMAGES = [
    encoded(SMOOTH, "JPEG"),
    encoded(SMOOTH, "JPEG", progressive=True),
    encoded(SMOOTH, "PNG"),
    encoded(SMOOTH, "BMP"),
    encoded(SMOOTH, "TIFF", compression="tiff_lzw"),
    encoded(SMOOTH, "WEBP"),
    encoded(SMOOTH, "GIF"),
    encoded(SMOOTH, "PPM"),
    encoded(Image.fromarray(SMOOTH).convert("CMYK"), "JPEG"),
]
MAPS = [
    encoded(LABELS, "PNG"),
    encoded(with_palette(LABELS), "PNG"),
    encoded(LABELS.astype(np.uint16) * 100, "PNG"),
    encoded(LABELS > 1, "PNG"),
    encoded(LABELS, "TIFF"),
    encoded(LABELS, "TIFF", compression="tiff_deflate"),
    encoded(with_palette(LABELS), "GIF"),
    encoded(LABELS, "BMP"),
    encoded(LABELS, "PPM"),
]


def survives(read, path, name, data):
    """Whether `read` gave something or an error of ours; a foreign exception fails the test and keeps the mutant."""
    path.write_bytes(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, of odd metadata
            read(path)
    except DataError as error:
        assert path.name in str(error), keep(name, data)  # noqa: PT017
    except Exception as error:
        raise AssertionError(f"{name}: {error!r}; {keep(name, data)}") from error


@amounts
def test_I03_mutants_of_images_give_pixels_or_an_error_with_their_name(amount, tmp_path):
    def read(path):
        image = read_image(path)
        assert image.dtype == np.uint8
        assert image.ndim == 3
        assert image.shape[2] == 3

    for name, data in mutants("image", IMAGES, amount):
        survives(read, tmp_path / "mutant.img", name, data)


@amounts
def test_L01_mutants_of_label_maps_give_classes_or_an_error_with_their_name(amount, tmp_path):
    colours = [(0, 0, 0), (128, 0, 0), (0, 128, 0), (0, 0, 128)]
    label_map = LabelMap.of_classes("abcd", colours, {100: 1, 200: 2, 300: 3}, -100)

    def read(path):
        labels = label_map.apply(read_label(path), where=path.name)
        assert labels.dtype == np.int16
        assert set(np.unique(labels)) <= {0, 1, 2, 3, -100}

    for name, data in mutants("label", MAPS, amount):
        survives(read, tmp_path / "mutant.png", name, data)


@amounts
def test_L07_mutants_of_mat_files_give_a_matrix_or_an_error_with_their_name(amount, tmp_path):
    plain_file = write_mat(tmp_path / "a.mat", {"other": LABELS[:2], "S": LABELS}).read_bytes()
    content = zlib.compress(plain_file[128:])
    packed = plain_file[:128] + b"\x0f\0\0\0" + len(content).to_bytes(4, "little") + content
    for name, data in mutants("mat", [plain_file, packed], amount // 10):
        survives(lambda path: read_matrix(path, "S"), tmp_path / "mutant.mat", name, data)


VALUES = [None, True, 0, -1, 3, 1e30, float("nan"), "", "x", "ReLU", [], [0], (1, 2), {}, {"type": "x"}, [{"type": 3}], object]  # fmt: skip # noqa: E501


def places(node):
    """Yield (container, key) of every entry of a config."""
    if isinstance(node, dict | list):
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            yield node, key
            yield from places(node[key])


def mutated(cfg, rng):
    """Change one to three entries of a config: another value, another name, none, or that of another place."""
    for _ in range(rng.randint(1, 3)):
        everywhere = list(places(cfg))
        node, key = rng.choice(everywhere)
        other, name = rng.choice(everywhere)
        match rng.randrange(4):
            case 0:
                node[key] = copy.deepcopy(rng.choice(VALUES))
            case 1 if not isinstance(node, Config):
                del node[key]
            case 2 if isinstance(key, str):
                node[key[:-1] or "x"] = node[key]
            case _:
                node[key] = copy.deepcopy(other[name])
    return cfg


@amounts
def test_C16_mutants_of_configs_have_problems_or_none_but_no_exception(amount):
    originals = [load_config(name) for name in ("fcn_resnet50os16_voc", "pspnet_resnet50os8_ade20k", "demo_scenes")]
    broken = 0
    for number in range(amount):
        cfg = mutated(originals[number % len(originals)].copy(), random.Random(number))
        try:
            broken += bool(check_config(cfg))
        except Exception as error:
            raise AssertionError(f"seed {number}: {error!r}") from error
    assert amount / 2 < broken < amount


@pytest.mark.filterwarnings("ignore")  # torch's, of odd sizes
@pytest.mark.parametrize("amount", [20, pytest.param(1500, marks=pytest.mark.faults)])
def test_C16_mutants_that_pass_the_check_train_or_end_in_an_error_of_ours(amount, root, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    original = load_config(write_config(tmp_path, root), ["scheduler.max_epochs=1"])
    trained = refused = 0
    for number in range(amount):
        cfg = mutated(original.copy(), random.Random(number))
        if any(problem.severity == "error" for problem in check_config(cfg)):
            continue
        try:
            train(cfg, device="cpu")
            trained += 1
        except SSSegError:
            refused += 1
        except Exception as error:
            raise AssertionError(f"seed {number}: {error!r}") from error
    assert trained > refused


@amounts
def test_C09_mutants_of_config_files_load_or_are_an_error_with_their_name(amount, tmp_path):
    path = tmp_path / "mine" / "mutant.py"
    path.parent.mkdir()
    original = resolved_source(load_config("fcn_resnet50os16_voc")).encode()
    for name, data in mutants("config", [original, b"SEGMENTOR_CFG = {'type': 'FCN'}\n"], amount // 3):
        path.write_bytes(data)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Python's, of odd source
                plain(load_config(path))
        except ConfigError as error:
            assert str(path) in str(error) or "SEGMENTOR_CFG" in str(error), keep(name, data)  # noqa: PT017
        except Exception as error:
            raise AssertionError(f"{name}: {error!r}; {keep(name, data)}") from error


@pytest.mark.parametrize("seed", range(3))
def test_C09_mutants_are_the_same_each_time(seed):
    originals = [CONFIG.encode()]
    assert list(mutants("none", originals, 20, seed)) == list(mutants("none", originals, 20, seed))
