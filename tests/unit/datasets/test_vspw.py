from collections import Counter

import numpy as np
import pytest

from ssseg.modules.datasets.builder import BuildDataset
from ssseg.modules.datasets.seeding import SeededDataset
from ssseg.modules.utils.errors import DataError
from ssseg.modules.utils.images import read_label
from tests.recorded import recorded_tree
from tests.trees import make_labels, write_label

VIDEO = "1001_5z_ijQjUf_0"


@pytest.fixture
def cfg(tmp_path):
    cfg = recorded_tree(tmp_path, "VSPWDataset")
    for number, frame in enumerate(("00000100", "00000115")):  # the label tells the frame
        write_label(tmp_path / "data" / VIDEO / "mask" / f"{frame}.png", np.full((6, 8), number + 1))
    return cfg


def test_training_draws_a_frame_of_each_video_from_the_seed(cfg):
    dataset = SeededDataset(BuildDataset("TRAIN", None, cfg))
    drawn = [int(dataset[(0, epoch, 0)]["seg_target"][0, 0]) for epoch in range(1, 41)]
    assert min(Counter(drawn).values()) > 8
    assert set(drawn) == {0, 1}
    assert drawn == [int(dataset[(0, epoch, 0)]["seg_target"][0, 0]) for epoch in range(1, 41)]
    assert dataset[(0, 1, 0)]["id"] == VIDEO
    assert len(dataset) == 2
    with pytest.raises(IndexError):
        dataset[(0, 1, 2)]


def test_results_are_written_by_video_and_frame(cfg, tmp_path):
    dataset = BuildDataset("TEST", None, cfg | {"eval_env": "server"})
    paths = dataset.formatresults([make_labels(0)] * 4, dataset.imageids, savedir=str(tmp_path / "out"))
    assert paths[1] == str(tmp_path / "out" / VIDEO / "00000115.png")
    assert np.array_equal(read_label(paths[1]), make_labels(0) + 1)


def test_a_missing_video_is_named(cfg, tmp_path):
    (tmp_path / "data" / VIDEO).rename(tmp_path / "data" / "other")
    with pytest.raises(DataError, match=rf"the frames of the video '{VIDEO}', .* does not exist"):
        BuildDataset("TEST", None, cfg)
