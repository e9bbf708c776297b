"""Group B of docs/reliability.md: data sets that are not what they should be."""

import shutil
import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssseg.engine.runlog import read_log
from ssseg.engine.trainer import Trainer, train
from ssseg.modules import BuildDataset
from ssseg.modules.datasets.ids import read_ids
from ssseg.modules.datasets.trainsamples import ATTEMPTS, TrainSamples
from ssseg.modules.parallel.dataloader import train_loader
from ssseg.modules.parallel.order import TrainOrder
from ssseg.modules.utils.configparser import load_config
from ssseg.modules.utils.errors import ConfigError, DataError, ImageError, LabelError
from tests.faults.screen import run_command
from tests.trees import folder_tree, voc_tree, write_label, write_list


def voc(root, mode="TRAIN", **options):
    split = {"TRAIN": "train", "TEST": "val"}[mode]
    return BuildDataset(mode, None, {"type": "VOCDataset", "rootdir": str(root), "set": split, **options})


def folder(root, mode="TRAIN", **options):
    return BuildDataset(mode, None, {"type": "FolderDataset", "rootdir": str(root), **options})


@pytest.mark.parametrize(
    ("given_root", "hint"),
    [
        ("data/VOC2012", ""),
        ("data", "{tmp}/data/VOC2021/ImageSets/Segmentation/train.txt exists: check the level"),
        ("data/VOC2021/ImageSets", "{tmp}/data/VOC2021/ImageSets/Segmentation/train.txt exists: check the level"),
    ],
)
def test_D01_a_root_that_is_missing_or_one_level_off_is_explained(given_root, hint, tmp_path):
    voc_tree(tmp_path / "data" / "VOC2021")
    with pytest.raises(DataError) as caught:
        voc(tmp_path / given_root)
    text = str(caught.value)
    assert f"{tmp_path}/{given_root}" in text
    assert " does not exist. " in text
    assert "holds: " in text
    assert hint.format(tmp=tmp_path) in text
    assert hint or "Did you mean 'VOC2021'?" in text


def test_D01_on_the_command_line_it_is_exit_code_3(own, capsys):
    root, config = own
    code, _, err = run_command(capsys, "train", config, f"dataset.rootdir={root}s")
    assert code == 3
    assert "SEGMENTOR_CFG['dataset']['rootdir']: " in err
    assert "Did you mean 'data'?" in err


@pytest.mark.parametrize("text", [None, b"", b"\n \n\t\r\n", b"\xef\xbb\xbf\n"])
def test_D02_a_list_that_is_missing_or_empty_is_named(text, tmp_path):
    path = voc_tree(tmp_path) / "ImageSets" / "Segmentation" / "train.txt"
    path.unlink()
    if text is not None:
        path.write_bytes(text)
    with pytest.raises(DataError, match=r"/ImageSets/Segmentation/train\.txt:? .*(does not exist|is empty)"):
        voc(tmp_path)


def test_D03_what_editors_add_changes_nothing_and_repeated_ids_count_once(tmp_path):
    path = voc_tree(tmp_path, train=3) / "ImageSets" / "Segmentation" / "train.txt"
    clean = list(voc(tmp_path).imageids)
    text = path.read_bytes()
    for spoilt in (b"\xef\xbb\xbf" + text, text.replace(b"\n", b"\r\n"), text.replace(b"\n", b" \t\n\n")):
        path.write_bytes(spoilt)
        assert list(voc(tmp_path).imageids) == clean
    path.write_bytes(text + text)
    with pytest.warns(UserWarning, match=r"train\.txt: 3 ids are listed again and count once") as warned:
        assert list(voc(tmp_path).imageids) == clean
    assert len(warned) == 1


PLAIN = st.text(string.ascii_letters + string.digits + "-_,#;'\"()äß漢 ", min_size=1).filter(lambda s: s == s.strip())


@given(ids=st.lists(st.sampled_from(["0001", "NA", "1e5", "a,b", "nan", "two words", "Straße"]) | PLAIN, unique=True))
def test_D04_ids_are_kept_as_written(ids, tmp_path_factory):
    if ids:
        path = tmp_path_factory.mktemp("ids") / "train.txt"
        assert read_ids(write_list(path, ids)) == ids


@pytest.mark.parametrize(
    ("kind", "where"), [("images", "JPEGImages/*00[012].jpg"), ("label maps", "SegmentationClass/*00[012].png")]
)
def test_D05_missing_files_are_counted_before_the_first_step(kind, where, tmp_path):
    voc_tree(tmp_path, train=8)
    for path in tmp_path.glob(where):
        path.unlink()
    with pytest.raises(
        DataError, match=rf"VOCDataset: 3 of 8 {kind} are missing, the first are (\S+[012]\.\w+(, )?){{3}}$"
    ):
        voc(tmp_path).check_files()


