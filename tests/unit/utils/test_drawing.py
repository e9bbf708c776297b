import numpy as np
import pytest

from ssseg.modules.utils.drawing import contact_sheet, font, overlay
from ssseg.modules.utils.errors import ShapeError

PALETTE = [(200, 0, 0), (0, 100, 0)]


def test_overlay_mixes_image_and_colour():
    image = np.full((1, 4, 3), 100, np.uint8)
    labels = np.array([[0, 1, 255, -100]])
    expected = [[(150, 50, 50), (50, 100, 50), (100, 100, 100), (100, 100, 100)]]
    assert overlay(image, labels, PALETTE).tolist() == np.array(expected).tolist()
    assert overlay(image, labels, PALETTE, alpha=1)[0, 1].tolist() == [0, 100, 0]
    assert overlay(image, labels, PALETTE, alpha=0).tolist() == image.tolist()


def test_overlay_takes_unsigned_labels():
    labels = np.array([[1, 255]], np.uint8)
    assert overlay(np.zeros((1, 2, 3), np.uint8), labels, PALETTE, 1).tolist() == [[[0, 100, 0], [0, 0, 0]]]


def test_overlay_names_both_shapes():
    with pytest.raises(ShapeError, match=r"\(4, 5\).*\(3, 5\)"):
        overlay(np.zeros((3, 5, 3), np.uint8), np.zeros((4, 5), int), PALETTE)


def test_a_sheet_shows_every_picture_and_colour():
    colours = [(250, 10, 10), (10, 250, 10), (10, 10, 250), (250, 250, 10)]
    pictures = [np.full((60, 80, 3), colour, np.uint8) for colour in colours]
    sheet = contact_sheet([pictures[:2], pictures[2:]], ("image", "truth"), {"a": (1, 2, 3), "b": (90, 8, 7)}, width=80)
    for colour in colours:
        assert (sheet == colour).all(2).sum() == 60 * 80
    for colour in ((1, 2, 3), (90, 8, 7)):
        assert (sheet == colour).all(2).sum() > 150
    tops = [np.argmax((sheet == colour).all(2).any(1)) for colour in colours]
    lefts = [np.argmax((sheet == colour).all(2).any(0)) for colour in colours]
    assert tops[0] == tops[1] < tops[2] == tops[3]
    assert lefts[0] == lefts[2] < lefts[1] == lefts[3]


def test_captions_add_a_line_under_each_row():
    rows = [[np.zeros((60, 80, 3), np.uint8)]] * 2
    plain = contact_sheet(rows, ("image",), {}, width=200)
    captioned = contact_sheet(rows, ("image",), {}, [["first"], ["second"]], width=200)
    assert captioned.shape[0] > plain.shape[0]
    assert captioned.shape[1] == plain.shape[1]


def test_rows_of_other_shapes_keep_their_own():
    wide, tall = np.full((10, 40, 3), 7, np.uint8), np.full((40, 10, 3), 9, np.uint8)
    sheet = contact_sheet([[wide], [tall]], ("image",), {}, width=40)
    assert (sheet == 7).all(2).sum() == 10 * 40
    assert (sheet == 9).all(2).sum() == 160 * 40


def test_a_legend_that_is_too_long_goes_on_below():
    picture = np.zeros((30, 40, 3), np.uint8)
    few, many = ({f"class number {k}": (k, 99, 200) for k in range(count)} for count in (2, 12))
    short, long = (contact_sheet([[picture]], ("image",), legend, width=300) for legend in (few, many))
    assert long.shape[0] > short.shape[0]
    assert long.shape[1] == short.shape[1]
    for k in range(12):
        assert (long == (k, 99, 200)).all(2).any()


def test_text_has_the_size_that_is_asked_for():
    assert font(20).getlength("mIoU") > 1.8 * font(10).getlength("mIoU")
