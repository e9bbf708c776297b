import pytest

from ssseg.modules.utils.errors import DataError, LabelError
from ssseg.modules.utils.jsontext import load_json, parse_json


def test_values_are_those_of_the_text(tmp_path):
    assert parse_json('{"a": [1, null]}') == parse_json(b'{"a": [1, null]}') == {"a": [1, None]}
    path = tmp_path / "a.json"
    path.write_text("\ufeff[1]", encoding="utf-8")
    assert load_json(path, "the list") == [1]


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, b"\xff\xfe\xff"])
def test_what_is_no_json_is_a_value_error(text):
    with pytest.raises(ValueError):  # noqa: PT011
        parse_json(text)


@pytest.mark.parametrize("content", [b"{", b"[" * 100_000, b"\xff", None])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.json: the list cannot be read: "):
        load_json(path, "the list")
    with pytest.raises(LabelError):
        load_json(path, "the list", LabelError)
