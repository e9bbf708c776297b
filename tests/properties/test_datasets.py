"""Laws of reading: lists, label maps and pictures come back as they were written."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ssseg.modules.datasets.ids import check_id, read_ids
from ssseg.modules.utils.errors import DataError, LabelError
from ssseg.modules.utils.images import read_image, read_label, write_png
from ssseg.modules.utils.labelmap import LabelMap

K = 6
NAMES = [f"class {label}" for label in range(K)]
COLOURS = [(20 * label, 255 - label, label % 3) for label in range(K)]
TABLES = st.dictionaries(st.integers(0, 300), st.sampled_from([-100, *range(K)]), max_size=8)
SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, max_side=9)
DTYPES = st.sampled_from([np.uint8, np.uint16, np.int16, np.int32, np.int64, np.float32])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("laws")


def is_id(text: str) -> bool:
    try:
        check_id(text, where="")
    except DataError:
        return False
    return bool(text) and text == text.strip(" \t\r\v\f") and "\n" not in text


ID = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).filter(is_id)


@given(ids=st.lists(ID, min_size=1, unique=True), newline=st.sampled_from(["\n", "\r\n", " \n\n"]), bom=st.booleans())
def test_ids_come_back_as_written(folder: Path, ids, newline, bom):
    path = folder / "list.txt"
    path.write_bytes(newline.join([*ids, ""]).encode("utf-8-sig" if bom or ids[0][0] == "\ufeff" else "utf-8"))
    assert read_ids(path) == ids


@given(text=st.text(st.sampled_from("./\\aC:\0~"), max_size=8))
def test_an_id_that_is_accepted_stays_in_its_folder(text):
    if is_id(text):
        assert (Path("/data") / text).is_relative_to("/data")
        assert ".." not in Path("/data", text.replace("\\", "/")).parts


@given(table=TABLES, data=st.data(), dtype=DTYPES)
def test_a_label_map_is_a_dictionary_applied_to_every_pixel(table, data, dtype):
    label_map = LabelMap.of_classes(NAMES, COLOURS, table)
    meaning = {**{label: label for label in range(K)}, -100: -100, **table}
    values = [raw for raw in meaning if np.can_cast(np.min_scalar_type(raw), dtype) or raw in range(256)]
    values = [raw for raw in values if raw >= 0 and (dtype != np.uint8 or raw < 256)]
    raw = data.draw(arrays.arrays(dtype, SHAPES, elements=st.sampled_from(values)))
    labels = label_map.apply(raw, where="")
    assert labels.dtype == np.int16
    assert labels.tolist() == [[meaning[int(value)] for value in row] for row in raw.tolist()]


@given(raw=arrays.arrays(DTYPES, SHAPES, elements=st.integers(0, 255)), table=TABLES)
def test_labels_are_classes_or_ignored_or_refused(raw, table):
    label_map = LabelMap.of_classes(NAMES, COLOURS, table, ignore_index=-1)
    known = set(label_map.raw_to_label)
    foreign = {int(value) for value in np.unique(raw)} - known
    if foreign:
        with pytest.raises(LabelError, match=rf"^here: holds the ids {min(foreign)}(\.0)? \("):
            label_map.apply(raw, where="here")
    labels = label_map.apply(raw, where="", ignore_unknown=True)
    assert set(np.unique(labels)) <= {-1, *range(K)}
    assert np.array_equal(labels == -1, ~np.isin(raw, [value for value in known if label_map.raw_to_label[value] >= 0]))


@given(labels=arrays.arrays(np.int16, SHAPES, elements=st.integers(0, K - 1)), table=TABLES)
def test_labels_survive_numbers_colours_and_json(labels, table):
    label_map = LabelMap.of_classes(NAMES, COLOURS, table, color2clsid={c: 1000 + n for n, c in enumerate(COLOURS)})
    label_map = LabelMap.from_json(json.loads(json.dumps(label_map.to_json())))
    held = np.isin(labels, list(label_map.raw_to_label.values()))  # a table may leave a label without a number
    assert np.array_equal(label_map.apply(label_map.to_raw(labels), where="")[held], labels[held])

    painted = LabelMap.of_classes(NAMES, COLOURS, color2clsid={c: n for n, c in enumerate(COLOURS)})
    labels = np.clip(labels, 0, None)
    assert np.array_equal(painted.apply(painted.colourise(labels), where=""), labels)


@given(
    labels=arrays.arrays(st.sampled_from([np.uint8, np.int16, np.int64]), SHAPES, elements=st.integers(0, 255)),
    palette=st.none() | st.lists(st.tuples(*[st.integers(0, 255)] * 3), max_size=300),
)
def test_label_files_come_back_as_written_whatever_their_palette(folder: Path, labels, palette):
    path = folder / "label.png"
    write_png(path, labels, palette)
    assert np.array_equal(read_label(path), labels)


@given(colours=arrays.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))))
def test_pictures_come_back_as_written(folder: Path, colours):
    path = folder / "picture.png"
    write_png(path, colours)
    assert np.array_equal(read_image(path), colours[..., ::-1])
    assert np.array_equal(read_label(path), colours)
