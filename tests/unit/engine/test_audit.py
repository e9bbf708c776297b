import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ssseg.cli.main import main
from ssseg.engine.dataaudit import audit
from ssseg.engine.dataaudit.findings import KINDS, SEVERITIES
from ssseg.engine.dataaudit.sources import folder_cfg
from ssseg.engine.dataaudit.table import findings_table
from ssseg.modules.utils.errors import ConfigError, DataError
from ssseg.modules.utils.images import write_png
from tests.recorded import recorded, recorded_tree
from tests.trees import voc_tree, write_list
from tests.unit.engine.planted import FAULTS, IMAGE, LABEL, SIZE, clean_tree
from tests.unit.engine.test_detect_annotated import coco_tree


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    return clean_tree(tmp_path_factory.mktemp("pristine"))


@pytest.fixture
def root(pristine, tmp_path):
    return Path(shutil.copytree(pristine, tmp_path / "data"))


def found(root, **options):
    return audit(folder_cfg(root), **options).findings


def kinds(findings):
    return sorted({finding.kind for finding in findings})


def only(findings, kind):
    (finding,) = (finding for finding in findings if finding.kind == kind)
    return finding


def test_a_clean_set_has_no_findings(root):
    result = audit(folder_cfg(root))
    assert result.findings == []
    assert result.images == {"train": 4, "val": 2}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_and_named_and_nothing_else(root, name):
    plant, expected, file = FAULTS[name]
    plant(root)
    findings = found(root)
    assert kinds(findings) == expected
    assert any(finding.file.endswith(file) for finding in findings if finding.kind in expected), findings
    assert all(finding.message and finding.cure for finding in findings)
    assert all(finding.severity == KINDS[finding.kind][0] for finding in findings)


def test_all_faults_are_found_at_once(root):
    for number, name in enumerate(("truncated_image", "no_label", "all_ignored", "unknown_number")):
        plant, *_ = FAULTS[name]
        other = root.parent / f"other_{number}"
        plant(clean_tree(other))
        for kind in ("images", "labels"):
            source, target = other / kind / "train" / "train_1.png", root / kind / "train" / f"train_{number}.png"
            target.unlink()
            if source.exists():
                target.write_bytes(source.read_bytes())
    expected = {"unreadable-image", "missing-label", "empty-label", "unknown-label"}
    assert expected <= set(kinds(found(root)))


def test_an_unknown_number_is_described_with_count_place_and_cure(root):
    FAULTS["unknown_number"][0](root)
    finding = only(found(root), "unknown-label")
    assert finding.message.startswith("holds the ids 7 (48 pixels), first at row 0, column 5. The 3 classes are known")
    assert "auto_correct_invalid_seg_target" in finding.message
    assert "class table" in finding.cure


@pytest.mark.parametrize(
    ("change", "cure"),
    [
        (lambda labels: labels.astype(np.uint16) * 257 * 3, "Divide by 257"),
        (lambda labels: labels.astype(np.uint16) * 1000, "those of single objects"),
        (lambda labels: labels + 1, "seem to count from 1"),
    ],
)
def test_the_cure_says_where_numbers_come_from(root, change, cure):
    write_png(root / LABEL, change(np.resize(np.arange(3, dtype=np.uint8), SIZE)))
    assert cure in only(found(root), "unknown-label").cure


def test_255_for_a_class_is_recognized(tmp_path):
    cfg = recorded_tree(tmp_path, "LIPDataset")
    label = next(tmp_path.rglob("*_segmentations/*.png"))
    write_png(label, np.resize(np.array([0, 255], np.uint8), (6, 8)))
    assert "255 stands for a class" in only(audit({"dataset": cfg}, ["train"]).findings, "unknown-label").cure


def test_coloured_labels_need_colours_of_the_classes(root):
    FAULTS["unknown_colour"][0](root)
    assert "(1, 2, 3) (1 pixel), first at row 3, column 4" in only(found(root), "unknown-colour").message
    (root / "classes.txt").write_text("ground\nbright\ndark\n")
    assert "holds colours" in only(found(root), "coloured-label").message


def test_a_turned_image_explains_a_label_of_another_size(root):
    FAULTS["turned_image_with_an_upright_label"][0](root)
    assert "EXIF orientation 6" in only(found(root), "size-mismatch").message


