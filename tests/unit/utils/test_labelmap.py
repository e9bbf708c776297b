import json
import pickle

import numpy as np
import pytest

from ssseg.modules.utils.errors import ConfigError, LabelError
from ssseg.modules.utils.labelmap import LabelMap

NAMES = ("__background__", "road", "car")
PALETTE = ((0, 0, 0), (10, 20, 30), (255, 0, 0))
OPTION = r"SEGMENTOR_CFG\['dataset'\]\['auto_correct_invalid_seg_target'\] = True"


def label_map(**kwargs):
    return LabelMap.of_classes(NAMES, PALETTE, **kwargs)


def test_numbers_that_a_table_does_not_list_are_the_labels():
    labels = label_map(clsid2label={255: -100}).apply(np.array([[0, 1], [2, 255]], np.uint8), where="a.png")
    assert labels.dtype == np.int16
    assert labels.tolist() == [[0, 1], [2, -100]]


def test_l08_a_table_that_chains_is_applied_at_once():
    chain = label_map(clsid2label={0: 1, 1: 2, 2: 0})
    for dtype in (np.uint8, np.int32, np.float32):
        assert chain.apply(np.array([[0, 1, 2]], dtype), where="a.png").tolist() == [[1, 2, 0]]


@pytest.mark.parametrize("ignore_index", [-100, -1, 255])
def test_minus_100_in_a_table_means_the_configured_ignore_index(ignore_index):
    ignoring = label_map(clsid2label={7: -100}, ignore_index=ignore_index)
    assert ignoring.apply(np.array([[7, -100, ignore_index, 2]]), where="a.png").tolist() == [[ignore_index] * 3 + [2]]


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16, np.int32, np.int64, np.uint64, np.float64])
def test_all_number_types_give_the_same_labels(dtype):
    raw = np.arange(12).reshape(3, 4) % 3
    assert np.array_equal(label_map().apply(raw.astype(dtype), where="a.png"), raw)


def test_numbers_far_apart_are_looked_up_too():
    far = label_map(clsid2label={2_000_000_000: 1, -2_000_000_000: 2})
    assert far.apply(np.array([[2_000_000_000, -2_000_000_000, 0]]), where="a.png").tolist() == [[1, 2, 0]]
    assert label_map(clsid2label={-100: 1}).apply(np.array([[-100, 2]], np.int8), where="").tolist() == [[1, 2]]


def test_booleans_are_0_and_1_whatever_their_bytes():
    raw = np.array([[0, 255]], np.uint8).view(bool)
    assert label_map().apply(raw, where="a.png").tolist() == [[0, 1]]


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.float32])
def test_l01_numbers_that_are_no_class_are_named_with_count_place_and_cure(dtype):
    raw = np.zeros((50, 60), dtype)
    raw[40, 7:50], raw[41, 3] = 21, 22
    with pytest.raises(
        LabelError,
        match=rf"^dir/a\.png: holds the ids 21(\.0)? \(43 pixels\), 22(\.0)? \(1 pixel\), first at row 40, column 7\. "
        rf"The 3 classes are known by the ids -100, 0\.\.2, 255; -100 is ignored\. .*{OPTION}",
    ):
        label_map(clsid2label={255: -100}).apply(raw, where="dir/a.png")


def test_l01_a_negative_number_and_many_numbers_are_named():
    with pytest.raises(LabelError, match=r"holds the ids -3 \(1 pixel\)"):
        label_map().apply(np.array([[-3, 0]]), where="a.png")
    with pytest.raises(LabelError, match=r"300 \(1 pixel\), .* and 15 more, first at row 0, column 0"):
        label_map().apply(np.arange(300, 321, dtype=np.uint16)[None], where="a.png")


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_numbers_that_are_no_class_are_ignored_on_request(dtype):
    labels = label_map(ignore_index=-1).apply(np.array([[0, 9, 200]], dtype), where="", ignore_unknown=True)
    assert labels.tolist() == [[0, -1, -1]]


@pytest.mark.parametrize(("value", "shown"), [(np.nan, "nan"), (np.inf, "inf"), (1.5, "1.5"), (1e300, "1e[+]300")])
def test_l09_nan_and_fractions_are_refused(value, shown):
    raw = np.array([[0, 1], [value, value]])
    with pytest.raises(LabelError, match=rf"a\.png: .*integers.* 2 pixels .* first is {shown} at row 1, column 0"):
        label_map().apply(raw, where="a.png")


@pytest.mark.parametrize("raw", [np.zeros(4), np.zeros((2, 2, 4)), np.zeros((1, 2, 2), np.uint8)])
def test_other_shapes_are_refused(raw):
    with pytest.raises(LabelError, match=r"a\.png: .*\(height, width\)"):
        label_map().apply(raw, where="a.png")


