"""The zip archive that `torch.save` writes: entries that are stored as they are, in one folder, one after the other."""

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from .errors import CheckpointError

_CHUNK = 1 << 16  # stays in the processor's cache between reading it and summing it
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")


@dataclass(frozen=True)
class Entry:
    """Where an entry's bytes lie in the file, and their CRC-32."""

    name: str
    offset: int
    size: int
    crc: int


class StoredArchive:
    """The directory of an archive, checked against what it points at.

    Raises:
        CheckpointError: `torch.save` would not write such an archive: entries are compressed, overlap, have the same
            name, or lie in several folders or outside of them. The message fits after the file's name.
        zipfile.BadZipFile, ValueError, struct.error: the archive is damaged.
    """

    def __init__(self, stream: io.FileIO):
        self.stream = stream
        with zipfile.ZipFile(stream) as archive:
            infos, end = sorted(archive.infolist(), key=lambda info: info.header_offset), archive.start_dir
        if not infos:
            raise CheckpointError("holds nothing")
        self.root = infos[0].orig_filename.split("/")[0]
        self.entries: dict[str, Entry] = {}
        for info, limit in zip(infos, [*(info.header_offset for info in infos[1:]), end], strict=True):
            entry = self._checked(info, limit)
            if entry.name in self.entries:
                raise CheckpointError(f"holds {entry.name!r} twice")
            self.entries[entry.name] = entry

    def entry(self, name: str) -> Entry:
        """Return the entry `<root>/<name>`; CheckpointError where there is none."""
        if name not in self.entries:
            raise CheckpointError(f"lacks its entry {name!r}")
        return self.entries[name]

    def read(self, name: str) -> bytes:
        """Return the bytes of an entry; CheckpointError where the checksum does not fit."""
        data = bytearray(self.entry(name).size)
        self.read_into(name, memoryview(data))
        return bytes(data)

    def read_into(self, name: str, target: memoryview) -> None:
        """Fill `target`, which is as long as the entry; CheckpointError where the checksum does not fit."""
        self._read(name, (target[start : start + _CHUNK] for start in range(0, len(target), _CHUNK)))

    def check(self, name: str) -> None:
        """Read an entry and forget it; CheckpointError where the checksum does not fit."""
        size, chunk = self.entry(name).size, memoryview(bytearray(_CHUNK))
        self._read(name, (chunk[: size - start] for start in range(0, size, _CHUNK)))

    def _read(self, name: str, parts: Iterable[memoryview]) -> None:
        entry, crc = self.entry(name), 0
        self.stream.seek(entry.offset)
        for part in parts:
            done = 0
            while done < len(part):
                count = self.stream.readinto(part[done:])
                if not count:
                    raise CheckpointError(f"ends within its entry {name!r}")
                done += count
            crc = zlib.crc32(part, crc)
        if crc != entry.crc:
            raise CheckpointError(f"has a wrong checksum in its entry {name!r}")

    def _checked(self, info: zipfile.ZipInfo, limit: int) -> Entry:
        name = info.orig_filename
        root, _, inner = name.partition("/")
        if root != self.root or not inner or {"", ".", ".."} & set(name.split("/")) or "\\" in name or "\0" in name:
            raise CheckpointError(f"holds {name!r} outside of its folder {self.root!r}")
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size or info.flag_bits & 1:
            raise CheckpointError(f"holds {name!r} compressed or encrypted")
        header = os.pread(self.stream.fileno(), _LOCAL_HEADER.size, info.header_offset)
        magic, _, flags, *_, name_length, extra_length = _LOCAL_HEADER.unpack(header)
        start = info.header_offset + _LOCAL_HEADER.size + name_length + extra_length
        local_name = os.pread(self.stream.fileno(), name_length, info.header_offset + _LOCAL_HEADER.size)
        if magic != b"PK\3\4" or local_name != name.encode("utf-8" if flags & 0x800 else "cp437"):
            raise CheckpointError(f"does not have {name!r} where its directory says")
        if start + info.file_size > limit:
            raise CheckpointError(f"holds {name!r} over another entry")
        return Entry(inner, start, info.file_size, info.CRC)