def test_lists_name_files_that_are_missing_and_leave_out_others(root):
    for kind in ("images", "labels"):
        for path in (root / kind / "train").iterdir():
            path.rename(root / kind / path.name)
        for path in (root / kind / "val").iterdir():
            path.rename(root / kind / path.name)
        (root / kind / "train").rmdir()
        (root / kind / "val").rmdir()
    write_list(root / "train.txt", ["train_0", "train_0", "train_1", "trian_2"])
    write_list(root / "val.txt", ["val_0", "val_1"])
    (root / "labels/train_3.png").unlink()
    findings = found(root)
    expected = ["image-without-label", "missing-image", "missing-label", "repeated-id", "unlisted-pair"]
    assert kinds(findings) == sorted(expected)
    assert "Did you mean 'train_2.png'?" in only(findings, "missing-image").message
    assert only(findings, "unlisted-pair").file.endswith("images/train_2.png")
    assert only(findings, "image-without-label").file.endswith("images/train_3.png")


def test_files_of_other_ids_are_not_suggested_for_a_missing_one(root):
    (root / LABEL).unlink()
    assert "Did you mean" not in only(found(root), "missing-label").message


def test_a_set_tested_on_itself_is_one_warning(root):
    cfg = folder_cfg(root)
    cfg["dataset"]["test"]["set"] = "train"
    assert kinds(audit(cfg).findings) == ["same-sets"]


def test_ids_that_lead_elsewhere_are_refused(root):
    write_list(root / "splits/train.txt", ["../train/train_0"])
    (root / "images/train").rename(root / "images/other")
    (root / "labels/train").rename(root / "labels/other")
    assert "leads out of the data set's folder" in only(found(root), "unusable-set").message


def test_the_number_of_classes_is_compared_with_the_config(root):
    cfg = folder_cfg(root)
    cfg["num_classes"] = 5
    assert "is 5, the data set has 3 classes" in audit(cfg).findings[0].message


def test_images_below_the_crop_are_noted(root):
    cfg = folder_cfg(root)
    crop = ("RandomCrop", {"crop_size": (100, 100), "one_category_max_ratio": 0.75})
    cfg["dataset"]["train"]["data_pipelines"] = [crop]
    findings = audit(cfg).findings
    assert kinds(findings) == ["below-crop"]
    assert len(findings) == 4
    enlarged = ("Resize", {"output_size": (256, 256), "scale_range": (0.5, 2.0)})
    cfg["dataset"]["train"]["data_pipelines"] = [enlarged, crop]
    assert audit(cfg).findings == []


def test_values_that_are_corrected_are_a_warning(root):
    FAULTS["unknown_number"][0](root)
    cfg = folder_cfg(root)
    cfg["dataset"]["auto_correct_invalid_seg_target"] = True
    assert kinds(audit(cfg).findings) == ["ignored-values"]


def test_only_the_set_asked_for_is_read(root):
    FAULTS["truncated_image"][0](root)
    assert found(root, splits=["val"]) == []


def test_workers_find_the_same(root):
    FAULTS["unknown_number"][0](root)
    assert found(root, workers=2) == found(root)


def test_a_cache_saves_reading_what_has_not_changed(root, tmp_path, monkeypatch):
    FAULTS["unknown_number"][0](root)
    cache = tmp_path / "caches" / "audit.json"
    first = found(root, cache=cache)
    read = []
    examine = audit.__globals__["examine_all"].__globals__["examine"]
    monkeypatch.setitem(examine.__globals__, "examine", lambda *job: read.append(job[1].imageid) or examine(*job))
    assert found(root, cache=cache) == first
    assert read == []
    relabelled = root / "labels/train/train_2.png"
    write_png(relabelled, np.full(SIZE, 255, np.uint8))
    assert kinds(found(root, cache=cache)) == ["empty-label", "unknown-label"]
    assert read == ["train_2"]
    (root / "classes.txt").write_text("ground\nbright\ndark\n")  # now the labels mean something else
    found(root, cache=cache)
    assert len(read) == 7


def test_an_audit_that_is_stopped_goes_on(root, tmp_path, monkeypatch):
    cache = tmp_path / "audit.json"
    namespace = audit.__globals__["examine_all"].__globals__
    examine, read = namespace["examine"], []

    def stop_at_the_third(dataset, pair):
        if len(read) == 4:
            raise KeyboardInterrupt
        read.append(pair.imageid)
        return examine(dataset, pair)

    monkeypatch.setitem(namespace, "examine", stop_at_the_third)
    monkeypatch.setitem(namespace, "_CHUNK", 1)
    with pytest.raises(KeyboardInterrupt):
        found(root, cache=cache)
    read.clear()
    assert found(root, cache=cache) == []
    assert len(read) == 2


