import pytest

from ssseg.modules.datasets.paths import FolderListing, find_file, missing, require_folder
from ssseg.modules.utils.errors import DataError


def names(*existing):
    return lambda path: path in existing


@pytest.mark.parametrize("found", ["a.jpg", "a.JPG", "a.jpeg", "a.JPEG", "a.png", "a.PNG", "a.tif"])
def test_d12_other_spellings_of_an_extension_are_found(found):
    assert find_file("a", ".jpg", names(found, "b.jpg")) == found


def test_the_extension_that_was_asked_for_comes_first():
    assert find_file("a", ".png", names("a.jpg", "a.PNG", "a.png")) == "a.png"
    assert find_file("a", ".png", names("a.jpg", "a.PNG")) == "a.PNG"
    assert find_file("a", ".png", names()) == "a.png"


def test_endings_before_the_extension_are_kept():
    assert find_file("21", "_manual1.png", names("21.png", "21_manual1.PNG")) == "21_manual1.PNG"
    assert find_file("a.tiff", "", names("a.tif")) == "a.tiff"


def test_a_listing_answers_like_the_disk(tmp_path):
    (tmp_path / "a.png").touch()
    listing = FolderListing()
    assert listing.holds(str(tmp_path / "a.png"))
    assert not listing.holds(str(tmp_path / "b.png"))
    assert not listing.holds(str(tmp_path / "nowhere" / "a.png"))


@pytest.fixture
def tree(tmp_path):
    path = tmp_path / "VOCdevkit" / "VOC2012" / "Lists" / "train.txt"
    path.parent.mkdir(parents=True)
    path.touch()
    return tmp_path


@pytest.mark.parametrize("root", ["VOCdevkit", "VOCdevkit/VOC2012/Lists"])
def test_d01_a_root_one_level_off_is_explained(tree, root):
    text = missing(tree / root / "Lists" / "train.txt")
    right = tree / "VOCdevkit" / "VOC2012" / "Lists" / "train.txt"
    assert f"{right} exists: check the level of SEGMENTOR_CFG['dataset']['rootdir']" in text
    assert f"{tree / root} holds: " in text


def test_d01_a_misspelt_folder_is_explained(tree):
    assert "holds: VOC2012. Did you mean 'VOC2012'?" in missing(tree / "VOCdevkit" / "VOC2021" / "Lists" / "train.txt")


def test_d01_an_empty_folder_is_called_so(tmp_path):
    assert f"{tmp_path} is empty." in missing(tmp_path / "images")


def test_c15_relative_paths_are_shown_resolved(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=rf"the folder of the images, {tmp_path}/data/images does not exist"):
        require_folder("data/images", "the folder of the images,")
    require_folder(".", "this folder")


def test_a_file_is_no_folder(tree):
    with pytest.raises(DataError, match=r"rootdir: .*train\.txt is a file, not a folder"):
        require_folder(tree / "VOCdevkit" / "VOC2012" / "Lists" / "train.txt", "rootdir:")
