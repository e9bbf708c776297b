import numpy as np
import pytest
from PIL import Image

from ssseg.modules.datasets.builder import BuildDataset
from ssseg.modules.utils.errors import DataError
from ssseg.modules.utils.images import read_label
from tests import shared
from tests.trees import make_labels, write_label, write_list, write_pair

SAMPLES = shared.DATA / "samples/Cityscapes"


def cityscapes_tree(root, splits=("train", "val")):
    for split in splits:
        imageid = f"{split}city/{split}city_000000_000019_leftImg8bit"
        image = root / "leftImg8bit" / split / f"{imageid}.png"
        label = root / "gtFine" / split / f"{imageid.replace('leftImg8bit', 'gtFine_labelIds')}.png"
        write_pair(image, label, 0)
        write_label(label, np.array([7, 33, 3], np.uint8)[make_labels(0)])
        write_list(root / f"{split}.txt", [imageid])
    return {"type": "CityScapesDataset", "rootdir": str(root), "train": {"set": "train"}, "test": {"set": "val"}}


def test_trainval_is_train_and_val_where_there_is_no_list_of_it(tmp_path):
    cfg = cityscapes_tree(tmp_path) | {"train": {"set": "trainval"}}
    dataset = BuildDataset("TRAIN", None, cfg)
    dataset.check_files()
    assert [imageid.split("/")[0] for imageid in dataset.imageids] == ["traincity", "valcity"]
    assert all(np.array_equal(np.unique(sample["seg_target"]), [-100, 0, 18]) for sample in dataset)


def test_without_a_list_all_images_count(tmp_path):
    cfg = cityscapes_tree(tmp_path) | {"train": {"set": "trainval"}}
    listed = BuildDataset("TRAIN", None, cfg).imageids
    for split in ("train", "val"):
        (tmp_path / f"{split}.txt").unlink()
    dataset = BuildDataset("TRAIN", None, cfg)
    dataset.check_files()
    assert dataset.imageids == listed
    with pytest.raises(DataError, match=r"the list of image ids .*vall\.txt does not exist"):
        BuildDataset("TEST", None, cfg | {"test": {"set": "vall"}})


def test_a_folder_of_its_own_for_trainval_is_read_as_well(tmp_path):
    cfg = cityscapes_tree(tmp_path, ["trainval"]) | {"train": {"set": "trainval"}}
    dataset = BuildDataset("TRAIN", None, cfg)
    dataset.check_files()
    assert len(dataset) == 1


def test_files_for_the_server_have_label_ids_flat_names_and_colours(tmp_path):
    cfg = cityscapes_tree(tmp_path) | {"eval_env": "server"}
    dataset = BuildDataset("TEST", None, cfg)
    assert (tmp_path / "gtFine" / "val").is_dir()
    sample = dataset[0]
    assert np.unique(sample["seg_target"]).tolist() == [0]
    labels = np.arange(19).reshape(1, 19)
    (path,) = dataset.formatresults([labels], [sample["id"]], savedir=str(tmp_path / "new" / "results"))
    assert path == str(tmp_path / "new" / "results" / "valcity_000000_000019_leftImg8bit.png")
    picture = Image.open(path)
    assert picture.mode == "P"
    written = np.asarray(picture)[0].tolist()
    assert written == [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
    assert np.asarray(picture.convert("RGB"))[0].tolist() == [list(colour) for colour in dataset.palette]
    (path,) = dataset.formatresults([labels], [sample["id"]], to_label_id=False, savedir=str(tmp_path / "labels"))
    assert np.asarray(Image.open(path))[0].tolist() == list(range(19))


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"{SAMPLES} is not here")
def test_real_label_ids_become_the_train_ids_that_come_with_them(tmp_path):
    for name in ("leftImg8bit", "gtFine"):
        (tmp_path / name).symlink_to(SAMPLES / name)
    write_list(tmp_path / "val.txt", ["frankfurt/frankfurt_000000_000294_leftImg8bit"])
    dataset = BuildDataset("TEST", None, {"type": "CityScapesDataset", "rootdir": str(tmp_path), "set": "val"})
    dataset.check_files()
    frame = SAMPLES / "gtFine/val/frankfurt/frankfurt_000000_000294_gtFine_labelTrainIds.png"
    expected = np.asarray(Image.open(frame)).astype(int)
    differs = dataset[0]["seg_target"].numpy() != np.where(expected == 255, -100, expected)
    assert differs.mean() < 0.003  # the two files were made smaller one by one


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"{SAMPLES} is not here")
def test_real_16_bit_files_keep_their_numbers():
    frame = SAMPLES / "gtFine/train/aachen/aachen_000000_000019_gtFine_instanceIds.png"
    instances = read_label(frame).astype(int)
    labels = read_label(str(frame).replace("instanceIds", "labelIds"))
    assert instances.max() >= 24000
    assert np.array_equal(np.where(instances >= 1000, instances // 1000, instances), labels)
