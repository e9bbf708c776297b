"""Picture files in memory, of any format and with any mistake."""

import io
import struct
import zlib

from PIL import Image


def encoded(picture, kind, **options):
    """The bytes of a file of format `kind` that holds an array or a picture of Pillow."""
    stream = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(stream, kind, **options)
    return stream.getvalue()


def png(width, height, depth, colour_type, rows=b"", *chunks):
    """A PNG file of which everything can be chosen."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    body = [chunk(b"IHDR", header), *(chunk(*entry) for entry in chunks), chunk(b"IDAT", zlib.compress(rows, 9))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body) + chunk(b"IEND", b"")
