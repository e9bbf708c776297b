import numpy as np
import pytest

from ssseg.modules.datasets.builder import BuildDataset
from ssseg.modules.datasets.pipelines.rareclass import RareClassFocus
from ssseg.modules.datasets.pipelines.transforms import RandomCrop
from ssseg.modules.utils.errors import ConfigError
from tests.trees import folder_tree

LABELS = np.zeros((90, 120), np.int16)
LABELS[70:80, 100:110] = 1  # 100 of 10800 pixels
LABELS[:10] = -100


def crops(focus, number=400):
    crop = RandomCrop((20, 20), one_category_max_ratio=0.0)  # no window is mixed enough: the tenth is taken
    crop.focus = focus
    return [crop({"seg_target": LABELS, "image": LABELS[..., None]}) for _ in range(number)]


def test_the_centre_is_drawn_from_the_pixels_of_a_class_with_the_root_of_its_share():
    shares = (0.9, 0.1)
    expected = 0.1**-0.5 / (0.9**-0.5 + 0.1**-0.5)
    drawn = [LABELS[RareClassFocus(1.0, shares).draw(LABELS, -100)] for _ in range(1000)]
    assert set(drawn) == {0, 1}
    assert np.mean(drawn) == pytest.approx(expected, abs=0.04)


def test_without_shares_those_of_the_picture_count():
    share = 100 / (80 * 120)
    expected = share**-0.5 / (share**-0.5 + (1 - share) ** -0.5)
    drawn = [LABELS[RareClassFocus(1.0).draw(LABELS, -100)] for _ in range(1000)]
    assert np.mean(drawn) == pytest.approx(expected, abs=0.03)


def test_all_pixels_of_a_class_are_drawn_alike():
    labels = np.full((4, 5), -100, np.int16)
    labels[1, 2:4] = labels[3, 0] = 2
    drawn = [RareClassFocus(1.0).draw(labels, -100) for _ in range(600)]
    places, counts = np.unique(drawn, axis=0, return_counts=True)
    assert places.tolist() == [[1, 2], [1, 3], [3, 0]]
    assert counts.min() > 150


def test_rare_classes_are_seen_more_often():
    seen = {prob: np.mean([(s["seg_target"] == 1).any() for s in crops(RareClassFocus(prob))]) for prob in (0.0, 1.0)}
    assert seen[1.0] > 0.8 > 0.2 > seen[0.0]


def test_windows_stay_inside_and_keep_their_size():
    assert {sample["seg_target"].shape for sample in crops(RareClassFocus(1.0))} == {(20, 20)}


def test_ignored_labels_draw_nothing():
    assert RareClassFocus(1.0).draw(np.full((3, 3), -100, np.int16), -100) is None
    assert RareClassFocus(1.0).draw(np.full((3, 3), 5, np.int16), 5) is None


def test_a_crop_without_the_option_draws_as_before():
    states = []
    for focus in (None, RareClassFocus(0.0)):
        np.random.seed(3)
        states.append([sample["seg_target"].tobytes() for sample in crops(focus, 3)])
    assert states[0] != states[1]  # a focus draws one number more
    np.random.seed(3)
    for _ in range(RandomCrop.TRIES):
        top, left = np.random.randint(71), np.random.randint(101)
    np.random.seed(3)
    assert np.array_equal(crops(None, 1)[0]["seg_target"], LABELS[top : top + 20, left : left + 20])


@pytest.mark.parametrize(
    "option",
    [True, "rare", {"shares": [0.5, 0.5]}, {"prob": 1.5}, {"prob": 0.5, "shares": [2, 1]}, {"prob": 0.5, "share": []}],
)
def test_other_forms_are_refused(option):
    with pytest.raises(ConfigError, match=r"\['rare_class_crop'\]=.* must be 'auto' or {'prob': number in \[0, 1\]"):
        BuildDataset("TRAIN", None, {"type": "BaseDataset", "rare_class_crop": option})


def test_too_few_shares_are_an_error():
    with pytest.raises(ConfigError, match=r"lists 1 shares, but a label map holds the label 1"):
        RareClassFocus(1.0, (1.0,)).draw(LABELS, -100)


@pytest.mark.parametrize(("mode", "prob"), [("TRAIN", 0.25), ("TEST", None)])
def test_the_option_acts_on_the_crops_of_training(tmp_path, mode, prob):
    cfg = {
        "type": "FolderDataset",
        "rootdir": str(folder_tree(tmp_path)),
        "rare_class_crop": {"prob": 0.25, "shares": [0.2, 0.3, 0.5]},
        "data_pipelines": [("RandomCrop", {"crop_size": (4, 4), "one_category_max_ratio": 0.75})],
    }
    focus = BuildDataset(mode, None, cfg).transforms.transforms[0].focus
    assert (focus and focus.prob) == prob
    parts = {"one": {"type": "FolderDataset", "rootdir": str(tmp_path), "seg_target_remapper": {0: 0, 1: 1, 2: 2}}}
    joined = BuildDataset(mode, None, {**cfg, "type": "MultipleDataset", **parts})
    assert list(joined.datasets) == ["one"]
    focus = joined.datasets["one"].transforms.transforms[0].focus
    assert (focus and focus.prob) == prob
