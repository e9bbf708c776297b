"""Many pictures in, overlays and label maps on disk out."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..modules.utils.errors import ConfigError, DataError, ShapeError, SSSegError
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
    """Return a distinct name a picture: its stem, or its whole name where that is the stem or name of another."""
    taken = Counter(name.casefold() for image in images for name in {image.stem, image.name})
    return [image.stem if taken[image.stem.casefold()] == 1 else image.name for image in images]


def require_apart(path: str, images: Sequence[Path], outputdir: str | Path) -> None:
    """Raise a ConfigError where outputs would land in the folder of pictures `path`, or on a picture itself."""
    folder, place = Path(outputdir).resolve(), Path(path).resolve()
    if place.is_dir() and (folder == place or place in folder.parents):
        raise ConfigError(f"--outputdir {outputdir}: lies in the folder of the pictures, {place}; give another")
    written = {folder / f"{name}.png" for name in output_names(images)}
    if place in written:
        raise ConfigError(f"--outputdir {outputdir}: the result would replace the picture {place}; give another")


def infer(predictor: Predictor, images: Sequence[Path], outputdir: str | Path) -> dict[Path, SSSegError]:
    """Write `<name>.png`, the picture blended with the classes' colours, and `labels/<name>.png`, an index map.

    Returns:
        The pictures that cannot be read or used, with the reason; the others are done.

    Raises:
        ResourceError: the output folder cannot be written.
    """
    folder = Path(outputdir)
    for made in (folder, folder / "labels"):
        touchdirs(made)
    failed: dict[Path, SSSegError] = {}
    with progress("infer", len(images)) as meter:
        for image, name in zip(images, output_names(images), strict=True):
            try:
                prediction = predictor(image)
            except (DataError, ShapeError) as error:
                failed[image] = error
            else:
                write_png(folder / f"{name}.png", prediction.overlay())
                write_png(folder / "labels" / f"{name}.png", prediction.labels, predictor.label_map.palette)
            meter.advance(image.name)
    return failed
