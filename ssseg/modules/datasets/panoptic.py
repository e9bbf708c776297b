"""COCO's panoptic format: PNG files of segment ids, and which category each segment is of."""

import os

from ..utils.errors import DataError
from ..utils.filekinds import shown
from ..utils.jsontext import load_json
from .paths import missing


def read_panoptic(path: str | os.PathLike[str]) -> dict[str, tuple[str, dict[int, int]]]:
    """Read an annotation file: id of an image -> its PNG file, and segment id -> category.

    Source: Kirillov et al., "Panoptic Segmentation", CVPR 2019, arXiv:1801.00868; https://cocodataset.org/#format-data.

    Raises:
        DataError: the file is missing or no panoptic file.
    """
    if not os.path.isfile(path):
        raise DataError(f"the annotation file {missing(path)}")
    try:
        entries = load_json(path, "the annotation file")["annotations"]
        return {
            str(entry["image_id"]): (
                str(entry["file_name"]),
                {int(segment["id"]): int(segment["category_id"]) for segment in entry["segments_info"]},
            )
            for entry in entries
        }
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise DataError(f"{shown(path)}: is no panoptic annotation file: {error!r}") from error
