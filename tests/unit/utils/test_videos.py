import shutil

import cv2
import numpy as np
import pytest
from PIL import Image

from ssseg.modules.utils import videos
from ssseg.modules.utils.errors import DataError, ImageError
from ssseg.modules.utils.videos import open_video

PICTURES = np.random.default_rng(0).integers(0, 256, (4, 6, 8, 3), dtype=np.uint8)


def save(folder, names):
    for name, picture in zip(names, PICTURES, strict=False):
        Image.fromarray(picture).save(folder / name)


def same(pictures, expected):
    assert len(pictures) == len(expected)
    for i, picture in enumerate(expected):
        np.testing.assert_array_equal(pictures.read(i), picture)


@pytest.mark.parametrize("names", [["2.png", "10.png", "3.png"], ["00002.png", "00010.png", "00003.png"]])
def test_a_folder_is_read_in_the_order_of_its_numbers(tmp_path, names):
    save(tmp_path, names)
    (tmp_path / "notes.txt").write_text("not a picture")
    pictures = open_video(tmp_path)
    same(pictures, PICTURES[[0, 2, 1]])
    assert pictures.name(1) == str(tmp_path / names[2])


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG"])
def test_jpeg_pictures(tmp_path, suffix):
    save(tmp_path, [f"0{suffix}", f"1{suffix}"])
    assert [open_video(str(tmp_path)).read(i).shape for i in range(2)] == [(6, 8, 3)] * 2


def test_a_small_folder_may_be_deleted_while_somebody_works_on_it(tmp_path):
    save(tmp_path, ["0.png", "1.png"])
    pictures = open_video(tmp_path)
    shutil.rmtree(tmp_path)
    same(pictures, PICTURES[:2])


def test_a_large_folder_is_read_as_it_is_needed(tmp_path, monkeypatch):
    save(tmp_path, ["0.png", "1.png"])
    monkeypatch.setattr(videos, "MAX_HELD", 10)
    pictures = open_video(tmp_path)
    assert pictures.held is None
    same(pictures, PICTURES[:2])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "holds no pictures named by numbers, such as 0.jpg"),
        (["0.png", "cat.png"], "cat.png: the pictures of a video are named by numbers"),
        (["1.png", "01.png"], "1.png: has the number of 01.png"),
    ],
)
def test_a_folder_that_is_no_video(tmp_path, names, message):
    save(tmp_path, names)
    with pytest.raises(DataError, match=message):
        open_video(tmp_path)


def test_a_damaged_picture_is_named(tmp_path):
    save(tmp_path, ["0.png"])
    (tmp_path / "1.png").write_bytes(b"damaged")
    with pytest.raises(ImageError, match=r"1\.png"):
        open_video(tmp_path).read(1)


@pytest.mark.parametrize("kind", [np.asarray, list, lambda x: [Image.fromarray(picture) for picture in x]])
def test_arrays_and_pictures(kind):
    same(open_video(kind(PICTURES)), PICTURES)


@pytest.mark.parametrize(
    ("given", "message"),
    [([], "holds no pictures"), (np.zeros((2, 6, 8), np.uint8), "picture 0: is"), (PICTURES / 255, "float64")],
)
def test_arrays_that_are_no_pictures(given, message):
    with pytest.raises(DataError, match=message):
        open_video(given).read(0)


@pytest.fixture(params=["x.avi MJPG", "x.mp4 mp4v"])
def video_file(request, tmp_path):
    """Three flat pictures, of growing brightness; compression changes them a little."""
    name, codec = request.param.split()
    writer = cv2.VideoWriter(str(tmp_path / name), cv2.VideoWriter.fourcc(*codec), 10, (64, 32))
    if not writer.isOpened():
        pytest.skip(f"this OpenCV does not write {codec}")
    for level in (20, 100, 200):
        writer.write(np.full((32, 64, 3), (level, 0, 0), np.uint8))  # blue
    writer.release()
    return tmp_path / name


def test_a_video_file_in_any_order(video_file):
    pictures = open_video(video_file)
    assert len(pictures) == 3
    for i in (0, 1, 2, 0, 2, 1, 1):
        picture = pictures.read(i)
        assert picture.shape == (32, 64, 3)
        assert abs(int(picture[8, 16, 2]) - (20, 100, 200)[i]) < 15
        assert picture[8, 16, 0] < 15
    assert pictures.name(2) == f"{video_file}: picture 2"


def test_what_is_no_video_file(tmp_path):
    with pytest.raises(DataError, match="there is no such folder of pictures or video file"):
        open_video(tmp_path / "none.mp4")
    (tmp_path / "x.mp4").write_bytes(b"no video")
    with pytest.raises(DataError, match=r"x\.mp4: is no video that OpenCV reads"):
        open_video(tmp_path / "x.mp4")
