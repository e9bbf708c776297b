"""Which files the sets name, and which lie beside them; answered from the listings of folders."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...modules.datasets.base import BaseDataset
from ...modules.datasets.ids import check_id
from ...modules.datasets.paths import IMAGE_EXTENSIONS, FolderListing, find_file, require_folder
from ...modules.utils.errors import DataError, nearest
from ...modules.utils.filekinds import shown
from .findings import Finding, finding
from .sources import Source

_SUGGESTIONS = 20  # of names; comparing every missing name with every file would take minutes


@dataclass(frozen=True)
class Pair:
    """The files of an id: `image` and `label` are their paths, None where there is no such file, or none is read."""

    imageid: str
    image: str | None
    label: str | None


def pairs_of(source: Source) -> tuple[list[Pair], list[Finding]]:
    """Return the files of each id of a set, and a finding for each that is missing."""
    dataset, listing = source.dataset, FolderListing()
    findings: list[Finding] = []
    found: dict[str, list[str | None]] = {}
    kinds = [("image", "missing-image", dataset.image_dir, dataset.image_name, dataset.image_ext)]
    if dataset.reads_labels:
        kinds.append(("label map", "missing-label", dataset.ann_dir, dataset.ann_name, dataset.ann_ext))
    for what, kind, folder, name_of, extension in kinds:
        try:
            require_folder(folder, f"the folder of the {what}s,")
        except DataError as error:
            return [], [*findings, finding("unusable-set", source.name, str(error))]
        paths: dict[str, str] = {}
        for imageid in dataset.all_imageids():
            try:
                check_id(imageid, where=source.name)
            except DataError as error:
                findings.append(finding(kind, source.name, str(error)))
                continue
            paths[imageid] = find_file(os.path.join(folder, name_of(imageid)), extension, listing.holds)
        for imageid, path in paths.items():
            found.setdefault(imageid, []).append(path if listing.holds(path) else None)
        findings += _missing(kind, what, source.name, paths, listing)
    pairs = [Pair(imageid, files[0], files[1] if len(files) > 1 else None) for imageid, files in found.items()]
    return pairs, findings


def _missing(
    kind: str, what: str, set_name: str, paths: Mapping[str, str], listing: FolderListing
) -> Iterator[Finding]:
    """Yield a finding for each path that does not exist; the first ones with the file that may have been meant."""
    absent = [(imageid, path) for imageid, path in paths.items() if not listing.holds(path)]
    named = set(paths.values())
    for number, (imageid, path) in enumerate(absent):
        near = ""
        if number < _SUGGESTIONS:
            folder, name = os.path.split(path)
            near = nearest(name, [other for other in listing.names(folder) if os.path.join(folder, other) not in named])
        yield finding(kind, shown(path), f"the {what} of {imageid!r} in the set {set_name} does not exist.{near}")


def unlisted_files(sources: Sequence[Source], pairs: Sequence[Sequence[Pair]]) -> Iterator[Finding]:
    """Yield a finding for each image and label map that lies beside those of the sets and that none of them names."""
    named = {path for part in pairs for pair in part for path in (pair.image, pair.label) if path}
    seen: set[str] = set()
    for source, part in zip(sources, pairs, strict=True):
        if not _named_alike(type(source.dataset)):
            continue
        image_folders = {os.path.dirname(pair.image) for pair in part if pair.image}
        label_folders = {os.path.dirname(pair.label) for pair in part if pair.label}
        shared = image_folders & label_folders
        for folder in sorted(image_folders | label_folders):
            for name in sorted(os.listdir(folder)):
                path = os.path.join(folder, name)
                if path in named or path in seen or name.startswith("."):
                    continue
                if folder in image_folders and _is_image(name, source.dataset, folder in shared):
                    seen.add(path)
                    yield from _of_image(path, source.dataset)
                elif folder in label_folders and _is_label(name, source.dataset, folder in shared):
                    seen.add(path)
                    yield from _of_label(path, source.dataset)


def _named_alike(kind: type[BaseDataset]) -> bool:
    """Whether an image and its one label map have the same name but for `image_ext` and `ann_ext`."""
    plain = kind.image_name is BaseDataset.image_name and kind.ann_name is BaseDataset.ann_name
    return kind.read_annotation is BaseDataset.read_annotation and (plain or kind.image_name is kind.ann_name)


def _is_image(name: str, dataset: BaseDataset, shared: bool) -> bool:
    strict = shared or not dataset.image_ext.startswith(".") or dataset.image_ext.count(".") > 1
    return name.endswith(dataset.image_ext) if strict else name.lower().endswith(IMAGE_EXTENSIONS)


def _is_label(name: str, dataset: BaseDataset, shared: bool) -> bool:
    strict = shared or not dataset.ann_ext.startswith(".") or dataset.ann_ext.count(".") > 1
    return name.endswith(dataset.ann_ext) if strict else name.lower().endswith(IMAGE_EXTENSIONS)


def _of_image(path: str, dataset: BaseDataset) -> Iterator[Finding]:
    stem = _stem(path, dataset.image_dir, dataset.image_ext)
    if os.path.exists(find_file(os.path.join(dataset.ann_dir, stem), dataset.ann_ext)):
        yield finding("unlisted-pair", shown(path), "has a label map, but no set names it")
    else:
        yield finding("image-without-label", shown(path), "has no label map, and no set names it")


def _of_label(path: str, dataset: BaseDataset) -> Iterator[Finding]:
    stem = _stem(path, dataset.ann_dir, dataset.ann_ext)
    if not os.path.exists(find_file(os.path.join(dataset.image_dir, stem), dataset.image_ext)):
        wanted = os.path.join(dataset.image_dir, stem + dataset.image_ext)
        yield finding("label-without-image", shown(path), f"there is no image {shown(wanted)}")


def _stem(path: str, folder: str | os.PathLike[str], extension: str) -> str:
    name = os.path.relpath(path, folder)
    return name.removesuffix(extension) if name.endswith(extension) else os.path.splitext(name)[0]
