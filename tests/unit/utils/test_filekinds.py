import pytest

from ssseg.modules.utils.filekinds import PICTURES, looks_like, shown


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "an empty file"),
        (bytes(100), "zero bytes"),
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b"\n<html lang=en>", "an HTML page"),
        (b"<?xml version='1.0'?>\n<svg xmlns='x'>", "an SVG drawing"),
        (b"%PDF-1.7", "a PDF document"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "a Git LFS pointer"),
        (b"PK\x03\x04....", "a zip archive"),
        (b"\0\0\0 ftypheic", "HEIC"),
        ("Straße\n".encode(), "text"),
        (b"BMW 320\n", "text"),
        (b"\x01\x02\x00\x03", "data that begin with the bytes 01 02 00 03"),
    ],
)
def test_what_is_no_picture_is_named(data, kind):
    assert kind in looks_like(data)
    assert looks_like(data) not in PICTURES.values()


def test_pictures_are_told_from_their_first_bytes():
    assert looks_like(b"\xff\xd8\xff\xe0") == "a JPEG picture"
    assert looks_like(b"\x89PNG\r\n\x1a\n") == "a PNG picture"
    assert looks_like(b"RIFF1234WEBPVP8L") == "a WebP picture"


def test_names_that_are_no_utf8_are_shown_with_escapes():
    assert shown("a\udcffb") == "a\\udcffb"
    assert shown("Straße.png") == "Straße.png"
