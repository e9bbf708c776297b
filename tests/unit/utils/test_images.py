"""One test a rule of `utils.images`; the ids in the names are rows of the reliability plan."""

import os
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from ssseg.modules.utils.errors import ImageError, LabelError, ResourceError
from ssseg.modules.utils.images import orientation, read_image, read_label, write_png
from tests.pictures import encoded, png

RNG = np.random.default_rng(7)
RGB = RNG.integers(0, 256, (6, 9, 3), dtype=np.uint8)
GREY = np.ascontiguousarray(RGB[..., 0])
BGR = np.ascontiguousarray(RGB[..., ::-1])


# ---- images


@pytest.mark.parametrize(
    ("kind", "options"), [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("PPM", {}), ("WEBP", {"lossless": True})]
)
def test_colours_are_read_exactly_from_lossless_formats(saved, kind, options):
    image = read_image(saved(encoded(RGB, kind, **options)))
    assert image.dtype == np.uint8
    assert np.array_equal(image, BGR)


def test_a_jpeg_is_read_as_opencv_reads_it(saved):
    path = saved(encoded(RGB, "JPEG"), "a.jpg")
    assert np.array_equal(read_image(path), cv2.imread(str(path)))


def test_the_format_is_told_from_the_contents_not_the_name(saved):
    assert np.array_equal(read_image(saved(encoded(RGB, "PNG"), "a.jpg")), BGR)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_i05_grey_1_bit_16_bit_alpha_and_palette_become_8_bit_bgr(saved, kind):
    three = np.repeat(GREY[..., None], 3, axis=2)
    alpha = np.dstack([RGB, GREY])
    deep = RNG.integers(0, 65536, (6, 9), dtype=np.uint16)
    palette = Image.fromarray(GREY % 3)
    palette.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    colours = np.array([[10, 20, 30], [40, 50, 60], [70, 80, 90]], np.uint8)
    assert np.array_equal(read_image(saved(encoded(GREY, kind))), three)
    assert np.array_equal(read_image(saved(encoded(GREY > 100, kind))), np.where(three > 100, 255, 0))
    assert np.array_equal(read_image(saved(encoded(alpha, kind))), BGR)
    assert np.array_equal(read_image(saved(encoded(deep, kind))), np.repeat(deep[..., None] >> 8, 3, axis=2))
    assert np.array_equal(read_image(saved(encoded(palette, kind))), colours[GREY % 3][..., ::-1])


def test_i05_cmyk_is_converted(saved):
    cmyk = Image.fromarray(RGB).convert("CMYK")
    assert np.array_equal(read_image(saved(encoded(cmyk, "TIFF"))), BGR)
    assert np.abs(read_image(saved(encoded(cmyk, "JPEG", quality=100))).astype(int) - BGR).max() < 60


def test_i05_floating_point_has_no_range(saved):
    with pytest.raises(ImageError, match=r"picture: a TIFF picture of mode F .*8-bit RGB"):
        read_image(saved(encoded(GREY.astype(np.float32), "TIFF")))


def oriented(number, kind, picture=RGB, **options):
    exif = Image.Exif()
    exif[0x0112] = number
    return encoded(picture, kind, exif=exif, **options)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("number", range(1, 9))
def test_i06_pictures_are_turned_as_their_orientation_says(saved, kind, number):
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100, "subsampling": 0}}.get(kind, {})
    shown = {
        1: BGR,
        2: BGR[:, ::-1],
        3: BGR[::-1, ::-1],
        4: BGR[::-1],
        5: BGR.swapaxes(0, 1),
        6: np.rot90(BGR, -1),
        7: np.rot90(BGR, 2).swapaxes(0, 1),
        8: np.rot90(BGR, 1),
    }[number]
    path = saved(oriented(number, kind, **options))
    image = read_image(path)
    assert image.shape == shown.shape
    assert np.abs(image.astype(int) - shown).max() <= (8 if kind == "JPEG" else 0)
    assert image.flags.c_contiguous
    if kind != "TIFF":
        assert orientation(path) == number


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("number", range(1, 9))
def test_i06_labels_are_turned_like_images(saved, kind, number):
    three = np.repeat(GREY[..., None], 3, axis=2)
    image = read_image(saved(oriented(number, kind, three), "image"))
    assert np.array_equal(read_label(saved(oriented(number, kind, GREY), "label")), image[..., 0])


def test_broken_exif_does_not_make_a_picture_unreadable(saved):
    data = encoded(RGB, "JPEG", exif=b"Exif\0\0" + b"\x13" * 40)
    assert read_image(saved(data)).shape == RGB.shape


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "an empty file"),
        (b"<!DOCTYPE html><title>404</title>", "an HTML page"),
        (b"not a picture", "text"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"%PDF-1.4\n%", "a PDF document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "a PostScript document"),
    ],
)
@pytest.mark.parametrize("read", [read_image, read_label])
def test_i01_i08_what_is_no_picture_is_refused_by_its_kind(saved, data, kind, read):
    with pytest.raises(ImageError, match=rf"photo\.jpg: cannot be read as a picture: it is {kind}.*JPEG, PNG"):
        read(saved(data, "photo.jpg"))


