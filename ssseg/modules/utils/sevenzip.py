"""The members of 7z archives, read with the package py7zr (extra `archives`)."""

from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any, Literal

from .errors import SSSegError

Kind = Literal["file", "folder", "other"]


def read_members(stream: IO[bytes]) -> Iterator[tuple[str, Kind]]:
    """Yield name and kind of each member; "other" are links, devices and sockets.

    Raises:
        ValueError: the archive is damaged or encrypted.
    """
    with _opened(stream) as archive:
        for member in archive.files:
            folder = member.is_directory and not member.is_junction
            yield member.filename, "folder" if folder else "file" if member.is_file else "other"


def write_members(stream: IO[bytes], paths: Sequence[str], open_target: Callable[[str], Any]) -> None:
    """Write every file of an archive to what `open_target(path)` returns, which has `write` and `close`.

    Args:
        paths: of all files, as `read_members` named them, without what means nothing in them (`./`, `//`).

    Raises:
        ValueError: the archive is damaged, or a checksum is wrong.
    """
    from py7zr.io import Py7zIO, WriterFactory

    class Writer(Py7zIO):
        def __init__(self, path: str):
            self.target, self.count = open_target(path), 0

        def write(self, s: bytes | bytearray) -> int:
            self.count += len(s)
            written: int = self.target.write(bytes(s))
            return written

        def read(self, size: int | None = None) -> bytes:
            return b""

        def seek(self, offset: int, whence: int = 0) -> int:
            return self.count

        def flush(self) -> None:
            pass

        def size(self) -> int:
            return self.count

        def close(self) -> None:
            self.target.close()

    class Writers(WriterFactory):
        def __init__(self) -> None:
            self.made: dict[str, Writer] = {}

        def create(self, filename: str) -> Writer:
            if filename in self.made:  # py7zr opens a file again to make it empty
                return self.made[filename]
            if filename not in wanted:
                raise ValueError(f"{filename!r} is not among the members that its header names")
            self.made[filename] = Writer(filename)
            return self.made[filename]

    wanted, writers = set(paths), Writers()
    stream.seek(0)
    try:
        with _opened(stream) as archive:
            _guarded(lambda: archive.extractall(factory=writers))
    finally:
        for writer in writers.made.values():
            writer.close()
    for path in wanted - writers.made.keys():
        open_target(path).close()  # an empty file has no stream


def _opened(stream: IO[bytes]) -> Any:
    from py7zr import SevenZipFile

    stream.seek(0)
    return _guarded(lambda: SevenZipFile(stream, "r"))


def _guarded(step: Callable[[], Any]) -> Any:
    try:
        return step()
    except SSSegError:
        raise
    except Exception as error:  # what a parser of hostile bytes may raise is not a closed list
        raise ValueError(str(error) or type(error).__name__) from error
