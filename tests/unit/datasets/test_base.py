import itertools

import numpy as np
import pytest
import torch

from ssseg.modules.datasets.base import BaseDataset, read_ids
from ssseg.modules.utils.errors import ConfigError, DataError, ImageError, LabelError, ShapeError
from ssseg.modules.utils.labelmap import LabelMap
from tests.trees import make_image, make_labels, write_image, write_label, write_list


class Shapes(BaseDataset):
    """Like a user's data set: paths and ids are set after the base class."""

    num_classes = 3
    classnames = ["__background__", "square", "disc"]
    palette = [(0, 0, 0), (255, 0, 0), (0, 255, 0)]
    clsid2label = {255: -100}

    def __init__(self, mode, logger_handle, dataset_cfg):
        super().__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        self.image_dir = f"{dataset_cfg['rootdir']}/images"
        self.ann_dir = f"{dataset_cfg['rootdir']}/labels"
        self.imageids = read_ids(f"{dataset_cfg['rootdir']}/train.txt")


@pytest.fixture
def tree(tmp_path):
    for number in range(3):
        labels = make_labels(number)
        labels[0, 0] = 255
        write_image(tmp_path / "images" / f"{number}.jpg", make_image(labels, number))
        write_label(tmp_path / "labels" / f"{number}.png", labels)
    write_list(tmp_path / "train.txt", ["0", "1", "2"])
    return tmp_path


def build(tree, mode="TRAIN", **options):
    return Shapes(mode, None, {"type": "Shapes", "rootdir": str(tree), **options})


def test_a_sample_holds_what_is_documented(tree):
    sample = build(tree)[1]
    assert sample.keys() == {"image", "seg_target", "width", "height", "id"}
    assert sample["image"].shape == (6, 8, 3)
    assert sample["image"].dtype == np.uint8
    assert (sample["width"], sample["height"], sample["id"]) == (8, 6, "1")
    expected = make_labels(1).astype(np.int16)
    expected[0, 0] = -100
    assert sample["seg_target"].dtype == np.int16
    assert np.array_equal(sample["seg_target"], expected)


PIPELINE = [("Resize", {"output_size": (12, 16), "keep_ratio": False}), ("ToTensor", {})]


def test_in_training_the_transforms_see_the_label_map(tree):
    sample = build(tree, data_pipelines=PIPELINE)[0]
    assert sample["image"].shape[1:] == sample["seg_target"].shape != (6, 8)


def test_in_testing_they_do_not(tree):
    sample = build(tree, "TEST", data_pipelines=PIPELINE)[0]
    assert tuple(sample["image"].shape[1:]) != (6, 8)
    assert sample["seg_target"].dtype == torch.int16
    assert np.array_equal(sample["seg_target"].numpy(), build(tree)[0]["seg_target"])


def test_for_a_server_no_label_map_is_read(tree):
    for path in (tree / "labels").iterdir():
        path.unlink()
    served = build(tree, "TEST", eval_env="server")
    served.check_files()
    assert served[0]["seg_target"].tolist() == np.zeros((6, 8)).tolist()
    assert served.read(f"{tree}/images/0.jpg")["seg_target"].shape == (6, 8)
    with pytest.raises(ImageError, match=r"labels/0\.png"):
        build(tree, "TRAIN", eval_env="server")[0]


def test_images_repeat_in_an_epoch(tree):
    repeated = build(tree, repeat_times=3)
    assert len(repeated) == 9
    assert [repeated[index]["id"] for index in (0, 4, 8, -1)] == ["0", "1", "2", "2"]


def test_iteration_ends(tree):
    assert [sample["id"] for sample in itertools.islice(build(tree), 10)] == ["0", "1", "2"]
    with pytest.raises(IndexError, match="index 3 of a data set of 3 samples"):
        build(tree)[3]


def test_the_epoch_chooses_the_pipeline(tree):
    def to(size):
        return [("Resize", {"output_size": (size, size), "keep_ratio": False, "scale_range": None})]

    scheduled = build(tree, data_pipelines=to(10), pipeline_schedule=[(5, to(30)), (3, to(20))])
    sizes = []
    for scheduled.epoch in range(1, 7):
        sizes.append(scheduled[0]["image"].shape[0])
    assert sizes == [10, 10, 20, 20, 30, 30]


def test_positions_are_recorded_on_request(tree):
    mapper = build(tree, record_img2aug_pos_mapper=True)[0]["img2aug_pos_mapper"]
    assert np.array_equal(mapper, np.arange(48).reshape(6, 8))


def test_c12_a_wrong_transform_is_named_with_its_place(tree):
    with pytest.raises(
        ConfigError, match=r"SEGMENTOR_CFG\['dataset'\]\['test'\]\['data_pipelines'\]\[1\].*'RandomFlip'"
    ):
        build(tree, "TEST", data_pipelines=[("ToTensor", {}), ("RandomFlp", {})])


def test_c12_so_is_one_of_a_schedule(tree):
    with pytest.raises(ConfigError, match=r"\['train'\]\['pipeline_schedule'\]\[1\]\[1\]\[0\].*'RandomFlip'"):
        build(tree, pipeline_schedule=[(9, []), (2, [("RandomFlp", {})])])


def test_an_unknown_mode_is_refused(tree):
    with pytest.raises(ConfigError, match=r"mode='TRIAN' .*Did you mean 'TRAIN'\?"):
        build(tree, "TRIAN")


def test_d01_a_missing_root_is_refused(tree):
    wrong = tree.with_name(tree.name + "x")
    with pytest.raises(DataError, match=rf"\['rootdir'\]: {wrong} does not exist.*Did you mean '{tree.name}'\?"):
        build(wrong)


