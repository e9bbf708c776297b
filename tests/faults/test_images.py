"""Group C of docs/reliability.md: image files that are damaged, foreign or hostile."""

import os
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from ssseg.modules.datasets.pipelines import build_pipeline
from ssseg.modules.utils.errors import DataError, ImageError, SSSegError
from ssseg.modules.utils.images import read_image, read_label
from tests.faults.screen import run_command
from tests.pictures import encoded, png
from tests.properties.test_transforms import ALL, named, sample

RNG = np.random.default_rng(11)
RGB = cv2.resize(RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8), (28, 20), interpolation=cv2.INTER_CUBIC)
LONG = "a" * 5000
BGR, GREY = RGB[..., ::-1], np.ascontiguousarray(RGB[..., 0])


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "an empty file"),
        (bytes(500), "a file of zero bytes"),
        (b"shopping list: eggs\n", "text"),
        (b"<!DOCTYPE html><html><title>404</title></html>", "an HTML page"),
    ],
)
def test_I01_what_is_no_picture_is_told_by_what_it_looks_like(data, kind, saved, own):
    with pytest.raises(ImageError, match=rf"photo\.jpg: cannot be read as a picture: it is {kind}"):
        read_image(saved(data, "photo.jpg"))


def test_I01_training_on_it_is_exit_code_3(own, capsys):
    root, config = own
    (root / "images" / "train" / "004.png").write_bytes(b"<html></html>")
    code, _, err = run_command(capsys, "train", config)
    assert code == 3
    assert "images/train/004.png: cannot be read as a picture: it is an HTML page" in err


@pytest.mark.parametrize(
    ("kind", "options"), [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("TIFF", {}), ("WEBP", {})]
)
def test_I02_cut_short_anywhere_it_is_never_half_a_picture(kind, options, saved):
    whole = encoded(RGB, kind, **options)
    expected = read_image(saved(whole))
    offsets = np.unique(np.linspace(0, len(whole) - 1, 200).astype(int))
    for offset in offsets:
        try:
            image = read_image(saved(whole[:offset], "cut"))
        except ImageError as error:
            assert "cut" in str(error)  # noqa: PT017
        else:  # what was cut off were no pixels
            np.testing.assert_array_equal(image, expected)
            assert offset > 0.9 * len(whole)


def test_I03_a_list_of_hashes_finds_what_a_decoder_cannot(own, capsys):
    root, config = own
    listed = root / "SHA256SUMS"
    assert run_command(capsys, "data", "verify", root, "--write", listed).code == 0
    assert run_command(capsys, "data", "verify", config, "--check", listed, "--workers", "2").code == 0
    subprocess.run(["sha256sum", "--check", "--quiet", listed], cwd=root, check=True)
    changed = root / "images" / "train" / "001.png"
    changed.write_bytes(changed.read_bytes() + b"\0")
    (root / "images" / "val" / "002.png").rename(root / "images" / "val" / "new\nname.png")
    (root / "labels" / "val" / "002.png").rename(root / "labels" / "val" / "new\nname.png")
    code, out, _ = run_command(capsys, "data", "verify", root, "--check", listed)
    assert code == 3
    assert f"changed     {changed}" in out
    assert f"missing     {root}/images/val/002.png" in out
    assert "1 changed, 2 missing, 2 not listed" in out
    assert run_command(capsys, "data", "verify", root, "--write", listed).code == 0
    assert run_command(capsys, "data", "verify", root, "--check", listed).code == 0
    subprocess.run(["sha256sum", "--check", "--quiet", listed], cwd=root, check=True)


@pytest.mark.parametrize("text", [None, b"hello\n", b"0123  a.png\n"])
def test_I03_a_file_that_is_no_list_of_hashes_is_named(text, own, capsys):
    root, _ = own
    if text is not None:
        (root / "list").write_bytes(text)
    code, _, err = run_command(capsys, "data", "verify", root, "--check", root / "list")
    assert code == 3
    assert f"{root}/list" in err


BOMB = """
import resource, sys, time
from ssseg.modules.utils.images import read_image, read_label
from ssseg.modules.utils.errors import ImageError

def refused():
    for path in sys.argv[2:]:
        for read in (read_image, read_label):
            try:
                read(path)
            except ImageError:
                continue
            raise SystemExit(f"{path} was read")

pages = int(open("/proc/self/statm").read().split()[0])
allowed = pages * resource.getpagesize() + 100 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
start = time.process_time()
refused()
print(time.process_time() - start)
"""


