import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssseg.modules.utils.misspelling import edit_distance, misspelt

words = st.text("abcd_1", max_size=8)


@pytest.mark.parametrize(
    ("a", "b", "edits"),
    [
        ("", "abc", 3),
        ("head", "head", 0),
        ("haed", "head", 1),
        ("hed", "head", 1),
        ("backbome", "backbone", 1),
        ("ab", "ba", 1),
    ],
)
def test_edit_distance(a, b, edits):
    assert edit_distance(a, b) == edits


@given(words, words)
def test_edit_distance_is_symmetric_and_bounded(a, b):
    distance = edit_distance(a, b)
    assert distance == edit_distance(b, a)
    assert abs(len(a) - len(b)) <= distance <= max(len(a), len(b))
    assert (distance == 0) == (a == b)


@given(words, st.data())
def test_removing_a_letter_is_one_edit(word, data):
    position = data.draw(st.integers(0, len(word)))
    assert edit_distance(word, word[:position] + "x" + word[position:]) == 1


KNOWN = ["backbone", "head", "losses", "type", "loss_aux", "in_channels"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("bacbone", "backbone"),
        ("backbnoe", "backbone"),
        ("heda", "head"),
        ("seed", None),  # two edits from head, which is too short for two
        ("in_chanels", "in_channels"),
        ("out_channels", None),
        ("loss_aux1", None),  # another auxiliary head
        ("fp16_cfg", None),
    ],
)
def test_misspelt(name, meant):
    assert misspelt(name, KNOWN) == meant


def test_nothing_known():
    assert misspelt("head", []) is None
