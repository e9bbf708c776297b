"""Raw caches: made, stopped, gone on with, out of date."""

import json
import os
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch

from ssseg.cli.main import main
from ssseg.engine import rawcaching
from ssseg.engine.build import build_dataset
from ssseg.engine.rawcaching import JOURNAL, make_raw_cache
from ssseg.modules import BuildDataset
from ssseg.modules.datasets.fusing import fuse_pipelines
from ssseg.modules.datasets.rawcache import INDEX, PIXELS, RawCache
from ssseg.modules.utils.errors import DataError, ImageError, ResourceError
from tests.trees import folder_tree, make_labels, write_label
from tests.unit.datasets.test_fusing import PIPELINE, assert_same_samples, cfg_of, image_of, samples

NUMBER, PAIR_BYTES = 7, 24 * 32 * 4


@pytest.fixture
def root(tmp_path):
    return folder_tree(tmp_path / "data", train=NUMBER, size=(24, 32), num_classes=4)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


def make(root, folder, **how):
    said = []
    make_raw_cache({"dataset": cfg_of(root)}, folder, say=said.append, **how)
    return said


def cached(root, folder, **options):
    return BuildDataset("TRAIN", None, cfg_of(root, raw_cache=str(folder), **options))


def plain_pipeline():
    return [PIPELINE[2], *PIPELINE[3:5]]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_samples_are_those_of_the_files(root, folder, workers):
    said = make(root, folder, workers=workers)
    assert said[0].startswith(f"{NUMBER} of {NUMBER} images have to be cached: {NUMBER * PAIR_BYTES / 1e6:.2f} MB")
    assert said[-1] == f"done: dataset.raw_cache={folder}"
    assert sorted(os.listdir(folder)) == [INDEX, "lock", PIXELS]
    dataset = cached(root, folder, data_pipelines=plain_pipeline())
    dataset.check_files()
    expected = BuildDataset("TRAIN", None, cfg_of(root, data_pipelines=plain_pipeline()))
    assert_same_samples(dataset, expected)
    fuse_pipelines(dataset)
    assert_same_samples(dataset, expected)


def test_windows_of_cached_images_differ_by_a_grey_level_at_most(root, folder):
    make(root, folder)
    dataset, expected = cached(root, folder), BuildDataset("TRAIN", None, cfg_of(root))
    fuse_pipelines(dataset)
    for sample, other in zip(samples(dataset), samples(expected), strict=True):
        assert torch.equal(sample["seg_target"], other["seg_target"])
        off = (image_of(sample) - other["image"]).abs() * torch.tensor([60.0, 61, 62])[:, None, None]
        assert off.max() < 1.01


def test_files_are_not_read_and_the_cache_is_mapped_once_a_process(root, folder):
    make(root, folder)
    dataset = cached(root, folder)
    dataset.check_files()
    shutil.rmtree(root / "images/train")
    first = dataset[0]["image"]
    assert first.isfinite().all()
    pixels = dataset.raw_cache.pixels
    dataset[1]
    assert dataset.raw_cache.pixels is pixels
    assert dataset.raw_cache.__getstate__()["pixels"] is None


def test_a_second_run_reads_only_what_changed(root, folder):
    make(root, folder)
    before = (folder / PIXELS).read_bytes()
    assert make(root, folder)[0].startswith(f"0 of {NUMBER} images")
    assert (folder / PIXELS).read_bytes() == before
    write_label(root / "labels/train/train_3.png", make_labels(5, 4, (24, 32)))
    said = make(root, folder)
    assert said[0].startswith(f"1 of {NUMBER} images")
    assert "of files that changed" in said[1]
    dataset = cached(root, folder, data_pipelines=plain_pipeline())
    dataset.check_files()
    assert_same_samples(dataset, BuildDataset("TRAIN", None, cfg_of(root, data_pipelines=plain_pipeline())))


def test_a_file_that_was_only_touched_is_still_the_same(root, folder):
    make(root, folder)
    os.utime(root / "images/train/train_2.jpg", (1, 1))
    cached(root, folder).check_files()


