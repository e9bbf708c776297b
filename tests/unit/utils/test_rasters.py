"""Images of any number of channels and of 8 or 16 bits."""

import sys

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from ssseg.modules.utils.errors import ImageError, ResourceError
from ssseg.modules.utils.images import read_image
from ssseg.modules.utils.rasters import as_picture, read_header, read_pixels, read_raster

RNG = np.random.default_rng(0)


def noise(*shape, dtype=np.uint8):
    return RNG.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


@pytest.mark.parametrize("channels", [2, 5, 8, 13])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("planar", [False, True])
def test_tiff_of_many_channels(tmp_path, channels, dtype, planar):
    image = noise(6, 9, channels, dtype=dtype)
    stored = np.moveaxis(image, 2, 0) if planar else image
    config = "separate" if planar else "contig"
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="minisblack", planarconfig=config)
    read = read_raster(tmp_path / "a.tif", channels)
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, image)
    assert read_header(tmp_path / "a.tif")[2:] == (channels, 8 * image.itemsize)


def test_floating_point_keeps_its_values(tmp_path):
    image = RNG.normal(size=(5, 6, 4)).astype(np.float64)
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="minisblack", planarconfig="contig")
    np.testing.assert_array_equal(read_raster(tmp_path / "a.tif", 4), image.astype(np.float32))
    image[2, 3, 1] = np.nan
    tifffile.imwrite(tmp_path / "b.tif", image, photometric="minisblack", planarconfig="contig")
    with pytest.raises(ImageError, match=r"b\.tif: holds values that are not finite"):
        read_raster(tmp_path / "b.tif", 4)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_grey(tmp_path, suffix):
    image = noise(5, 7, dtype=np.uint16)
    Image.fromarray(image).save(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(read_raster(tmp_path / f"a.{suffix}", 1)[..., 0], image)
    np.testing.assert_array_equal(read_raster(tmp_path / f"a.{suffix}", 3), np.repeat(image[..., None], 3, 2))
    assert read_header(tmp_path / f"a.{suffix}")[2:] == (1, 16)


def test_16_bit_colour(tmp_path):
    image = noise(5, 7, 3, dtype=np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), image)
    np.testing.assert_array_equal(read_raster(tmp_path / "a.png", 3), image)
    assert read_header(tmp_path / "a.png")[2:] == (3, 16)


def test_16_bit_colour_in_a_tiff(tmp_path):
    for channels in (3, 4):
        image = noise(5, 7, channels, dtype=np.uint16)
        extra = ["unassalpha"] if channels == 4 else []
        tifffile.imwrite(tmp_path / "a.tif", image, photometric="rgb", extrasamples=extra)
        np.testing.assert_array_equal(read_raster(tmp_path / "a.tif", channels), image[..., [2, 1, 0, 3][:channels]])
        assert read_header(tmp_path / "a.tif")[2:] == (channels, 16)


def test_32_bit_grey_in_a_tiff(tmp_path):
    image = noise(5, 7, dtype=np.int32)
    tifffile.imwrite(tmp_path / "a.tif", image)
    np.testing.assert_array_equal(read_raster(tmp_path / "a.tif", 1)[..., 0], image.astype(np.float32))
    assert read_header(tmp_path / "a.tif")[2:] == (1, 32)


@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_alpha(tmp_path, suffix):
    rgba = noise(5, 7, 4)
    Image.fromarray(rgba, "RGBA").save(tmp_path / f"a.{suffix}", lossless=True, exact=True)
    read = read_raster(tmp_path / f"a.{suffix}", 4)
    np.testing.assert_array_equal(read, rgba[..., [2, 1, 0, 3]])
    np.testing.assert_array_equal(read_raster(tmp_path / f"a.{suffix}", 3), read[..., :3])
    assert read_header(tmp_path / f"a.{suffix}")[2:] == (4, 8)


def test_channels_that_can_be_made(tmp_path):
    rgb = noise(5, 7, 3)
    Image.fromarray(rgb).save(tmp_path / "rgb.png")
    Image.fromarray(rgb[..., 0]).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(read_raster(tmp_path / "rgb.png", 3), rgb[..., ::-1])
    assert (read_raster(tmp_path / "rgb.png", 4)[..., 3] == 255).all()
    np.testing.assert_array_equal(read_raster(tmp_path / "rgb.png", 1)[..., 0], cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
    np.testing.assert_array_equal(read_raster(tmp_path / "grey.png", 4)[..., 1], rgb[..., 0])


def test_other_channels_are_an_error(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", noise(5, 7, 6), photometric="minisblack", planarconfig="contig")
    with pytest.raises(
        ImageError, match=r"a\.tif: has 6 channels, but SEGMENTOR_CFG\['dataset'\]\['in_channels'\] is 4"
    ):
        read_raster(tmp_path / "a.tif", 4)
    with pytest.raises(ImageError, match=r"a\.tif: .*read with SEGMENTOR_CFG\['dataset'\]\['in_channels'\]"):
        read_image(tmp_path / "a.tif")


def test_several_pictures_in_a_file_are_an_error(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(noise(5, 7, 6), photometric="minisblack", planarconfig="contig")
        writer.write(noise(4, 4, 6), photometric="minisblack", planarconfig="contig")
    with pytest.raises(ImageError, match="is a TIFF of 2 pictures"):
        read_raster(tmp_path / "a.tif", 6)


def test_damage_is_told(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", noise(9, 7, 6), photometric="minisblack", planarconfig="contig")
    data = (tmp_path / "a.tif").read_bytes()
    for length in range(0, len(data), 23):
        (tmp_path / "cut.tif").write_bytes(data[:length])
        with pytest.raises(ImageError, match=r"cut\.tif: "):
            read_raster(tmp_path / "cut.tif", 6)


def test_without_the_package_the_message_names_it(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", noise(5, 7, 6), photometric="minisblack", planarconfig="contig")
    monkeypatch.setitem(sys.modules, "tifffile", None)
    with pytest.raises(ResourceError, match=r"a\.tif: .*tifffile: pip install 'ssseg\[tiff\]'"):
        read_raster(tmp_path / "a.tif", 6)


def test_none_reads_colours(tmp_path):
    Image.fromarray(noise(5, 7, 4), "RGBA").save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_pixels(tmp_path / "a.png", None), read_image(tmp_path / "a.png"))


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_pictures_for_people(channels, dtype):
    image = noise(5, 7, channels).astype(dtype) * dtype(257 if dtype == np.uint16 else 1)
    picture = as_picture(image)
    assert picture.shape == (5, 7, 3)
    assert picture.dtype == np.uint8
    if dtype != np.float32 and channels in (3, 4):
        np.testing.assert_array_equal(picture, image[..., 2::-1] // (257 if dtype == np.uint16 else 1))