def test_I04_bombs_are_refused_from_the_header_within_100_megabytes(saved):
    bitmap = struct.pack("<IHHIIiiHHIIiiII", 99, 0, 0, 54, 40, 60_000, 60_000, 1, 24, 0, 0, 0, 0, 0, 0)
    jpeg = bytearray(encoded(RGB, "JPEG"))
    at = jpeg.index(b"\xff\xc0") + 5  # height and width of the frame
    jpeg[at : at + 4] = b"\xff\xdc\xff\xdc"
    bombs = [
        saved(png(20_000, 20_000, 8, 0, bytes(20_000)), "big.png"),
        saved(png(2**31 - 1, 2**31 - 1, 8, 2), "huge.png"),
        saved(png(2**31 - 1, 1, 16, 6), "wide.png"),
        saved(b"BM" + bitmap, "bomb.bmp"),
        saved(bytes(jpeg), "bomb.jpg"),
        saved(b"P6\n99999 99999\n255\n", "bomb.ppm"),
    ]
    command = [sys.executable, "-c", BOMB, "-", *map(str, bombs)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 1  # seconds of processor time: a guard, ten times what it should take


def three(grey):
    return np.repeat(grey[..., None], 3, axis=2)


DEEP = RNG.integers(0, 65536, GREY.shape, dtype=np.uint16)
PALETTE = Image.fromarray(GREY % 3)
PALETTE.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
COLOURS = np.array([[10, 20, 30], [40, 50, 60], [70, 80, 90]], np.uint8)[..., ::-1]
CONVERTED = {
    "grey": (GREY, three(GREY)),
    "grey and alpha": (np.dstack([GREY, GREY // 2]), three(GREY)),
    "RGB": (RGB, BGR),
    "RGBA": (np.dstack([RGB, GREY]), BGR),
    "16-bit": (DEEP, three((DEEP >> 8).astype(np.uint8))),
    "1-bit": (GREY > 100, three(np.where(GREY > 100, 255, 0))),
    "palette": (PALETTE, COLOURS[GREY % 3]),
}


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("mode", CONVERTED)
def test_I05_every_mode_becomes_8_bit_bgr_by_its_rule(kind, mode, saved):
    given, expected = CONVERTED[mode]
    image = read_image(saved(encoded(given, kind)))
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, expected)


def test_I05_cmyk_becomes_bgr(saved):
    np.testing.assert_array_equal(read_image(saved(encoded(Image.fromarray(RGB).convert("CMYK"), "TIFF"))), BGR)
    jpeg = read_image(saved(encoded(Image.fromarray(RGB).convert("CMYK"), "JPEG", quality=100)))
    assert np.abs(jpeg.astype(int) - BGR).max() < 60


@pytest.mark.parametrize("number", range(1, 9))
def test_I06_image_and_label_are_turned_alike(number, own):
    from ssseg.modules import BuildDataset

    root, _ = own
    expected = BuildDataset("TRAIN", None, {"type": "FolderDataset", "rootdir": str(root)})[0]
    exif = Image.Exif()
    exif[0x0112] = number
    undo = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[number]  # Image.Transpose: what viewers undo
    for kind in ("images", "labels"):
        path = root / kind / "train" / "000.png"
        with Image.open(path) as picture:
            stored = picture.copy() if undo is None else picture.transpose(Image.Transpose(undo))
        stored.save(path, exif=exif)
    turned = BuildDataset("TRAIN", None, {"type": "FolderDataset", "rootdir": str(root)})[0]
    np.testing.assert_array_equal(turned["image"], expected["image"])
    np.testing.assert_array_equal(turned["seg_target"], expected["seg_target"])


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (3, 3), (2, 9), (40, 12)])
@pytest.mark.parametrize("entry", ALL, ids=named)
def test_I07_transforms_take_any_size_or_say_why_not(entry, size):
    (transform,) = build_pipeline([entry], where="pipeline")
    try:
        after = transform(sample(0, size))
    except SSSegError as error:
        assert str(error).startswith(entry[0])  # noqa: PT017
    else:
        assert after["image"].size


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "PNG", "WEBP"])
def test_I08_several_frames_are_refused_by_their_format(kind, saved):
    frames = [Image.fromarray(np.roll(RGB, shift, 0)) for shift in range(3)]
    with pytest.raises(ImageError, match=rf"movie: is a {kind} with several frames"):
        read_image(saved(encoded(frames[0], kind, save_all=True, append_images=frames[1:]), "movie"))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"%PDF-1.4\n%", "a PDF document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "a PostScript document"),
    ],
)
def test_I08_drawings_and_documents_are_refused_by_their_format(data, kind, saved):
    with pytest.raises(ImageError, match=f"it is {kind}"):
        read_image(saved(data))


def test_I09_metadata_bombs_stay_within_limits(saved):
    bomb = zlib.compress(bytes(20_000_000), 9)
    rows = bytes(60)
    for chunk in ((b"zTXt", b"comment\0\0" + bomb), (b"iCCP", b"icc\0\0" + bomb), (b"iTXt", b"c\0\1\0\0\0" + bomb)):
        with pytest.raises(ImageError, match=r"bomb\.png"):
            read_image(saved(png(9, 6, 8, 0, rows, chunk), "bomb.png"))
    large = png(9, 6, 8, 0, rows, (b"tEXt", b"comment\0" + b"x" * 3_000_000))
    assert read_image(saved(large)).shape == (6, 9, 3)  # long, but not a bomb


def test_I09_a_chunk_that_claims_gigabytes_is_refused(saved):
    data = bytearray(encoded(RGB, "PNG"))
    data[33] = 0xF0
    with pytest.raises(ImageError, match=r"a\.png: is cut short or damaged"):
        read_image(saved(bytes(data), "a.png"))


@pytest.mark.parametrize("read", [read_image, read_label])
def test_I10_names_that_no_file_can_have_are_shown_with_escapes(read, tmp_path, capsys):
    with pytest.raises(DataError, match="cannot be read: File name too long"):
        read(tmp_path / ("x" * 300))
    with pytest.raises(DataError, match=r"bad\\\\udcff\.png"):
        read(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.png"))


def test_I03_a_list_of_hashes_that_lost_its_lines_is_an_error(own, capsys, tmp_path):
    (tmp_path / "SHA256SUMS").write_bytes(b"\n")
    code, _, err = run_command(capsys, "data", "verify", own[0], "--check", tmp_path / "SHA256SUMS")
    assert code == 3
    assert "SHA256SUMS: the list of hashes is empty" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["data", "check", LONG],
        ["data", "stats", LONG],
        ["data", "verify", LONG, "--check", LONG],
        ["train", LONG],
        ["ckpt", "info", LONG],
        ["config", "check", "demo", f"work_dir={LONG}"],
    ],
)
def test_I10_paths_longer_than_the_system_allows_end_every_command_without_a_traceback(arguments, capsys):
    assert run_command(capsys, *arguments).code in (0, 2, 3, 4, 5)
