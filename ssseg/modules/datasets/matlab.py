"""Matrices of numbers out of MATLAB files of level 5, which is what `save -v6` and `-v7` write; nothing else is read.

Source: "MAT-File Format", The MathWorks, 2019.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..utils.errors import LabelError, listed, nearest
from ..utils.filekinds import looks_like, shown

_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_NUMERIC_CLASSES = range(6, 16)  # cells, structures, objects, texts and sparse matrices have other numbers
_LIMIT = 1 << 28  # bytes of one variable, unpacked

Array = np.ndarray[Any, Any]


def read_matrix(path: str | os.PathLike[str], name: str) -> Array:
    """Read the matrix (H, W) that a MATLAB file holds under `name`.

    Raises:
        LabelError: the file is missing, damaged or of another kind, or holds no such matrix.
    """
    try:
        with open(path, "rb") as stream:
            data = stream.read()
    except OSError as error:
        raise LabelError(f"{shown(path)!r}: cannot be read: {error.strerror}") from error
    if not data.startswith(b"MATLAB 5.0 MAT-file"):
        newer = data.startswith((b"MATLAB 7.3", b"\x89HDF"))
        other = "a MATLAB 7.3 (HDF5) file; save it with -v7" if newer else looks_like(data)
        raise LabelError(f"{shown(path)}: no MATLAB file of level 5, but {other}")
    try:
        order = {b"IM": "<", b"MI": ">"}[data[126:128]]
        found = {}
        for kind, content in _elements(data[_HEADER:], order):
            if kind == _MATRIX:
                variable, matrix = _matrix(content, order, name)
                if matrix is not None:
                    return matrix
                found[variable] = content
    except (struct.error, zlib.error, ValueError, KeyError, StopIteration) as error:
        raise LabelError(f"{shown(path)}: the MATLAB file is cut short or damaged ({error})") from error
    raise LabelError(
        f"{shown(path)}: holds no matrix of numbers {name!r}, but {listed(found) or 'nothing'}.{nearest(name, found)}"
    )


def _elements(data: bytes, order: str, *, unpacked: bool = False) -> Iterator[tuple[int, bytes]]:
    """Yield type and content of each element of `data`, compressed ones unpacked; `unpacked` data hold none."""
    position = 0
    while position + 8 <= len(data):
        kind, size = struct.unpack_from(f"{order}2I", data, position)
        if kind >> 16:  # a small element: its size stands beside the type, its content in the next four bytes
            kind, size, start, end = kind & 0xFFFF, kind >> 16, position + 4, position + 8
        else:
            start = position + 8
            end = start + size + (0 if kind == _COMPRESSED else -size % 8)
        if start + size > len(data):
            raise ValueError(f"{size} bytes announced, {len(data) - start} left")
        content = data[start : start + size]
        if kind == _COMPRESSED:
            if unpacked:
                raise ValueError("a compressed variable inside of another")
            unpacker = zlib.decompressobj()
            content = unpacker.decompress(content, _LIMIT)
            if not unpacker.eof:
                raise ValueError("a variable is cut short or too large")
            yield from _elements(content, order, unpacked=True)
        else:
            yield kind, content
        position = end


def _matrix(content: bytes, order: str, wanted: str) -> tuple[str, Array | None]:
    """The name of a variable, and its numbers where it is the wanted one and has numbers."""
    if not content:
        return "", None
    parts = _elements(content, order)
    (_, flags), (_, shape), (_, name) = next(parts), next(parts), next(parts)
    variable = name.decode("latin-1")
    if variable != wanted or struct.unpack_from(f"{order}I", flags)[0] & 0xFF not in _NUMERIC_CLASSES:
        return variable, None
    kind, numbers = next(parts)
    dimensions = np.frombuffer(shape, f"{order}i4").tolist()
    matrix = np.frombuffer(numbers, f"{order}{_NUMBERS[kind]}").reshape(dimensions, order="F")
    return variable, np.ascontiguousarray(matrix).astype(matrix.dtype.newbyteorder("="))
