import json

import numpy as np
import pytest

from ssseg.modules.datasets.classes import ClassRow, find_classes, label_map_of, read_classes
from ssseg.modules.utils.errors import DataError, LabelError
from tests.trees import write_label

TABLE = [ClassRow(0, "sky", (1, 2, 3)), ClassRow(3, "C# road", (4, 5, 6)), ClassRow(11, "void", (0, 0, 0))]
PALETTE = [(10, 10, 10), (20, 20, 20)]


def text(tmp_path, content):
    (tmp_path / "classes.txt").write_bytes(content.encode())
    return read_classes(tmp_path)


def test_a_folder_without_a_table_has_none(tmp_path):
    assert read_classes(tmp_path) is None


def test_tab_separated_columns(tmp_path):
    content = "# id name r g b\n3\tC# road\t4\t5\t6\n\n0\tsky\t1\t2\t3\n11\tvoid\t0\t0\t0\n"
    assert text(tmp_path, content) == TABLE
    assert text(tmp_path, "\ufeff" + content.replace("\n", "\r\n")) == TABLE


def test_colours_may_be_left_out(tmp_path):
    assert text(tmp_path, "0\tsky\n7\troad \t\n") == [ClassRow(0, "sky"), ClassRow(7, "road")]


def test_one_name_a_line(tmp_path):
    assert text(tmp_path, "sky\n# no class\nvoid\ntwo words\n") == [
        ClassRow(0, "sky"),
        ClassRow(1, "void"),
        ClassRow(2, "two words"),
    ]


@pytest.mark.parametrize(
    "rows", [[[0, "sky", 1, 2, 3], [3, "C# road", 4, 5, 6], [11, "void", 0, 0, 0]], ["sky", "void", "two words"]]
)
def test_json_holds_the_same(tmp_path, rows):
    (tmp_path / "classes.json").write_text(json.dumps(rows))
    assert [row.name for row in read_classes(tmp_path)] == [row if isinstance(row, str) else row[1] for row in rows]
    assert read_classes(tmp_path)[1].number == (1 if isinstance(rows[0], str) else 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("0\tsky\n1\n", r"line 2: \['1'\] is no row `id name`"),
        ("0\tsky\nx\troad\n", r"line 2: \['x', 'road'\] is no row"),
        ("0\tsky\t1\t2\n", "line 1: .* is no row"),
        ("0\tsky\t1\t2\t256\n", "line 1: .* is no row"),
        ("-1\tsky\n", "line 1: .* is no row"),
        ("0\t \troad\n", "line 1: .* is no row"),
        ("0\tsky\n0\troad\n", "line 2: the class 0 'road' is there already"),
        ("0\tsky\n1\tsky\n", "line 2: the class 1 'sky' is there already"),
        ("sky\nsky\n", "line 2: the class 1 'sky' is there already"),
        ("0 sky 1 2 3\n", "line 1: columns are separated by tabs"),
        ("# nothing\n", "there are no classes in it"),
        ("void\n", "there are no classes in it"),
    ],
)
def test_rows_that_cannot_be_understood_are_named(tmp_path, content, message):
    with pytest.raises(DataError, match=rf"classes\.txt.*{message}"):
        text(tmp_path, content)


@pytest.mark.parametrize("content", ["{}", '"sky"', "[", '[{"id": 0}]', "[[0]]", "[[null, 3]]", "\xff"])
def test_json_that_cannot_be_understood_is_named(tmp_path, content):
    (tmp_path / "classes.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(DataError, match=r"classes\.json"):
        read_classes(tmp_path)


def test_several_rows_may_be_void(tmp_path):
    assert len(text(tmp_path, "0\tsky\n9\tvoid\n10\tvoid\n11\tIgnore\n")) == 4


# ---- from rows to labels


def test_classes_are_numbered_in_the_order_of_their_ids():
    label_map = label_map_of(TABLE, PALETTE, ignore_index=-100)
    assert label_map.classnames == ("sky", "C# road")
    assert label_map.palette == ((1, 2, 3), (4, 5, 6))
    assert label_map.apply(np.array([[0, 3, 11, 255]]), where="").tolist() == [[0, 1, -100, -100]]
    assert label_map.to_raw(np.array([[0, 1]])).tolist() == [[0, 3]]
    with pytest.raises(LabelError, match=r"holds the ids 1 \(1 pixel\)"):
        label_map.apply(np.array([[1]]), where="")


def test_255_may_be_a_class():
    label_map = label_map_of([ClassRow(0, "background"), ClassRow(255, "vessel")], PALETTE, ignore_index=-1)
    assert label_map.apply(np.array([[0, 255, -1]]), where="").tolist() == [[0, 1, -1]]
    assert label_map.palette == ((10, 10, 10), (20, 20, 20))
    assert label_map.background == 0


def test_distinct_colours_are_read():
    raw = np.array([[[1, 2, 3], [4, 5, 6], [0, 0, 0]]], np.uint8)
    assert label_map_of(TABLE, PALETTE, ignore_index=255).apply(raw, where="").tolist() == [[0, 1, 255]]
    same = [ClassRow(0, "a", (1, 2, 3)), ClassRow(1, "b", (1, 2, 3))]
    with pytest.raises(LabelError, match="holds colours"):
        label_map_of(same, PALETTE, ignore_index=255).apply(raw, where="")


def test_classes_are_found_in_label_maps(tmp_path):
    paths = [
        str(write_label(tmp_path / "a.png", np.array([[0, 4], [255, 4]]))),
        str(write_label(tmp_path / "b.png", np.array([[300, 0]]))),
    ]
    assert find_classes(paths, "here") == [ClassRow(0, "class_0"), ClassRow(4, "class_4"), ClassRow(300, "class_300")]


def test_masks_of_0_and_255_need_a_table(tmp_path):
    path = write_label(tmp_path / "a.png", np.array([[0, 255]]))
    with pytest.raises(DataError, match=r"here: there is no classes\.txt, .* only the numbers \[0, 255\]"):
        find_classes([str(path)], "here")


def test_colours_need_a_table(tmp_path):
    path = write_label(tmp_path / "a.png", np.array([[[0, 1, 2]]], np.uint8))
    with pytest.raises(LabelError, match=r"a\.png: holds colours.*classes\.txt"):
        find_classes([str(path)], "here")


@pytest.mark.parametrize("content", ["[" * 100_000, '[[1e999, "a"]]', '[[NaN, "a"]]', "\xff"])
def test_json_that_no_table_holds(tmp_path, content):
    (tmp_path / "classes.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(DataError, match=r"classes\.json(: the class table cannot be read|, row 1: .* is no row)"):
        read_classes(tmp_path)
