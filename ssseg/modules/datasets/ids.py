"""Lists of image ids, kept as they are written."""

import os
import re
import warnings
from pathlib import Path

from ..utils.errors import DataError
from ..utils.filekinds import shown
from .paths import missing


def read_ids(path: str | os.PathLike[str]) -> list[str]:
    """Read a text file with one id a line: UTF-8, with or without byte order mark, either kind of line end.

    Nothing is interpreted: `0001`, `1e5`, `NA` and `a,b` are ids. Blanks around an id and empty lines are dropped, an
    id that is listed again is dropped with a warning.

    Raises:
        DataError: the file is missing, unreadable or empty, or an id leads out of the data set's folder.
    """
    path = Path(path)
    if not os.path.isfile(path):
        raise DataError(f"the list of image ids {missing(path)}")
    try:
        lines = path.read_bytes().decode("utf-8-sig").split("\n")
    except OSError as error:
        raise DataError(f"{shown(path)}: the list of image ids cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{shown(path)}: the list of image ids is not UTF-8 text (byte {error.start})") from error
    numbered = [(number, line.strip(" \t\r\v\f")) for number, line in enumerate(lines, start=1)]
    for number, imageid in numbered:
        check_id(imageid, where=f"{shown(path)}:{number}")
    listed = [imageid for _, imageid in numbered if imageid]
    if not listed:
        raise DataError(f"{shown(path)}: the list of image ids is empty")
    unique = list(dict.fromkeys(listed))
    if len(unique) < len(listed):
        again = next(imageid for number, imageid in enumerate(listed) if imageid in listed[:number])
        warnings.warn(
            f"{shown(path)}: {len(listed) - len(unique)} ids are listed again and count once, such as {again!r}",
            stacklevel=2,
        )
    return unique


def check_id(imageid: str, *, where: str) -> None:
    """Refuse an id that would read a file outside the data set's folders: absolute, with `..`, or with a NUL.

    Raises:
        DataError: it is one of these.
    """
    absolute = imageid.startswith(("/", "\\")) or re.match(r"[A-Za-z]:[\\/]", imageid)
    if absolute or "\0" in imageid or ".." in re.split(r"[\\/]", imageid):
        raise DataError(f"{where}: the image id {imageid!r} leads out of the data set's folder")