@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("TIFF", {}), ("BMP", {}), ("WEBP", {}), ("PPM", {})],
)
def test_i02_a_picture_that_is_cut_short_is_never_half_read(saved, kind, options):
    whole = encoded(np.kron(RGB, np.ones((8, 8, 1), np.uint8)), kind, **options)
    pixels = read_image(saved(whole))
    for offset in np.linspace(0, len(whole) - 1, 60).astype(int):
        path = saved(whole[:offset], "cut.img")
        with pytest.raises(ImageError, match=r"cut\.img"):
            read_image(path)
    assert pixels.shape == (48, 72, 3)


def test_i02_a_jpeg_without_its_end_is_refused_even_where_the_decoder_would_fill_it_up(saved, monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: BGR)  # what older releases do
    with pytest.raises(ImageError, match=r"a\.jpg: is cut short or damaged; it begins as a JPEG picture"):
        read_image(saved(encoded(RGB, "JPEG")[:-2], "a.jpg"))


def test_i02_bytes_after_the_end_of_a_jpeg_are_allowed(saved):
    assert read_image(saved(encoded(RGB, "JPEG") + bytes(1000))).shape == RGB.shape


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "GIF", "BMP", "WEBP", "PPM"])
def test_i03_flipped_bytes_give_pixels_or_an_error_that_names_the_file(saved, kind):
    whole, rng = encoded(RGB, kind), np.random.default_rng(1)
    for _ in range(150):
        mutant = bytearray(whole)
        for position in rng.integers(0, len(mutant), 3):
            mutant[position] = rng.integers(0, 256)
        path = saved(bytes(mutant), "mutant.img")
        for read in (read_image, read_label):
            try:
                outcome = str(read(path).shape)
            except (ImageError, LabelError) as error:
                outcome = str(error)
            assert outcome.startswith("(") or "mutant.img" in outcome


BOMB = """
import resource, sys, time
from ssseg.modules.utils.images import read_image, read_label
from ssseg.modules.utils.errors import ImageError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.process_time()
for path in sys.argv[1:]:
    for read in (read_image, read_label):
        try:
            read(path)
        except ImageError as error:
            assert "is too large" in str(error), error
        else:
            raise SystemExit(f"{path} was read")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, time.process_time() - start)
"""


def test_i04_bombs_are_refused_from_the_header(saved):
    bombs = [
        saved(png(20_000, 20_000, 8, 0, bytes(20_000)), "big.png"),
        saved(png(2**31 - 1, 2**31 - 1, 8, 2), "huge.png"),
        saved(
            b"BM" + struct.pack("<IHHIIiiHHIIiiII", 99, 0, 0, 54, 40, 60_000, 60_000, 1, 24, 0, 0, 0, 0, 0, 0), "b.bmp"
        ),
    ]
    command = [sys.executable, "-c", BOMB, *map(str, bombs)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    mebibytes, seconds = map(float, done.stdout.split())
    assert mebibytes < 100
    assert seconds < 2


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "PNG", "WEBP"])
def test_i08_several_frames_are_refused(saved, kind):
    frames = [Image.fromarray(np.roll(RGB, shift, 0)) for shift in range(3)]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    for read in (read_image, read_label):
        if kind == "WEBP" and read is read_label:
            continue
        with pytest.raises(ImageError, match=rf"movie: is a {kind} with several frames"):
            read(saved(data, "movie"))


def test_a_photograph_with_previews_behind_it_is_read(saved):
    data = encoded(Image.fromarray(RGB), "MPO", save_all=True, append_images=[Image.fromarray(RGB[::2])])
    assert read_image(saved(data, "phone.jpg")).shape == RGB.shape


def test_i09_a_chunk_that_claims_gigabytes_is_refused_before_it_is_allocated(saved, monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("OpenCV 5 would allocate 4 GB"))
    data = bytearray(encoded(RGB, "PNG"))
    data[33] = 0xF0
    with pytest.raises(ImageError, match=r"a\.png: is cut short or damaged; it begins as a PNG picture"):
        read_image(saved(bytes(data), "a.png"))


def test_i09_metadata_bombs_stay_within_limits(saved):
    text = b"comment\0\0" + zlib.compress(bytes(20_000_000), 9)
    with pytest.raises(ImageError, match=r"text\.png"):
        read_image(saved(png(9, 6, 8, 0, bytes(60), (b"zTXt", text)), "text.png"))
    profile = b"icc\0\0" + zlib.compress(bytes(20_000_000), 9)
    with pytest.raises(ImageError, match=r"icc\.png: .*Decompressed data too large"):
        read_image(saved(png(9, 6, 8, 0, bytes(60), (b"iCCP", profile)), "icc.png"))