# ---- label maps


def test_l01_a_number_that_is_no_class_stops_reading_unless_it_may_be_ignored(tree):
    write_label(tree / "labels" / "1.png", np.full((6, 8), 9))
    with pytest.raises(
        LabelError, match=r"labels/1\.png: holds the ids 9 \(48 pixels\).*auto_correct_invalid_seg_target"
    ):
        build(tree)[1]
    corrected = build(tree, auto_correct_invalid_seg_target=True, ignore_index=255)[1]
    assert np.unique(corrected["seg_target"]).tolist() == [255]


def test_classes_without_a_table_are_checked_too(tree):
    class Plain(Shapes):
        clsid2label = {}

    with pytest.raises(LabelError, match="holds the ids 255"):
        Plain("TRAIN", None, {"rootdir": str(tree)})[0]


def test_colours_are_read_with_a_colour_table(tree):
    class Painted(Shapes):
        color2clsid = {(0, 0, 0): 0, (255, 0, 0): 1, (0, 255, 0): 2, (255, 255, 255): 255}

    colours = LabelMap.of_classes(Shapes.classnames, Shapes.palette).colourise(make_labels(0))
    colours[0, 0] = 255
    expected = build(tree)[0]["seg_target"]
    write_label(tree / "labels" / "0.png", colours)
    assert np.array_equal(Painted("TRAIN", None, {"rootdir": str(tree)})[0]["seg_target"], expected)
    with pytest.raises(LabelError, match=r"labels/0\.png: holds colours.*color2clsid"):
        build(tree)[0]


def test_attributes_may_be_set_after_the_base_class(tree):
    class Late(Shapes):
        def __init__(self, *args):
            super().__init__(*args)
            self.num_classes, self.classnames, self.palette, self.clsid2label = 2, ["a", "b"], [], {2: 1, 255: 0}

    late = Late("TRAIN", None, {"rootdir": str(tree)})
    assert np.unique(late[0]["seg_target"]).tolist() == [0, 1]
    assert late.label_map.palette == ((0, 0, 0), (128, 0, 0))


def test_classes_that_contradict_each_other_are_refused(tree):
    class Short(Shapes):
        classnames = ["a", "b"]

    with pytest.raises(ConfigError, match="Short: num_classes is 3, but there are 2 classnames and 3 colours"):
        Short("TRAIN", None, {"rootdir": str(tree)})[0]


# ---- evaluation


def test_evaluation_counts_pixels(tree):
    target, prediction = np.array([[0, 0, 1, -1]]), np.array([[0, 1, 1, 2]])
    results = build(tree).evaluate(
        [prediction], [torch.from_numpy(target)], metric_list=["iou", "miou", "all_accuracy"]
    )
    assert results["iou"]["__background__"] == results["iou"]["square"] == 0.5
    assert np.isnan(results["iou"]["disc"])
    assert results["miou"] == 0.5
    assert results["all_accuracy"] == pytest.approx(2 / 3)
    assert build(tree).evaluate([prediction], [target], nan_to_num=0)["miou"] == pytest.approx(1 / 3)


def test_a_missing_prediction_is_noticed(tree):
    with pytest.raises(ShapeError, match="0 predictions but 1 targets"):
        build(tree).evaluate([], [np.zeros((1, 1), int)])


def test_generated_colours_are_those_of_voc():
    colours = BaseDataset.randompalette(256)
    assert colours[:5] == [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128]]
    assert colours[15] == [192, 128, 128]
    assert colours[255] == [224, 224, 192]
    assert len(set(map(tuple, colours))) == 256


# ---- the tutorial's sample

SUPERVISELY = """
import os
import pandas as pd
from ssseg.modules.datasets.base import BaseDataset

'''SuperviselyDataset'''
class SuperviselyDataset(BaseDataset):
    num_classes = 2
    classnames = ['__background__', 'person']
    palette = [(0, 0, 0), (255, 0, 0)]
    clsid2label = {255: 1}
    assert num_classes == len(classnames) and num_classes == len(palette)
    def __init__(self, mode, logger_handle, dataset_cfg):
        super(SuperviselyDataset, self).__init__(mode=mode, logger_handle=logger_handle, dataset_cfg=dataset_cfg)
        # obtain the dirs
        rootdir = dataset_cfg['rootdir']
        self.image_dir = os.path.join(rootdir, 'Images', dataset_cfg['set'])
        self.ann_dir = os.path.join(rootdir, 'Anno-Person', dataset_cfg['set'])
        # obatin imageids
        df = pd.read_csv(os.path.join(rootdir, dataset_cfg['set']+'.txt'), names=['imageids'])
        self.imageids = df['imageids'].values
        self.imageids = [str(_id) for _id in self.imageids]
"""


def test_the_tutorials_sample_works_unchanged(tmp_path):
    pytest.importorskip("pandas")
    person = np.where(make_labels(0, 2) == 1, 255, 0)
    write_image(tmp_path / "Images" / "train" / "ds1_1.jpg", make_image(make_labels(0, 2), 0))
    write_label(tmp_path / "Anno-Person" / "train" / "ds1_1.png", person)
    write_list(tmp_path / "train.txt", ["ds1_1"])
    namespace = {}
    exec(SUPERVISELY, namespace)
    dataset = namespace["SuperviselyDataset"]("TRAIN", None, {"rootdir": str(tmp_path), "set": "train"})
    dataset.check_files()
    assert len(dataset) == 1
    assert np.array_equal(dataset[0]["seg_target"], make_labels(0, 2))
