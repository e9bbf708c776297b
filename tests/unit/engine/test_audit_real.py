"""No error is found in real data sets; what is special in them is noted."""

import json
from pathlib import Path

import pytest

from ssseg.engine.dataaudit import audit
from ssseg.engine.dataaudit.sources import folder_cfg
from tests import shared
from tests.trees import write_list

SAMPLES = shared.DATA / "samples"
pytestmark = pytest.mark.skipif(not shared.DATA.is_dir(), reason=f"{shared.DATA} is not here")


def counts(result):
    found = {}
    for finding in result.findings:
        found[finding.kind] = found.get(finding.kind, 0) + 1
    return found


@pytest.mark.parametrize("name", ["drive", "chase_db1", "stare"])
def test_the_retina_sets_have_no_findings(name):
    result = audit(folder_cfg(shared.DATA / "retina" / name))
    assert result.findings == []
    assert sum(result.images.values()) in (10, 20)


def test_the_pictures_to_test_camvid_on_have_no_findings():
    result = audit(folder_cfg(shared.DATA / "camvid"), ["val"])
    assert result.findings == []
    assert result.images == {"val": 101}


def linked(root: Path, source: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(source / name)
    return root


def ade20k(root):
    home = linked(root / "ADEChallengeData2016", SAMPLES / "ADE20k/ADEChallengeData2016", "images", "annotations")
    write_list(home / "train.txt", ["ADE_train_00000001"])
    write_list(home / "val.txt", [f"ADE_val_0000000{number}" for number in (1, 2, 3)])
    return {"type": "ADE20kDataset", "rootdir": str(root), "train": {"set": "train"}, "test": {"set": "val"}}


def cityscapes(root):
    linked(root, SAMPLES / "Cityscapes", "leftImg8bit", "gtFine")
    write_list(root / "train.txt", [f"aachen/aachen_00000{number}_000019_leftImg8bit" for number in (0, 1)])
    write_list(root / "val.txt", ["frankfurt/frankfurt_000000_000294_leftImg8bit"])
    return {"type": "CityScapesDataset", "rootdir": str(root), "train": {"set": "train"}, "test": {"set": "val"}}


def cocostuff(root):
    for split in ("train", "val"):
        (root / f"{split}2017").mkdir()
        for path in SAMPLES.glob(f"COCOStuff/*/{split}2017/*"):
            (root / f"{split}2017" / path.name).symlink_to(path)
        names = sorted(path.name for path in (root / f"{split}2017").glob("*.jpg"))
        images = [{"id": int(Path(name).stem), "file_name": name} for name in names]
        (root / "annotations").mkdir(exist_ok=True)
        (root / "annotations" / f"stuff_{split}2017.json").write_text(json.dumps({"images": images}))
    return {"type": "COCOStuffDataset", "rootdir": str(root), "train": {"set": "train"}, "test": {"set": "val"}}


def lip(root):
    return {"type": "LIPDataset", "rootdir": str(SAMPLES / "LIP"), "train": {"set": "train"}, "test": {"set": "val"}}


def cihp(root):
    part = {"set": "train"}
    return {"type": "CIHPDataset", "rootdir": str(SAMPLES / "CIHP"), "train": part, "test": part}


def chase(root):
    for split, name in (("training", "Image_01L"), ("validation", "Image_01R")):
        for folder, file in (("images", f"{name}.jpg"), ("annotations", f"{name}_1stHO.png")):
            (root / folder / split).mkdir(parents=True)
            (root / folder / split / file).symlink_to(SAMPLES / "CHASE/CHASEDB1" / file)
        write_list(root / f"{'train' if split == 'training' else 'val'}.txt", [f"{name}.jpg"])
    return {"type": "ChaseDB1Dataset", "rootdir": str(root), "train": {"set": "train"}, "test": {"set": "val"}}


def isbi(root):
    for kind in ("image", "label"):
        (root / f"{kind}s").mkdir()
        (root / f"{kind}s" / "train").symlink_to(SAMPLES / "ISBI2012/membrane/train" / kind)
    (root / "classes.txt").write_text("0\tmembrane\n255\tcell\n")
    return {"type": "FolderDataset", "rootdir": str(root), "train": {"set": "train"}, "test": {"set": "train"}}


def plain_folder(root, image, label, rows):
    """A picture and its label map as a `FolderDataset` of one pair."""
    for kind, name in (("images", image), ("labels", label)):
        (root / kind / "train").mkdir(parents=True)
        (root / kind / "train" / f"pair{Path(name).suffix}").symlink_to(SAMPLES / name)
    (root / "classes.txt").write_text("".join(f"{number}\t{name}\n" for number, name in rows))
    return {"type": "FolderDataset", "rootdir": str(root), "train": {"set": "train"}, "test": {"set": "train"}}


def drive(root):
    rows = [(0, "background"), (255, "vessel")]
    return plain_folder(root, "DRIVE/training/images/21_training.tif", "DRIVE/training/1st_manual/21_manual1.gif", rows)


def stare(root):
    rows = [(0, "background"), (255, "vessel")]
    return plain_folder(root, "STARE/stare-images/im0002.ppm", "STARE/labels-ah/im0002.ah.ppm", rows)


def sunrgbd(root):
    rows = [(number, f"class {number}") for number in range(37)]
    return plain_folder(root, "SUNRGBD/image/train/img-000001.jpg", "SUNRGBD/semseg-label37/train/00000001.png", rows)


def coco_panoptic(root):
    folder = SAMPLES / "COCOPanoptic"
    categories = json.loads((folder / "panoptic_coco_categories.json").read_text())
    classes = [[-1, "void"], *([entry["id"], entry["name"]] for entry in categories)]
    examples = {"annotations": "panoptic_examples.json", "images": "input_images", "segments": "panoptic_examples"}
    val = {
        "annotations": "annotations/panoptic_val2017.json",
        "images": "images/val2017",
        "segments": "annotations/panoptic_val2017",
    }
    return {
        "type": "COCOFileDataset",
        "rootdir": str(folder),
        "train": {**examples, "classes": classes},
        "test": {**val, "classes": classes},
    }


@pytest.mark.parametrize(
    ("make", "images", "special"),
    [
        (ade20k, 4, {}),
        (cityscapes, 3, {}),
        (cocostuff, 8, {}),
        (coco_panoptic, 3, {}),
        (lip, 2, {"grey-image": 1}),
        (cihp, 10, {"same-sets": 1}),
        (chase, 2, {}),
        (drive, 2, {"same-sets": 1}),
        (stare, 2, {"same-sets": 1}),
        (sunrgbd, 2, {"same-sets": 1}),
        (isbi, 8, {"same-sets": 1, "grey-image": 4}),
    ],
)
def test_no_error_is_found_in_the_samples(tmp_path, make, images, special):
    result = audit({"dataset": make(tmp_path)})
    assert not result.count("error"), result.findings
    assert sum(result.images.values()) == images
    found = counts(result)
    for kind in ("unseen-class", "untrained-class"):  # a handful of images does not show every class
        found.pop(kind, None)
    assert found == special


def test_the_palette_of_voc_is_that_of_its_classes():
    cfg = {"type": "VOCDataset", "rootdir": str(SAMPLES / "VOC/VOCdevkit/VOC2012")}
    lists = sorted(path.stem for path in (SAMPLES / "VOC").rglob("ImageSets/Segmentation/*.txt"))
    result = audit({"dataset": {**cfg, "train": {"set": lists[0]}, "test": {"set": lists[-1]}}})
    assert not result.count("error"), result.findings
    assert "palette-order" not in counts(result)