def test_d10_i10_paths_that_cannot_be_read_are_named(tmp_path):
    loop = tmp_path / "loop.png"
    loop.symlink_to(loop)
    for path, reason in [
        (tmp_path / "nowhere.png", "No such file"),
        (tmp_path, "Is a directory"),
        (loop, "Too many levels of symbolic links"),
        (tmp_path / ("x" * 300), "File name too long"),
        ("a\0b.png", "null byte"),
    ]:
        for read in (read_image, read_label):
            with pytest.raises(ImageError, match=f"cannot be read: .*{reason}"):
                read(path)
    with pytest.raises(ImageError, match=r"bad\\\\udcff\.png"):
        read_image(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.png"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_d10_a_file_without_permission_is_named(saved):
    path = saved(encoded(RGB, "PNG"))
    path.chmod(0)
    with pytest.raises(ImageError, match="Permission denied"):
        read_image(path)


# ---- labels


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_labels_of_lossless_formats_are_exact(saved, kind):
    label = read_label(saved(encoded(GREY, kind)))
    assert label.shape == GREY.shape
    assert label.dtype == np.uint8
    assert np.array_equal(label, GREY)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF"])
def test_l02_palettes_give_indices(saved, kind):
    picture = Image.fromarray(GREY % 21)
    picture.putpalette(RNG.integers(0, 256, 768, dtype=np.uint8).tobytes())
    label = read_label(saved(encoded(picture, kind)))
    assert label.shape == GREY.shape
    if kind == "GIF":  # the encoder renumbers; what is stored is what is read
        assert len(np.unique(label)) <= 21
    else:
        assert np.array_equal(label, GREY % 21)


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("colour_type", [0, 3])
def test_few_bits_are_not_stretched(saved, depth, colour_type):
    values = np.arange(16).reshape(2, 8) % 2**depth
    packed = ["".join(f"{value:0{depth}b}" for value in row) for row in values]
    rows = b"".join(b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big") for bits in packed)
    palette = [(b"PLTE", RNG.integers(0, 256, 3 * 2**depth, dtype=np.uint8).tobytes())] if colour_type == 3 else []
    assert np.array_equal(read_label(saved(png(8, 2, depth, colour_type, rows, *palette))), values)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_l03_16_bits_are_read_as_they_are(saved, kind):
    deep = np.arange(300, 321, dtype=np.uint16).reshape(3, 7)
    label = read_label(saved(encoded(deep, kind)))
    assert label.dtype.itemsize >= 2
    assert np.array_equal(label, deep)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_1_bit_is_0_and_1(saved, kind):
    label = read_label(saved(encoded(GREY > 100, kind)))
    assert label.dtype == np.uint8
    assert np.array_equal(label, GREY > 100)


def test_a_floating_point_tiff_keeps_its_numbers(saved):
    values = np.array([[0.5, np.nan]], np.float32)
    assert np.array_equal(read_label(saved(encoded(values, "TIFF"))), values, equal_nan=True)


def test_colours_stay_colours_without_alpha(saved):
    assert np.array_equal(read_label(saved(encoded(RGB, "PNG"))), RGB)
    assert np.array_equal(read_label(saved(encoded(np.dstack([RGB, GREY]), "PNG"))), RGB)
    assert np.array_equal(read_label(saved(encoded(np.dstack([GREY, GREY // 2]), "PNG"))), GREY)


@pytest.mark.parametrize(("kind", "options"), [("JPEG", {}), ("WEBP", {}), ("TIFF", {"compression": "jpeg"})])
def test_l06_lossy_formats_are_refused(saved, kind, options):
    with pytest.raises(LabelError, match=rf"label: a {kind} file cannot hold labels.*PNG"):
        read_label(saved(encoded(GREY, kind, **options), "label"))


@pytest.mark.parametrize(
    "data",
    [
        b"P5\n2 2\n20\n\0\1\2\3",
        b"P2\n2 2\n20\n0 1 2 3\n",
        cv2.imencode(".png", RNG.integers(0, 65536, (2, 2, 3), dtype=np.uint16))[1].tobytes(),
    ],
)
def test_labels_that_a_decoder_would_rescale_are_refused(saved, data):
    with pytest.raises(LabelError, match=r"label: .*rescaled.*PNG"):
        read_label(saved(data, "label"))


# ---- writing


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64])
def test_what_is_written_is_read_back(tmp_path, dtype):
    path = tmp_path / "label.png"
    write_png(path, GREY.astype(dtype), palette=[(1, 2, 3), (4, 5, 6)])
    assert np.array_equal(read_label(path), GREY)
    assert Image.open(path).getpalette()[:6] == [1, 2, 3, 4, 5, 6]
    write_png(path, GREY.astype(np.int64 if dtype == np.int64 else np.uint16) * 100)
    assert np.array_equal(read_label(path), GREY.astype(int) * 100)
    write_png(path, RGB)
    assert np.array_equal(read_label(path), RGB)


@pytest.mark.parametrize(("value", "palette"), [(-1, None), (70_000, None), (256, [(0, 0, 0)])])
def test_numbers_that_do_not_fit_are_refused(tmp_path, value, palette):
    with pytest.raises(LabelError, match=r"label\.png: a PNG .*cannot hold the numbers"):
        write_png(tmp_path / "label.png", np.array([[0, value]]), palette)
    assert not list(tmp_path.iterdir())


def test_writing_into_a_folder_that_is_not_there_names_it(tmp_path):
    with pytest.raises(ResourceError, match="nowhere"):
        write_png(tmp_path / "nowhere" / "label.png", GREY)
