"""Whether a data set's files are there and fit together."""

import os
from typing import TYPE_CHECKING

from ..utils.errors import DataError, LabelError
from ..utils.filekinds import shown
from ..utils.images import orientation
from .ids import check_id
from .paths import FolderListing, find_file, require_folder
from .rawcache import reading_of

if TYPE_CHECKING:
    from .base import BaseDataset


def check_files(dataset: "BaseDataset") -> None:
    """Raise a DataError unless every id of the data set has an image, and a label map where they are read.

    A raw cache must have all of them as they are.
    """
    name, listing = type(dataset).__name__, FolderListing()
    if not len(dataset.imageids):
        raise DataError(f"{name}: there are no images")
    kinds = [("images", dataset.image_dir, dataset.image_name, dataset.image_ext)]
    if dataset.reads_labels:
        kinds.append(("label maps", dataset.ann_dir, dataset.ann_name, dataset.ann_ext))
    for kind, folder, name_of, extension in kinds:
        require_folder(folder, f"{name}: the folder of the {kind},")
        paths = []
        for imageid in dataset.imageids:
            check_id(imageid, where=name)
            paths.append(find_file(os.path.join(folder, name_of(imageid)), extension, listing.holds))
        absent = [path for path in paths if not listing.holds(path)]
        if absent:
            first = ", ".join(map(shown, absent[:5]))
            raise DataError(f"{name}: {len(absent)} of {len(paths)} {kind} are missing, the first are {first}")
    if dataset.raw_cache is not None:
        pairs = ((dataset.image_path(imageid), dataset.ann_path(imageid)) for imageid in dataset.all_imageids())
        dataset.raw_cache.check(pairs, reading_of(dataset))


def size_error(imagepath: str, annpath: str, image: tuple[int, int], label: tuple[int, ...]) -> LabelError:
    """Return the error for a label map whose shape (height, width) is not the image's; EXIF may explain it."""
    message = (
        f"{shown(annpath)}: the label map is {label[1]} x {label[0]} pixels (width x height), "
        f"but {shown(imagepath)} is {image[1]} x {image[0]}."
    )
    if label == image[::-1] and (turned := orientation(imagepath)) >= 5:
        message += (
            f" The image is turned as its EXIF orientation {turned} says, the label map was drawn before turning: "
            "remove the orientation from the image, or turn the label map."
        )
    return LabelError(message)