def contents_changed(root):
    path = root / "images/train/train_2.jpg"
    data = bytearray(path.read_bytes())
    data[-3] ^= 1  # the same size
    path.write_bytes(bytes(data))


def relabelled(root):
    write_label(root / "labels/train/train_2.png", make_labels(9, 4, (24, 32)))


def added(root):
    for kind, name in (("images", "train_2.jpg"), ("labels", "train_2.png")):
        shutil.copy(root / kind / "train" / name, root / kind / "train" / name.replace("2", "20"))


def other_classes(root):
    text = (root / "classes.txt").read_text()
    (root / "classes.txt").write_text(text.replace("class 1", "void"))


@pytest.mark.parametrize(
    ("change", "number", "name"),
    [
        (contents_changed, 1, "train_2"),
        (relabelled, 1, "train_2"),
        (added, 1, "train_20"),
        (other_classes, 7, "train_0"),
    ],
)
def test_what_is_out_of_date_is_named_with_the_cure(root, folder, change, number, name):
    make(root, folder)
    change(root)
    dataset = cached(root, folder)
    with pytest.raises(DataError, match=rf"{number} images .*{name}.*ssseg data cache CONFIG --out {folder}"):
        dataset.check_files()
    make(root, folder)
    cached(root, folder).check_files()


def test_a_run_checks_the_cache_before_it_trains(root, folder):
    make(root, folder)
    relabelled(root)
    cfg = {"num_classes": 4, "dataset": cfg_of(root, raw_cache=str(folder))}
    with pytest.raises(DataError, match="have changed since"):
        build_dataset(cfg, "TRAIN")
    build_dataset({**cfg, "dataset": {**cfg["dataset"], "set": "val"}}, "TEST")  # which does not read it


@pytest.mark.parametrize("contents", ["", "{}", '{"format": 99, "entries": {}}', '{"format": 1, "entries": {"a": 3}}'])
def test_a_folder_that_is_no_cache_is_named(root, folder, contents):
    folder.mkdir()
    (folder / INDEX).write_text(contents)
    with pytest.raises(DataError, match="is no raw cache"):
        cached(root, folder).check_files()
    with pytest.raises(DataError, match="was not finished"):
        RawCache(folder.parent)


def test_pixels_that_are_cut_short_are_noticed(root, folder):
    make(root, folder)
    with (folder / PIXELS).open("r+b") as stream:
        stream.truncate(NUMBER * PAIR_BYTES - 1)
    with pytest.raises(DataError, match="cut short"):
        cached(root, folder).check_files()
    assert make(root, folder)[0].startswith(f"1 of {NUMBER} images")
    cached(root, folder).check_files()


def test_a_disk_that_is_too_small_is_left_alone(root, folder, monkeypatch):
    usage = shutil.disk_usage(root)._replace(free=NUMBER * PAIR_BYTES - 1)
    monkeypatch.setattr(rawcaching.shutil, "disk_usage", lambda path: usage)
    monkeypatch.setattr(rawcaching, "_SPARE", 0)
    with pytest.raises(ResourceError, match=r"needs 0.02 MB, .* but the disk has 0.02 MB. Nothing was written.*--out"):
        make(root, folder)
    assert os.listdir(folder) == ["lock"]


def test_a_dry_run_says_what_is_needed(root, folder, capsys):
    assert main(["data", "cache", str(root), "--out", str(folder), "--dry-run", "--workers", "0"]) == 0
    assert capsys.readouterr().out.startswith(f"{NUMBER} of {NUMBER} images have to be cached: 0.02 MB are needed, ")
    assert os.listdir(folder) == ["lock"]


