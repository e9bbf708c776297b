"""What only shows when all images are known: pictures that appear twice, classes that never do."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ...modules.utils.errors import listed
from ...modules.utils.labelmap import LabelMap
from .findings import Finding, finding
from .records import Record


def repeated_images(records: Mapping[str, Sequence[Record]]) -> Iterator[Finding]:
    """Yield a finding for each picture that is in two splits, or twice in one; `records` are listed by split."""
    copies: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for split, part in records.items():
        for record in part:
            if record.digest:
                copies[record.digest][split].append(record.image)
    images = {split: {record.image for record in part} for split, part in records.items()}
    if len(images) > 1 and len({frozenset(paths) for paths in images.values()}) == 1:
        yield finding("same-sets", " and ".join(images), f"hold the same {len(next(iter(images.values())))} images")
        images = dict(list(images.items())[:1])
    for places in copies.values():
        if len(images) > 1 and len(places) > 1:
            first, second = (paths[0] for paths in list(places.values())[:2])
            names = " and ".join(places)
            also = "is" if first == second else f"is the same picture as {first} and"
            yield finding("same-image-in-two-sets", second, f"{also} in the sets {names}")
        for paths in [places[split] for split in images if split in places]:
            different = list(dict.fromkeys(paths))
            for copy in different[1:]:
                yield finding("duplicate-image", copy, f"is the same picture as {different[0]}")


def missing_classes(records: Mapping[str, Sequence[Record]], label_map: LabelMap) -> Iterator[Finding]:
    """Yield what classes no training image has."""
    seen = {split: {label for record in part for label in record.pixels or ()} for split, part in records.items()}
    if not seen.get("train"):
        return
    absent = [name for label, name in enumerate(label_map.classnames) if label not in seen["train"]]
    if absent:
        message = f"{len(absent)} of {label_map.num_classes} classes have no pixel in it: {listed(absent)}"
        yield finding("unseen-class", "train", message)
    late = [label_map.classnames[label] for label in sorted(seen.get("val", set()) - seen["train"])]
    if late:
        yield finding("untrained-class", "val", f"holds classes that the training set does not: {listed(late)}")