def test_other_kinds_of_numbers_are_refused():
    with pytest.raises(LabelError, match=r"a\.png: .*integers, not complex128"):
        label_map().apply(np.zeros((2, 2), complex), where="a.png")


def test_an_empty_label_map_stays_empty():
    assert label_map().apply(np.zeros((0, 5), np.uint8), where="a.png").shape == (0, 5)


# ---- colours


def test_colours_stand_for_numbers_which_stand_for_labels():
    painted = label_map(clsid2label={9: 1, 11: -100}, color2clsid={(10, 20, 30): 9, (255, 0, 0): 2, (1, 1, 1): 11})
    raw = np.array([[[10, 20, 30], [255, 0, 0]], [[1, 1, 1], [10, 20, 30]]], np.uint8)
    labels = painted.apply(raw, where="a.png")
    assert labels.dtype == np.int16
    assert labels.tolist() == [[1, 2], [-100, 1]]


def test_unknown_colours_are_named_with_count_place_and_cure():
    painted = label_map(color2clsid={(0, 0, 0): 0, (255, 0, 0): 2})
    raw = np.zeros((4, 5, 3), np.uint8)
    raw[2, 3:] = 255, 0, 1
    message = (
        rf"holds the colours \(255, 0, 1\) \(2 pixels\), first at row 2, column 3.*2 colours.*classes\.txt.*{OPTION}"
    )
    with pytest.raises(LabelError, match=message):
        painted.apply(raw, where="a.png")
    assert painted.apply(raw, where="a.png", ignore_unknown=True).min() == -100


def test_l04_colours_without_a_colour_table_are_refused():
    raw = np.zeros((4, 5, 3), np.uint8)
    raw[0, 0] = 255, 0, 0
    with pytest.raises(LabelError, match=r"holds colours, \(0, 0, 0\), \(255, 0, 0\), not class ids.*classes\.txt"):
        label_map().apply(raw, where="a.png")


def test_three_equal_channels_are_one_where_no_colours_are_known():
    raw = np.repeat(np.array([[0, 1, 2]], np.uint8)[..., None], 3, axis=2)
    assert label_map().apply(raw, where="a.png").tolist() == [[0, 1, 2]]


# ---- back again


def test_labels_become_numbers_again():
    table = {33: 1, 7: 0, 255: -100, 8: 1}
    there_and_back = label_map(clsid2label=table)
    assert there_and_back.to_raw(np.array([[0, 1, 2, -100]])).tolist() == [[7, 33, 2, 255]]
    assert label_map(clsid2label={0: 1}).to_raw(np.array([[0, 1, 2]])).tolist() == [[0, 0, 2]]


def test_what_is_no_class_is_painted_black():
    colours = label_map().colourise(np.array([[1, 2, -100, 255, 3]], np.int16))
    assert colours.dtype == np.uint8
    assert colours.tolist() == [[[10, 20, 30], [255, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]]


def test_a_map_survives_json_and_pickling():
    whole = label_map(clsid2label={9: 1, 255: -100}, ignore_index=-1, color2clsid={(1, 2, 3): 9})
    assert LabelMap.from_json(json.loads(json.dumps(whole.to_json()))) == whole
    whole.apply(np.zeros((2, 2), np.uint8), where="")  # fills its tables
    assert pickle.loads(pickle.dumps(whole)) == whole


@pytest.mark.parametrize(
    "record",
    [
        {},
        [],
        {"classnames": 3},
        {**label_map().to_json(), "palette": [[0, 0]] * 3},
        {**label_map().to_json(), "raw_to_label": {"0": 5}},
        {**label_map().to_json(), "ignore_index": 99_999},
    ],
)
def test_what_is_no_map_is_refused(record):
    with pytest.raises(LabelError, match="label map: cannot be read back"):
        LabelMap.from_json(record)


def test_the_background_is_the_class_of_that_name():
    assert label_map().background == 0
    assert LabelMap.of_classes(["sky", "background"], PALETTE[:2]).background == 1
    assert LabelMap.of_classes(["sky", "road"], PALETTE[:2]).background is None


def test_a_map_of_names_and_colours_alone_knows_the_labels():
    plain = LabelMap(NAMES, PALETTE)
    assert plain.num_classes == 3
    assert plain.raw_to_label == {0: 0, 1: 1, 2: 2}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"palette": PALETTE[:2]}, "3 class names but 2 colours"),
        ({"ignore_index": 40_000}, "ignore_index=40000 does not fit"),
        ({"raw_to_label": {5: 3}}, r"the number 5 stands for label 3, but labels are 0\.\.2 or -100"),
    ],
)
def test_maps_that_contradict_themselves_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        LabelMap(**{"classnames": NAMES, "palette": PALETTE, **change})


def test_colours_outside_0_to_255_are_refused():
    with pytest.raises(ConfigError, match=r"colour \(0, 0, 256\)"):
        LabelMap.of_classes(["a"], [(0, 0, 256)])