def test_a_file_that_is_no_cache_is_named(root, tmp_path):
    (tmp_path / "notes.json").write_text("[1, 2]")
    with pytest.raises(DataError, match=r"notes.json: is no cache of `ssseg data check`"):
        found(root, cache=tmp_path / "notes.json")


def test_a_config_without_data_is_an_error():
    with pytest.raises(ConfigError, match=r"\['dataset'\]: not set; name a data set, or give the path of a folder"):
        audit({"dataset": None})


@pytest.mark.parametrize("kind", sorted(recorded()))
def test_every_type_is_read_in_its_own_layout(tmp_path, kind):
    result = audit({"dataset": recorded_tree(tmp_path / "root", kind)})
    assert not result.count("error"), result.findings
    assert all(result.images.values())


def test_every_frame_of_a_video_is_read(tmp_path):
    cfg = recorded_tree(tmp_path / "root", "VSPWDataset")
    frames = sorted((tmp_path / "root").rglob("*.jpg"))
    result = audit({"dataset": cfg}, ["train"])
    assert result.images == {"train": len(frames)}


def test_the_parts_of_a_multiple_data_set_are_audited_each(tmp_path):
    parts = {
        name: {
            "type": "FolderDataset",
            "rootdir": str(clean_tree(tmp_path / name)),
            "seg_target_remapper": {0: 0, 1: 1},
        }
        for name in ("one", "two")
    }
    parts["two"]["set"] = "val"
    cfg = {"type": "MultipleDataset", "train": parts, "test": {"one": {**parts["one"], "set": "val"}}}
    FAULTS["unknown_number"][0](tmp_path / "one")
    result = audit({"dataset": cfg})
    assert result.images == {"train/one": 4, "train/two": 2, "val/one": 2}
    assert only(result.findings, "unknown-label").file == str(tmp_path / "one" / LABEL)
    assert "same-image-in-two-sets" in kinds(result.findings)  # both parts were generated alike


def test_the_table_shows_a_few_files_of_each_kind_and_counts_all(root):
    for number in range(4):
        (root / f"images/train/train_{number}.png").write_bytes(b"")
    lines = list(findings_table(audit(folder_cfg(root)), files=2))
    assert lines[0].split() == ["error", "foreign-image", "4"]
    assert "    ... and 2 more" in lines
    assert sum("an empty file" in line for line in lines) == 2
    assert any(line.startswith("    cure: Fetch") for line in lines)
    assert lines[-1] == "images: 4 in train, 2 in val; 4 errors, 0 warnings, 0 notes"


def test_an_audit_is_json(root):
    FAULTS["all_ignored"][0](root)
    record = json.loads(json.dumps(audit(folder_cfg(root)).to_json()))
    assert record["counts"] == {"error": 0, "warning": 1, "note": 0}
    assert set(record["findings"][0]) == {"kind", "severity", "file", "message", "cure"}
    assert record["findings"][0]["file"] == str(root / LABEL)


def test_the_worst_comes_first(root):
    FAULTS["grey_image"][0](root)
    FAULTS["all_ignored"][0](root)
    (root / "images/train/train_0.png").write_bytes(b"")
    order = [SEVERITIES.index(finding.severity) for finding in found(root)]
    assert order == sorted(order)
    assert len(order) == 3
    assert Path(found(root)[2].file).name == Path(IMAGE).name


@pytest.mark.parametrize("command", ["check", "stats"])
def test_a_path_may_have_any_layout_that_training_takes(tmp_path, command, capsys):
    coco_tree(tmp_path / "coco")
    voc_tree(tmp_path / "voc")
    for place in (tmp_path / "coco", tmp_path / "coco" / "annotations" / "instances_train2017.json", tmp_path / "voc"):
        status = main(["data", command, str(place), "--workers", "0"])
        screen = capsys.readouterr().out
        assert "unusable-set" not in screen
        if command == "check":  # the black pictures of COCO's sets are the same
            assert status == 3 * ("same-image-in-two-sets" in screen)
            assert "images: 3 in train" in screen or "images: 2 in train, 1 in val" in screen
        else:
            assert status == 0
            assert "images    " in screen


def test_a_path_without_data_says_what_was_looked_for(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert main(["data", "check", str(tmp_path / "empty"), "--workers", "0"]) == 3
    assert "Looked for folders called" in " ".join(capsys.readouterr().err.split())
