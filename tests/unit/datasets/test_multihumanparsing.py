import numpy as np
import pytest

from ssseg.modules.datasets.builder import BuildDataset
from ssseg.modules.utils.errors import DataError, LabelError
from tests.recorded import recorded_tree
from tests.trees import write_label

KINDS = {
    "MHPv1Dataset": ("annotations/0001", "0001.jpg", "0001.png"),
    "MHPv2Dataset": ("train/parsing_annos/3793", "3793", "3793.png"),
}


@pytest.fixture(params=KINDS)
def tree(request, tmp_path):
    """The cfg of a data set, and the beginning of the names of its label files."""
    return recorded_tree(tmp_path, request.param), tmp_path / KINDS[request.param][0]


def test_where_people_overlap_the_later_name_counts(tree):
    cfg, stem = tree
    first, second = np.zeros((2, 6, 8), np.uint8)
    first[:4], second[2:] = 3, 18
    second[:, 0] = 0
    write_label(stem.with_name(f"{stem.name}_02_02.png"), second)
    write_label(stem.with_name(f"{stem.name}_02_01.png"), first)
    expected = np.where(second > 0, second, first)
    assert np.array_equal(BuildDataset("TRAIN", None, cfg)[0]["seg_target"], expected)


def test_images_without_label_files_are_named(tree):
    cfg, stem = tree
    for path in stem.parent.iterdir():
        path.rename(path.with_name(f"9{path.name}"))
    with pytest.raises(DataError, match=rf"1 of 1 label maps are missing, the first are .*{stem.name}_\*\.png"):
        BuildDataset("TRAIN", None, cfg).check_files()


def test_label_files_of_different_sizes_are_named(tree):
    cfg, stem = tree
    write_label(stem.with_name(f"{stem.name}_02_02.png"), np.zeros((3, 3), np.uint8))
    with pytest.raises(LabelError, match=r"_02_02\.png: is \(3, 3\) \(height, width\), .*_02_01\.png \(6, 8\)"):
        BuildDataset("TRAIN", None, cfg)[0]


def test_a_server_needs_no_label_files(tree, tmp_path):
    cfg, stem = tree
    for path in stem.parent.iterdir():
        path.unlink()
    dataset = BuildDataset("TEST", None, cfg | {"eval_env": "server"})
    dataset.check_files()
    sample = dataset[0]
    assert np.unique(sample["seg_target"]).tolist() == [0]
    _, imageid, result = KINDS[cfg["type"]]
    assert sample["id"] == imageid
    assert dataset.formatresults([np.zeros((6, 8))], [imageid], savedir=str(tmp_path)) == [str(tmp_path / result)]