def test_D05_on_the_command_line_it_is_exit_code_3_and_nothing_was_trained(own, tmp_path, capsys):
    root, config = own
    for number in range(3):
        (root / "labels" / "train" / f"{number:03d}.png").unlink()
    code, _, err = run_command(capsys, "train", config)
    assert code == 3
    assert "3 of 8 label maps are missing, the first are " in err
    assert not list((tmp_path / "run").glob("*.pth"))


OUTSIDE = ["../a", "a/../../b", "..", "a/..", "/etc/passwd", "\\\\host\\a", "C:\\a", "c:/a", "a\\..\\b", "a\0b", "\0", "/"]  # fmt: skip # noqa: E501


@pytest.mark.parametrize("imageid", OUTSIDE)
def test_D06_ids_that_lead_elsewhere_are_refused(imageid, tmp_path):
    voc_tree(tmp_path)
    write_list(tmp_path / "ImageSets" / "Segmentation" / "train.txt", ["2007_000000", imageid])
    with pytest.raises(DataError, match=r"train\.txt:2: the image id .* leads out of the data set's folder"):
        voc(tmp_path)


def test_D07_a_label_map_of_another_size_is_named_with_both(tmp_path):
    root = folder_tree(tmp_path)
    write_label(root / "labels" / "train" / "train_1.png", np.zeros((5, 7)))
    with pytest.raises(LabelError, match=r"labels/train/train_1\.png: the label map is 7 x 5 .*train_1\.jpg is 8 x 6"):
        folder(root)[1]


def test_D08_fewer_images_than_a_batch_is_an_error(own, capsys):
    _, config = own
    code, _, err = run_command(capsys, "train", config, "dataloader.expected_total_train_bs_for_assert=16")
    assert code == 3
    assert "8 samples, fewer than the total batch of 16" in err
    assert "drop_last=False" in err


@pytest.mark.parametrize("value", [0, -1, 1.5])
def test_D09_repeat_times_must_be_a_whole_number_from_1_on(value, tmp_path):
    with pytest.raises(ConfigError, match=rf"\['repeat_times'\]={value} must be a whole number from 1 on"):
        folder(folder_tree(tmp_path), repeat_times=value)


def as_folder(path):
    path.unlink()
    path.mkdir()


def as_loop(path):
    path.unlink()
    path.symlink_to(path)


def as_dangling_link(path):
    path.unlink()
    path.symlink_to(path.with_name("nowhere.png"))


@pytest.mark.parametrize("kind", ["images", "labels"])
@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (as_folder, "Is a directory"),
        (as_loop, "Too many levels of symbolic links"),
        (as_dangling_link, "No such file"),
        (lambda path: path.write_bytes(b""), "an empty file"),
    ],
)
def test_D10_a_file_that_cannot_be_read_is_named_with_the_reason(kind, spoil, reason, own):
    root, _ = own
    dataset = folder(root)
    spoil(root / kind / "train" / "001.png")
    with pytest.raises(ImageError, match=rf"{kind}/train/001\.png.*{reason}"):
        dataset[1]


@pytest.fixture
def vanishing(own, monkeypatch):
    """A data set of which an image and a label map vanish after the first epoch of a run."""
    root, config = own

    def end_epoch(self, inner=Trainer._end_epoch):
        for path in (root / "images" / "train" / "003.png", root / "labels" / "train" / "005.png"):
            path.unlink(missing_ok=True)
        inner(self)

    monkeypatch.setattr(Trainer, "_end_epoch", end_epoch)
    return config


@pytest.mark.parametrize("workers", [0, 2])
def test_D11_a_file_that_vanishes_ends_the_run_with_its_name(vanishing, workers, capsys):
    options = [f"dataloader.train.num_workers_per_gpu={workers}", "scheduler.max_epochs=8"]  # workers read ahead
    code, _, err = run_command(capsys, "train", vanishing, *options)
    assert code == 3
    assert "cannot be read: No such file or directory" in err
    assert "train/00" in err


def test_D11_or_is_skipped_counted_and_listed(vanishing, tmp_path):
    train(load_config(vanishing, ["dataset.bad_samples={'skip': 2}", "scheduler.max_epochs=4"]), device="cpu")
    text = (tmp_path / "run" / "tiny.log").read_text()
    assert text.count("WARNING  skipped: ") == 2  # each once, not once an epoch
    assert "2 of 2 training samples that may be skipped were skipped" in text
    lines = [line for line in read_log(tmp_path / "run" / "metrics.jsonl") if line.get("message") == "skipped"]
    assert lines[-1]["count"] == 2
    assert any("images/train/003.png" in sample for sample in lines[-1]["samples"])
    assert any("labels/train/005.png" in sample for sample in lines[-1]["samples"])


