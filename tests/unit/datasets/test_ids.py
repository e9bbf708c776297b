import pytest

from ssseg.modules.datasets.ids import check_id, read_ids
from ssseg.modules.utils.errors import DataError
from tests.trees import write_list

IDS = ["0001", "1e5", "NA", "a,b", "two words", "Straße/ß", "nan", "00.10", "a..b", "#1", '"q"']


def test_d04_ids_are_kept_as_written(tmp_path):
    assert read_ids(write_list(tmp_path / "train.txt", IDS)) == IDS


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.replace(b"\n", b" \t\n"),
        lambda text: b"\n \n" + text + b"\n\n\t\n",
        lambda text: text.rstrip(b"\n"),
    ],
    ids=["byte order mark", "CRLF", "trailing blanks", "empty lines", "no last line end"],
)
def test_d03_what_editors_add_is_dropped(tmp_path, change):
    path = write_list(tmp_path / "train.txt", IDS)
    path.write_bytes(change(path.read_bytes()))
    assert read_ids(path) == IDS


def test_d03_duplicates_count_once_with_one_warning(tmp_path):
    path = write_list(tmp_path / "train.txt", ["b", "a", "b", "c", "b"])
    with pytest.warns(UserWarning, match=r"train\.txt: 2 ids are listed again and count once, such as 'b'") as warnings:
        assert read_ids(path) == ["b", "a", "c"]
    assert len(warnings) == 1


@pytest.mark.parametrize("text", [b"", b"\n \n\t\r\n", b"\xef\xbb\xbf\n"])
def test_d02_an_empty_list_is_refused(tmp_path, text):
    path = tmp_path / "train.txt"
    path.write_bytes(text)
    with pytest.raises(DataError, match=r"train\.txt: .*empty"):
        read_ids(path)


def test_d02_a_missing_list_is_refused_with_what_is_there(tmp_path):
    write_list(tmp_path / "train.txt", ["a"])
    with pytest.raises(DataError, match=r"trian\.txt does not exist.*holds: train\.txt.*Did you mean 'train\.txt'\?"):
        read_ids(tmp_path / "trian.txt")


def test_a_list_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "train.txt"
    path.write_bytes(b"ab\n\xff\xfe")
    with pytest.raises(DataError, match=r"train\.txt: .*not UTF-8 text \(byte 3\)"):
        read_ids(path)


BAD = ["../a", "a/../../b", "..", "a/..", "/etc/passwd", "\\\\host\\a", "C:\\a", "c:/a", "a\\..\\b", "a\0b", "\0", "/"]


@pytest.mark.parametrize("imageid", BAD)
def test_d06_ids_that_lead_elsewhere_are_refused(tmp_path, imageid):
    with pytest.raises(DataError, match=r"train\.txt:2: the image id .* leads out"):
        read_ids(write_list(tmp_path / "train.txt", ["good", imageid]))
    with pytest.raises(DataError, match="here: the image id"):
        check_id(imageid, where="here")
