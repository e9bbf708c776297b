import io

import numpy as np
import pytest
from PIL import Image

from ssseg.modules.datasets.checking import check_files
from ssseg.modules.utils.errors import DataError, LabelError
from tests.trees import make_labels, write_image, write_label
from tests.unit.datasets.test_base import build, tree  # noqa: F401  (a fixture)


def test_a_whole_data_set_passes(tree):  # noqa: F811
    (tree / "images" / "1.jpg").rename(tree / "images" / "1.PNG")
    (tree / "labels" / "2.png").rename(tree / "labels" / "2.PNG")
    check_files(build(tree))
    assert build(tree)[2]["seg_target"].shape == (6, 8)


def test_d05_missing_files_are_counted_and_the_first_are_shown(tmp_path, tree):  # noqa: F811
    dataset = build(tree)
    dataset.imageids = ["0", "1", "2", *"abcdef"]
    with pytest.raises(
        DataError, match=r"Shapes: 6 of 9 images are missing, the first are (\S+/images/[a-e]\.jpg(, )?){5}$"
    ):
        dataset.check_files()
    (tree / "labels" / "1.png").unlink()
    with pytest.raises(
        DataError, match=r"Shapes: 1 of 3 label maps are missing, the first are \S+/labels/1\.png$"
    ) as error:
        build(tree).check_files()
    assert error.value.exit_code == 3


def test_d01_a_missing_folder_is_named(tree):  # noqa: F811
    (tree / "labels").rename(tree / "label")
    with pytest.raises(DataError, match=r"folder of the label maps, \S+/labels does not exist.*Did you mean 'label'\?"):
        build(tree).check_files()


def test_a_data_set_without_images_is_refused(tree):  # noqa: F811
    dataset = build(tree)
    dataset.imageids = []
    with pytest.raises(DataError, match="Shapes: there are no images"):
        dataset.check_files()


def test_d06_ids_of_a_users_class_are_checked_as_well(tree):  # noqa: F811
    dataset = build(tree)
    dataset.imageids = ["../images/0"]
    with pytest.raises(DataError, match=r"Shapes: the image id '\.\./images/0' leads out"):
        dataset.check_files()


def test_d07_l10_image_and_label_map_of_different_size_are_named(tree):  # noqa: F811
    write_label(tree / "labels" / "1.png", np.zeros((6, 7)))
    with pytest.raises(
        LabelError, match=r"labels/1\.png: the label map is 7 x 6 pixels .* \S+images/1\.jpg is 8 x 6\.$"
    ):
        build(tree)[1]


def test_d07_exif_explains_a_turned_image(tree):  # noqa: F811
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    Image.fromarray(np.zeros((6, 8, 3), np.uint8)).save(stream, "JPEG", exif=exif)
    (tree / "images" / "1.jpg").write_bytes(stream.getvalue())
    with pytest.raises(
        LabelError, match=r"8 x 6 pixels .* is 6 x 8\. The image is turned as its EXIF orientation 6 says"
    ):
        build(tree)[1]
    write_label(tree / "labels" / "1.png", np.rot90(make_labels(1), -1))
    assert build(tree)[1]["seg_target"].shape == (8, 6)
    write_image(tree / "images" / "1.jpg", np.zeros((6, 8, 3), np.uint8))
    with pytest.raises(LabelError, match=r"is 8 x 6\.$"):
        build(tree)[1]