def test_D11_until_the_budget_is_spent(vanishing, capsys):
    code, _, err = run_command(capsys, "train", vanishing, "dataset.bad_samples={'skip': 1}", "scheduler.max_epochs=4")
    assert code == 3
    assert "2 training samples cannot be used, more than the 1 of SEGMENTOR_CFG['dataset']['bad_samples']" in err


def ids_read(root, workers, start=0):
    dataset = TrainSamples(folder(root, bad_samples={"skip": 5}, data_pipelines=[("ToTensor", {})]))
    order = TrainOrder(length=8, total_batch=4, max_epochs=3, seed=3)
    loader = train_loader(dataset, {"num_workers_per_gpu": workers}, order, start=start)
    return [(batch["ids"], sorted(batch["skipped"])) for batch in loader]


def test_D11_what_takes_the_place_follows_from_seed_epoch_and_index(own):
    root, _ = own
    for number in (1, 4, 6):
        (root / "images" / "train" / f"{number:03d}.png").write_bytes(b"\xff\xd8\xff")
    read = ids_read(root, workers=0)
    assert read == ids_read(root, workers=2)
    assert read[2:] == ids_read(root, workers=0, start=2)
    assert sum(len(skipped) for _, skipped in read) >= 9
    assert not {"001", "004", "006"} & {imageid for ids, _ in read for imageid in ids}


def test_D11_a_data_set_that_cannot_be_read_at_all_is_an_error(own):
    root, _ = own
    samples = TrainSamples(folder(root, bad_samples={"skip": 99}))
    shutil.rmtree(root / "images" / "train")
    with pytest.raises(DataError, match=f"{ATTEMPTS} samples in a row cannot be used; the last: .*train"):
        samples[0, 1, 0]


@pytest.mark.parametrize("extension", [".JPG", ".jpeg", ".JPEG", ".PNG"])
def test_D12_other_spellings_of_extensions_are_found(extension, tmp_path):
    root = voc_tree(tmp_path)
    expected = [sample["image"] for sample in voc(root)]
    for path in sorted((root / "JPEGImages").iterdir()):
        path.rename(path.with_suffix(extension))
    dataset = voc(root)
    dataset.check_files()
    for image, sample in zip(expected, dataset, strict=True):
        np.testing.assert_array_equal(sample["image"], image)


def test_D13_an_image_to_train_on_and_to_test_on_is_listed(own, capsys):
    root, _ = own
    shutil.copy(root / "images" / "train" / "002.png", root / "images" / "val" / "000.png")
    code, out, _ = run_command(capsys, "data", "check", root, "--workers", "0")
    assert code == 3
    assert "same-image-in-two-sets" in out
    assert "val/000.png" in "".join(out.split())


@pytest.mark.parametrize(
    ("remappers", "words"),
    [
        (({0: 0, 7: 1}, {0: 0, 1: 1}), r"\['a'\]\['seg_target_remapper'\]: lists the labels 7, .* has 0\.\.2"),
        (({0: 0, 1: 1}, {0: 0, 1: 3}), r"no 'seg_target_remapper' leads to the common labels 2;"),
        (({0: 0, 1: 1}, None), r"\['b'\]\['seg_target_remapper'\]=None: must be"),
    ],
)
def test_D14_a_remapper_that_misses_a_label_is_named(remappers, words, tmp_path):
    part = {"type": "FolderDataset", "rootdir": str(folder_tree(tmp_path))}
    members = {name: {**part, "seg_target_remapper": table} for name, table in zip("ab", remappers, strict=True)}
    with pytest.raises(ConfigError, match=words):
        BuildDataset("TRAIN", None, {"type": "MultipleDataset", "train": members})


def test_D14_classes_of_different_names_that_become_one_are_named(tmp_path):
    class Log(list):
        warning = list.append

    part = {"type": "FolderDataset", "rootdir": str(folder_tree(tmp_path)), "set": "train"}
    members = {"a": {**part, "seg_target_remapper": {0: 0, 1: 1}}, "b": {**part, "seg_target_remapper": {0: 0, 2: 1}}}
    log = Log()
    BuildDataset("TRAIN", log, {"type": "MultipleDataset", "train": members})
    (message,) = log
    assert message.endswith("the common label 1 is 'class 1' of 'a' (label 1) and 'class 2' of 'b' (label 2)")
