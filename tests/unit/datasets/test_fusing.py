import numpy as np
import pytest
import torch

from ssseg.engine.labelcache import cache_labels
from ssseg.modules import BuildDataset
from ssseg.modules.datasets.folder import FolderDataset
from ssseg.modules.datasets.fusing import fuse_pipelines
from ssseg.modules.datasets.labelcodes import RunLengthLabels
from ssseg.modules.datasets.pipelines.compose import Compose
from ssseg.modules.datasets.pipelines.fused.ondevice import finished_images
from ssseg.modules.datasets.pipelines.fused.plan import FusedCompose
from ssseg.modules.datasets.seeding import SeededDataset
from ssseg.modules.utils.errors import ConfigError, LabelError
from tests.trees import folder_tree, make_labels, write_label

PIPELINE = [
    ("Resize", {"output_size": (40, 30)}),
    ("RandomCrop", {"crop_size": 20}),
    ("RandomFlip", {"prob": 0.5}),
    ("Normalize", {"mean": [120, 110, 100], "std": [60, 61, 62]}),
    ("ToTensor", {}),
    ("Padding", {"output_size": 20, "data_type": "tensor"}),
]


@pytest.fixture
def root(tmp_path):
    return folder_tree(tmp_path / "data", size=(24, 32))


def cfg_of(root, **options):
    return {"type": "FolderDataset", "rootdir": str(root), "data_pipelines": PIPELINE, **options}


def samples(dataset, epoch=1):
    dataset = SeededDataset(dataset)
    return [dataset[3, epoch, index] for index in range(len(dataset))]


def image_of(sample):
    deferred = sample.get("deferred")
    return sample["image"] if deferred is None else finished_images(sample["image"][None], [deferred])[0]


def assert_same_samples(dataset, expected, epoch=1):
    for sample, other in zip(samples(dataset, epoch), samples(expected, epoch), strict=True):
        assert torch.equal(image_of(sample), other["image"])
        assert torch.equal(sample["seg_target"], other["seg_target"])
        assert sample["id"] == other["id"]


def test_a_data_set_gives_the_documented_samples_until_it_is_fused(root):
    dataset, expected = (BuildDataset("TRAIN", None, cfg_of(root)) for _ in range(2))
    assert samples(dataset)[0]["image"].dtype == torch.float32
    fuse_pipelines(dataset)
    assert samples(dataset)[0]["image"].dtype == torch.uint8
    assert_same_samples(dataset, expected)


def test_scheduled_pipelines_are_fused_too(root):
    cfg = cfg_of(root, pipeline_schedule=[(2, [("RandomCrop", {"crop_size": 9}), *PIPELINE[3:5]])])
    dataset, expected = (BuildDataset("TRAIN", None, cfg) for _ in range(2))
    fuse_pipelines(dataset)
    for epoch in (1, 2):
        assert_same_samples(dataset, expected, epoch)


def test_the_option_switches_it_off(root):
    dataset = BuildDataset("TRAIN", None, cfg_of(root, fast_pipeline=False))
    fuse_pipelines(dataset)
    assert type(dataset.transforms) is Compose
    assert samples(dataset)[0]["image"].dtype == torch.float32


def test_the_data_sets_of_a_multiple_one_are_fused(root):
    part = {**cfg_of(root, label_cache=True), "seg_target_remapper": {0: 0, 1: 1, 2: 1}}
    cfg = {"type": "MultipleDataset", "rootdir": str(root), "a": part, "b": part}
    dataset, expected = (BuildDataset("TRAIN", None, cfg) for _ in range(2))
    fuse_pipelines(dataset)
    assert cache_labels(dataset) > 0
    assert all("deferred" in sample for sample in samples(dataset))
    assert_same_samples(dataset, expected)


@pytest.mark.parametrize("change", [{"fast_pipeline": False}, {"data_pipelines": PIPELINE[:4]}])
def test_where_one_part_defers_nothing_none_does(root, change):
    """All kinds of samples meet in a batch."""
    part = {**cfg_of(root), "seg_target_remapper": {0: 0, 1: 1, 2: 1}}
    cfg = {"type": "MultipleDataset", "rootdir": str(root), "a": part, "b": {**part, **change}}
    dataset = BuildDataset("TRAIN", None, cfg)
    fuse_pipelines(dataset)
    assert isinstance(dataset.datasets["a"].transforms, FusedCompose)
    assert not any("deferred" in sample for sample in samples(dataset))


class Brightened(FolderDataset):
    """A user's class that changes what is read."""

    def read(self, imagepath, annpath=None):
        sample_meta = super().read(imagepath, annpath)
        sample_meta["seg_target"] = np.where(sample_meta["seg_target"] == 1, 2, sample_meta["seg_target"])
        return sample_meta


def test_a_class_that_reads_in_its_own_way_sees_arrays(root):
    dataset, expected = (Brightened("TRAIN", None, cfg_of(root, label_cache=True)) for _ in range(2))
    fuse_pipelines(dataset)
    cache_labels(dataset)
    assert_same_samples(dataset, expected)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_labels_in_memory_are_those_of_the_files(root, workers):
    dataset, expected = (BuildDataset("TRAIN", None, cfg_of(root, label_cache=True)) for _ in range(2))
    fuse_pipelines(dataset)
    assert cache_labels(dataset, workers=workers) == dataset.label_store.nbytes > 0
    assert isinstance(dataset.label_store.get(dataset.ann_path("train_0")), RunLengthLabels)
    for path in (root / "labels/train").iterdir():
        path.unlink()  # nothing is read any more
    with pytest.raises(Exception, match="train_0"):
        samples(expected)
    stored = samples(dataset)
    folder_tree(root, size=(24, 32))
    for sample, other in zip(stored, samples(expected), strict=True):
        assert torch.equal(sample["seg_target"], other["seg_target"])


def test_a_label_file_that_cannot_be_used_is_named_when_it_is_read(root):
    write_label(root / "labels/train/train_1.png", make_labels(1, size=(24, 32)) + 77)
    dataset = BuildDataset("TRAIN", None, cfg_of(root, label_cache=True))
    cache_labels(dataset)
    assert len(dataset.label_store.numbers) == 3
    dataset[0]
    with pytest.raises(LabelError, match=r"train_1.png: holds the ids 77"):
        dataset[1]


def test_a_label_map_of_another_size_is_named(root):
    write_label(root / "labels/train/train_1.png", make_labels(1, size=(20, 32)))
    dataset = BuildDataset("TRAIN", None, cfg_of(root, label_cache=True))
    cache_labels(dataset)
    with pytest.raises(LabelError, match=r"train_1.png: the label map is 32 x 20 pixels"):
        dataset[1]


def test_without_the_option_nothing_is_kept(root):
    dataset = BuildDataset("TRAIN", None, cfg_of(root))
    assert cache_labels(dataset) == 0
    assert dataset.label_store is None


@pytest.mark.parametrize("option", [{"fast_pipeline": "no"}, {"label_cache": 1}, {"raw_cache": True}])
def test_options_of_other_types_are_named(root, option):
    (name,) = option
    with pytest.raises(ConfigError, match=f"'{name}'"):
        BuildDataset("TRAIN", None, cfg_of(root, **option))
