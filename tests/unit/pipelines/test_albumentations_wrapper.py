import sys

import numpy as np
import pytest

from ssseg.modules.datasets.pipelines.albumentations_wrapper import AlbumentationsWrapper
from ssseg.modules.utils.errors import ConfigError, ResourceError, UnknownNameError


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "albumentations", None)
    with pytest.raises(ResourceError, match=r"pip install ssseg\[albumentations\]"):
        AlbumentationsWrapper({"type": "HorizontalFlip"})


@pytest.fixture(scope="module", autouse=True)
def _albumentations(request):
    if "without_the_package" not in request.node.name:
        pytest.importorskip("albumentations")


def test_image_and_label_move_together(sample):
    before = sample()
    after = AlbumentationsWrapper({"type": "RandomCrop", "height": 5, "width": 6})(dict(before))
    assert after["seg_target"].dtype == np.int16
    windows = [
        (row, column)
        for row in range(8)
        for column in range(11)
        if np.array_equal(before["image"][row : row + 5, column : column + 6], after["image"])
    ]
    assert len(windows) == 1
    row, column = windows[0]
    np.testing.assert_array_equal(after["seg_target"], before["seg_target"][row : row + 5, column : column + 6])


@pytest.mark.parametrize(
    "cfg",
    [
        {"type": "RandomBrightnessContrast", "p": 1},
        {"type": "RandomCrop", "height": 5, "width": 6},
        {"type": "OneOf", "p": 1, "transforms": [{"type": "GaussNoise", "p": 1}, {"type": "ISONoise", "p": 1}]},
        {"type": "Compose", "transforms": [{"type": "GaussNoise", "p": 1}]},
    ],
    ids=lambda cfg: cfg["type"],
)
def test_sample_depends_on_the_seed_of_numpy_alone(sample, cfg):
    before, first, second = sample(), AlbumentationsWrapper(cfg), AlbumentationsWrapper(cfg)
    first(dict(before))  # whatever was drawn before
    results = []
    for seed, wrapper in ((1, first), (1, second), (1, first), (2, first)):
        np.random.seed(seed)
        results.append(wrapper(dict(before))["image"])
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])
    assert not np.array_equal(results[0], results[3])


def test_cfg_and_keys_that_are_not_listed_stay_as_they_are(sample):
    cfg, before = {"type": "VerticalFlip", "p": 1}, sample()
    after = AlbumentationsWrapper(cfg, transform_keys=["image"])(dict(before))
    assert cfg == {"type": "VerticalFlip", "p": 1}
    np.testing.assert_array_equal(after["image"], before["image"][::-1])
    assert after["seg_target"] is before["seg_target"]
    assert AlbumentationsWrapper(cfg)({"id": "a"}) == {"id": "a"}


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match=r"albu_cfg\['type'\]: .*'HorizontlFlip'. Did you mean 'HorizontalFlip'"):
        AlbumentationsWrapper({"type": "HorizontlFlip"})
    with pytest.raises(UnknownNameError, match=r"albu_cfg\['transforms'\]\[1\]\['type'\]"):
        AlbumentationsWrapper({"type": "OneOf", "transforms": [{"type": "GaussNoise"}, {"type": "Nothing"}]})
    with pytest.raises(UnknownNameError, match="no transform 'cv2'"):
        AlbumentationsWrapper({"type": "cv2"})


@pytest.mark.parametrize(
    ("cfg", "message"),
    [
        ({"albu_cfg": {"p": 1}}, "albu_cfg=.* must be a dictionary whose 'type'"),
        ({"albu_cfg": "HorizontalFlip"}, "albu_cfg='HorizontalFlip' must be a dictionary"),
        ({"albu_cfg": {"type": "HorizontalFlip", "q": 1}}, r"albu_cfg\['q'\]: HorizontalFlip has no such field"),
        ({"albu_cfg": {"type": "RandomCrop", "width": 8}}, "needs 'height', which is missing"),
        ({"albu_cfg": {"type": "RandomCrop", "width": -8, "height": 8}}, "RandomCrop refuses its arguments"),
        ({"albu_cfg": {"type": "HorizontalFlip"}, "transform_keys": ["mask"]}, r"transform_keys=\['mask'\] must be"),
        ({"albu_cfg": {"type": "HorizontalFlip"}, "transform_keys": "image"}, "transform_keys='image' must be"),
    ],
)
def test_refuses(cfg, message):
    with pytest.raises(ConfigError, match=message):
        AlbumentationsWrapper(**cfg)


def test_image_that_is_refused_is_described(sample):
    crop = AlbumentationsWrapper({"type": "RandomCrop", "height": 20, "width": 20})
    with pytest.raises(ConfigError, match=r"RandomCrop refuses image uint8 \(12, 16, 3\), seg_target int16 \(12, 16\)"):
        crop(sample())
