"""Each data set type on disk, small and in its original layout, with what SSSegmentation 1.7.0 read there."""

import functools
import gzip
import json
import struct
from pathlib import Path

import numpy as np

from tests.trees import SIZE, make_image, make_labels, write_image, write_label, write_list

DATA = Path(__file__).parent / "golden" / "data" / "datasets.json.gz"
FILE_LISTS = ("ChaseDB1Dataset", "DRIVEDataset", "STAREDataset")  # whose lists hold file names of images
RAW_LABELS = {"COCOStuffDataset": [0, 1, 181, 255]}  # the recorded tree holds 182 as well, which real files never do
BOXES = {  # of COCO's instances: image -> category and corners, in an image of 50 x 60
    9: [(1, (0, 0, 40, 40)), (18, (20, 20, 60, 50)), (90, (0, 45, 10, 50))],
    25: [(1, (0, 0, 10, 10))],
    30: [(90, (0, 0, 60, 50))],
}


@functools.cache
def recorded():
    """Return type -> class table, tree, ids and labels read from it."""
    return json.loads(gzip.decompress(DATA.read_bytes()))


def recorded_tree(root: Path, kind: str) -> dict:
    """Write the tree of a type, and return the cfg that reads its recorded set in both modes."""
    tree = recorded()[kind]["tree"]
    split = tree["set"]
    files = [Path(name) for name in tree["files"]]
    raw = RAW_LABELS.get(kind, tree["raw_labels"])
    size = (50, 60) if kind == "COCOVOCSUBDataset" else SIZE
    for number, name in enumerate(files):
        path = root / name
        if name.suffix == ".json":
            write_coco_json(path, [int(other.stem) for other in files if other.suffix == ".jpg"])
        elif name.suffix == ".txt":
            write_list(path, _lines(kind, tree, files))
        elif name.suffix == ".mat":
            write_mat(path, {"S": np.resize(raw, size).astype(np.uint16)})
        elif _holds_labels(kind, name):
            write_label(path, np.resize(raw, size).astype(np.uint8))
        else:
            write_image(path, make_image(make_labels(number, 3, size), number))
    return {"type": kind, "rootdir": str(root), "train": {"set": split}, "test": {"set": split}}


def write_coco_json(path: Path, ids: list[int]) -> Path:
    """Write the images `ids` and, for those in `BOXES`, their objects as polygons."""
    images = [{"id": number, "file_name": f"{number:012d}.jpg", "height": 50, "width": 60} for number in ids]
    annotations = [
        {"image_id": number, "category_id": category, "segmentation": [[x0, y0, x1, y0, x1, y1, x0, y1]]}
        for number in ids
        for category, (x0, y0, x1, y1) in BOXES.get(number, ())
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"images": images, "annotations": annotations}))
    return path


def write_mat(path: Path, variables: dict[str, np.ndarray], order: str = "<") -> Path:
    """Write uint8 or uint16 matrices as a MATLAB file of level 5, not compressed."""

    def element(kind: int, content: bytes) -> bytes:
        if len(content) <= 4:  # small elements have another form
            return struct.pack(f"{order}I", len(content) << 16 | kind) + content.ljust(4, b"\0")
        return struct.pack(f"{order}2I", kind, len(content)) + content + bytes(-len(content) % 8)

    data = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack(f"{order}2H", 0x0100, 0x4D49)
    for name, matrix in variables.items():
        array_class, kind = {1: (9, 2), 2: (11, 4)}[matrix.dtype.itemsize]
        numbers = matrix.astype(matrix.dtype.newbyteorder(order)).tobytes(order="F")
        data += element(
            14,
            element(6, struct.pack(f"{order}2I", array_class, 0))
            + element(5, struct.pack(f"{order}2i", *matrix.shape))
            + element(1, name.encode())
            + element(kind, numbers),
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def _holds_labels(kind: str, name: Path) -> bool:
    if kind == "COCOStuffDataset":
        return name.suffix == ".png"
    folders = ("annotations", "gt", "mask", "Category_ids", "parsing_annos", "ShadowMasks", "Anno-Person", "gtFine")
    return any(part in folders or part.startswith(("Segmentation", "gtCoarse")) for part in name.parts) or any(
        part.endswith("_segmentations") for part in name.parts
    )


def _lines(kind: str, tree: dict, files: list[Path]) -> list[str]:
    if kind in FILE_LISTS:
        return [name.name for name in files if name.parts[0] == "images"]
    ids = tree["modes"]["TRAIN"]["ids"]
    return [f"val/night/GOPR0356/{imageid}" for imageid in ids] if kind == "DarkZurichDataset" else ids
