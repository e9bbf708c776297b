import numpy as np
import pytest

from ssseg.modules.datasets.matlab import read_matrix
from ssseg.modules.utils.errors import LabelError
from tests.recorded import write_mat

MATRIX = (np.arange(35).reshape(5, 7) * 7).astype(np.uint16)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(5, 7), (1, 2)])
def test_a_matrix_is_read_in_either_byte_order(tmp_path, order, dtype, shape):
    expected = MATRIX[: shape[0], : shape[1]].astype(dtype)
    other = np.ones((3, 3), np.uint8)
    path = write_mat(tmp_path / "a.mat", {"other": other, "S": expected}, order)
    found = read_matrix(path, "S")
    assert found.dtype == dtype
    assert np.array_equal(found, expected)
    assert np.array_equal(read_matrix(path, "other"), other)


@pytest.mark.parametrize("compressed", [True, False])
def test_files_of_another_writer_are_read(tmp_path, compressed):
    io = pytest.importorskip("scipy.io")
    names = np.array([["a"], ["b"]], dtype=object)
    everything = {"names": names, "record": {"x": 1}, "text": "abc", "S": MATRIX, "D": MATRIX / 2}
    io.savemat(tmp_path / "a.mat", everything, do_compression=compressed)
    assert np.array_equal(read_matrix(tmp_path / "a.mat", "S"), MATRIX)
    assert np.array_equal(read_matrix(tmp_path / "a.mat", "D"), MATRIX / 2)
    for name in ("names", "record", "text"):
        with pytest.raises(LabelError, match=f"holds no matrix of numbers '{name}'"):
            read_matrix(tmp_path / "a.mat", name)


def test_files_that_are_cut_short_are_named(tmp_path):
    io = pytest.importorskip("scipy.io")
    for compressed in (True, False):
        io.savemat(tmp_path / "a.mat", {"S": MATRIX}, do_compression=compressed)
        data = (tmp_path / "a.mat").read_bytes()
        for length in range(19, len(data), 9):
            (tmp_path / "b.mat").write_bytes(data[:length])
            with pytest.raises(LabelError, match=r"b\.mat: (the MATLAB file is cut short or damaged|holds no matrix)"):
                read_matrix(tmp_path / "b.mat", "S")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"MATLAB 7.3 MAT-file", r"no MATLAB file of level 5, but a MATLAB 7\.3 \(HDF5\) file; save it with -v7"),
        (b"\x89PNG\r\n\x1a\n", r"no MATLAB file of level 5, but a PNG picture"),
        (b"", r"no MATLAB file of level 5, but an empty file"),
    ],
)
def test_other_files_are_named(tmp_path, content, message):
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(LabelError, match=rf"a\.mat: {message}"):
        read_matrix(tmp_path / "a.mat", "S")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(LabelError, match=r"none\.mat': cannot be read: No such file"):
        read_matrix(tmp_path / "none.mat", "S")
