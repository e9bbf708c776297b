"""What a file is, told from its first bytes, and how its path is shown."""

import os
import re

PICTURES = {  # those that utils.images reads
    rb"\xff\xd8\xff": "a JPEG picture",
    rb"\x89PNG\r\n\x1a\n": "a PNG picture",
    rb"GIF8[79]a": "a GIF picture",
    rb"BM.{4}\0\0\0\0": "a BMP picture",
    rb"II[*+]\0|MM\0[*+]": "a TIFF picture",
    rb"P[1-6]\s": "a PPM picture",
    rb"RIFF.{4}WEBP": "a WebP picture",
}
_OTHERS = {
    rb"\Z": "an empty file",
    rb"\0+\Z": "a file of zero bytes",
    rb"\0\0\0\x0cjP  ": "a JPEG 2000 picture",
    rb".{4}ftyp": "a HEIC or AVIF picture, or a video",
    rb"8BPS": "a Photoshop file",
    rb"%PDF": "a PDF document",
    rb"%!PS": "a PostScript document",
    rb"version https://git-lfs": "a Git LFS pointer, whose file `git lfs pull` would fetch",
    rb"PK\x03\x04": "a zip archive",
    rb"\x1f\x8b": "a gzip archive",
    rb"7z\xbc\xaf": "a 7z archive",
    rb"\x93NUMPY": "a NumPy array",
    rb"\x89HDF": "an HDF5 file",
    rb"MATLAB": "a MATLAB file",
    rb"(?:\xef\xbb\xbf)?\s*<(?i:!doctype )?(?i:html)": "an HTML page, as a failed download leaves it",
    rb"[^\0]*<(?i:svg)": "an SVG drawing",
    rb"[\t\r\n\x20-\xff]+\Z": "text",
}


def looks_like(data: bytes) -> str:
    """Say in words what `data`, the contents of a file, looks like: `an HTML page`, `a PDF document`."""
    head = data[:1024]
    for beginning, kind in (PICTURES | _OTHERS).items():
        if re.match(beginning, head, re.DOTALL):
            return kind
    return f"data that begin with the bytes {head[:8].hex(' ')}"


def shown(path: str | os.PathLike[str]) -> str:
    """Return `path` as text that can always be printed: bytes that are no UTF-8 appear as escapes."""
    return os.fspath(path).encode("utf-8", "backslashreplace").decode()