def test_two_processes_do_not_write_one_cache(root, folder):
    folder.mkdir()
    code = (
        f"import fcntl; file = open({str(folder / 'lock')!r}, 'a'); fcntl.flock(file, fcntl.LOCK_EX); input(print(1))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        with pytest.raises(ResourceError, match="another `ssseg data cache` is writing it"):
            make(root, folder)
        holder.communicate(b"\n")


def stopped_after(number, monkeypatch):
    """Let the run end like a killed one when so many pairs were written; what is safe is so after every second one."""
    monkeypatch.setattr(rawcaching, "_SAFE_EVERY", 2)
    decoded = rawcaching.decoded

    def until(jobs, workers):
        for count, entry in enumerate(decoded(jobs, workers)):
            if count == number:
                raise KeyboardInterrupt
            yield entry

    monkeypatch.setattr(rawcaching, "decoded", until)


@pytest.mark.parametrize("number", [0, 1, 2, 5])
def test_a_run_that_was_stopped_goes_on(root, folder, monkeypatch, number):
    with monkeypatch.context() as patch:
        stopped_after(number, patch)
        with pytest.raises(KeyboardInterrupt):
            make(root, folder)
    assert (folder / JOURNAL).is_file()
    with pytest.raises(DataError, match="was not finished"):
        cached(root, folder).check_files()
    safe = number // 2 * 2
    assert make(root, folder)[0].startswith(f"{NUMBER - safe} of {NUMBER} images")
    assert (folder / PIXELS).stat().st_size == NUMBER * PAIR_BYTES
    dataset = cached(root, folder, data_pipelines=plain_pipeline())
    dataset.check_files()
    assert_same_samples(dataset, BuildDataset("TRAIN", None, cfg_of(root, data_pipelines=plain_pipeline())))


def test_a_journal_that_is_cut_short_counts_as_far_as_it_goes(root, folder, monkeypatch):
    with monkeypatch.context() as patch:
        stopped_after(4, patch)
        with pytest.raises(KeyboardInterrupt):
            make(root, folder)
    text = (folder / JOURNAL).read_text()
    assert len(text.splitlines()) == 4
    (folder / JOURNAL).write_text(text[:-30])
    assert make(root, folder)[0].startswith(f"{NUMBER - 3} of {NUMBER} images")


def test_a_file_that_cannot_be_used_is_named(root, folder):
    (root / "images/train/train_4.jpg").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"train_4.jpg"):
        make(root, folder)
    path = root / "images/train/train_4.jpg"
    path.write_bytes((root / "images/train/train_3.jpg").read_bytes()[:-200])
    with pytest.raises(ImageError, match=r"train_4.jpg.* cut short"):
        make(root, folder)
    assert not (folder / INDEX).exists()


def test_labels_that_need_more_than_a_byte(tmp_path, folder):
    root = folder_tree(tmp_path / "wide", train=2, size=(24, 32))
    rows = (f"{number}\tclass {number}\t{number % 256}\t{number // 256}\t0" for number in range(300))
    (root / "classes.txt").write_text("\n".join(rows))
    labels = np.arange(24 * 32).reshape(24, 32) % 300
    for name in ("train_0", "train_1"):
        write_label(root / f"labels/train/{name}.png", labels)
    make(root, folder)
    record = json.loads((folder / INDEX).read_text())
    assert {entry["label_bytes"] for entry in record["entries"].values()} == {2}
    dataset = cached(root, folder, data_pipelines=plain_pipeline())
    assert_same_samples(dataset, BuildDataset("TRAIN", None, cfg_of(root, data_pipelines=plain_pipeline())))


def test_images_of_other_depths_keep_them(tmp_path, folder):
    root = folder_tree(tmp_path / "deep", train=2, size=(24, 32), ext=".png")
    for name in ("train_0", "train_1"):
        deep = np.random.RandomState(0).randint(0, 65536, (24, 32)).astype(np.uint16)
        cv2.imwrite(str(root / f"images/train/{name}.png"), deep)
    pipeline = [("Normalize", {"mean": [3e4], "std": [2e4], "to_rgb": False}), ("ToTensor", {})]
    cfg = cfg_of(root, data_pipelines=pipeline, in_channels=1)
    make_raw_cache({"dataset": cfg}, folder)
    dataset = BuildDataset("TRAIN", None, {**cfg, "raw_cache": str(folder)})
    assert dataset.read(dataset.image_path("train_0"), dataset.ann_path("train_0"))["image"].dtype == np.uint16
    fuse_pipelines(dataset)
    assert_same_samples(dataset, BuildDataset("TRAIN", None, cfg))
