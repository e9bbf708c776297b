"""Many pictures in, overlays and label maps on disk out."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..modules.utils.errors import DataError, ImageError
from ..modules.utils.files import touchdirs
from ..modules.utils.images import write_png
from .predictor import Predictor
from .progress import progress

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


def find_images(path: str) -> list[Path]:
    """Return the image files of a folder, sorted by name, or the one file that `path` names.

    Raises:
        DataError: there is no such file, or the folder holds no image.
    """
    if not path:
        raise DataError("--imagedir or --imagepath: give a folder of pictures or one picture")
    place = Path(path)
    if place.is_dir():
        images = sorted(file for file in place.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES and file.is_file())
        if not images:
            raise DataError(f"--imagedir {path}: holds no picture ({', '.join(IMAGE_SUFFIXES)})")
        return images
    if not place.exists():
        raise DataError(f"--imagepath {path}: there is no such file")
    return [place]


def output_names(images: Sequence[Path]) -> list[str]:
    """Return a distinct name a picture: its stem, or its whole name where two pictures share a stem."""
    stems = Counter(image.stem for image in images)
    return [image.stem if stems[image.stem] == 1 else image.name for image in images]


def infer(predictor: Predictor, images: Sequence[Path], outputdir: str | Path) -> dict[Path, ImageError]:
    """Write `<name>.png`, the picture blended with the classes' colours, and `labels/<name>.png`, an index map.

    Returns:
        The pictures that could not be read, with the reason; the others are done.

    Raises:
        ResourceError: the output folder cannot be written.
    """
    folder = Path(outputdir)
    touchdirs(folder / "labels")
    failed: dict[Path, ImageError] = {}
    with progress("infer", len(images)) as meter:
        for image, name in zip(images, output_names(images), strict=True):
            try:
                prediction = predictor(image)
            except ImageError as error:
                failed[image] = error
            else:
                write_png(folder / f"{name}.png", prediction.overlay())
                write_png(folder / "labels" / f"{name}.png", prediction.labels, predictor.label_map.palette)
            meter.advance(image.name)
    return failed
