"""What an audit finds: the kinds of findings, how bad each is, and what to do about it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")

KINDS: dict[str, tuple[Severity, str]] = {
    # of a whole set
    "unusable-set": ("error", "Correct what the message names; the set was not looked at any further."),
    "class-count": ("error", "Set SEGMENTOR_CFG['num_classes'] to the number of classes of the data set."),
    "repeated-id": ("warning", "Remove the repeated lines from the list; each id counts once."),
    "unnamed-classes": ("note", "Name the classes in classes.txt, one `id<TAB>name` a line."),
    "unseen-class": ("note", "Nothing needs to be done; a class without pixels cannot be learned."),
    "untrained-class": ("warning", "Move some of these images to the training set, or leave the class out."),
    # of files that are there or not
    "missing-image": ("error", "Add the file, or remove its id from the list."),
    "missing-label": ("error", "Add the label map, or remove the image or its id from the set."),
    "image-without-label": ("note", "Label it, if it was meant to be used; no set lists it."),
    "label-without-image": ("warning", "Add the image, under the same name and with an extension that is read."),
    "unlisted-pair": ("note", "Add its id to a set, if it was meant to be used."),
    "same-image-in-two-sets": ("error", "Remove it from one of the sets; a test on training images says nothing."),
    "same-sets": ("warning", "Test on other images than those trained on, unless this is a trial."),
    "duplicate-image": ("warning", "Remove all but one, or make sure that their label maps agree."),
    # of an image
    "foreign-image": ("error", "Fetch or export the picture again; this file holds something else."),
    "unreadable-image": ("error", "Fetch or export the picture again, as one whole JPEG or PNG."),
    "blank-image": ("warning", "Look at it; all its pixels have one colour."),
    "tiny-image": ("warning", "Look at it; it may be a thumbnail or a placeholder."),
    "below-crop": ("note", "It is padded each time. Choose a smaller crop_size where this holds for many images."),
    "exif-rotation": ("warning", "See that the label map was drawn on the turned picture, then save it upright."),
    "grey-image": ("note", "Nothing needs to be done; the grey is repeated in all three channels."),
    "alpha-image": ("note", "Nothing needs to be done where it is opaque; the alpha channel is dropped."),
    "cmyk-image": ("warning", "Convert it to RGB with its colour profile; it is converted without one."),
    "palette-image": ("note", "Nothing needs to be done; its colours are looked up."),
    "16-bit-image": ("warning", "Scale it to 8 bits yourself; only the high byte of each number is kept."),
    "wrong-extension": ("warning", "Rename it; some programs trust the name."),
    # of a label map
    "foreign-label": ("error", "Export the label map again; this file holds something else."),
    "unreadable-label": ("error", "Export the label map again, as a PNG."),
    "lossy-label": ("error", "Export the label map again, losslessly as PNG, and resize it with nearest neighbours."),
    "unusable-label": ("error", "Save the label map as an 8-bit or 16-bit grey PNG that holds class ids."),
    "coloured-label": ("error", "Give each class its colour: `id<TAB>name<TAB>r<TAB>g<TAB>b` in classes.txt."),
    "unknown-colour": ("error", "Add the colour to the class table, or repaint these pixels."),
    "unknown-label": ("error", "Add the id to the class table (as `void` to ignore it), or correct the label map."),
    "ignored-values": (
        "warning",
        "They are ignored, as auto_correct_invalid_seg_target says; see that they should be.",
    ),
    "16-bit-label": ("note", "Nothing needs to be done; the numbers are read as they are."),
    "palette-order": (
        "warning",
        "Give the palette the order of the classes: the index of a pixel counts, not its colour.",
    ),
    "empty-label": ("warning", "Label it or leave it out; all its pixels are ignored."),
    "size-mismatch": ("error", "Bring the label map to the size of its image."),
}


@dataclass(frozen=True)
class Finding:
    """One thing that deserves attention.

    Attributes:
        kind: a key of `KINDS`.
        file: its path, or the set it concerns.
        message: what is there, and where in the file.
        cure: what to do.
    """

    kind: str
    severity: Severity
    file: str
    message: str
    cure: str

    def to_json(self) -> dict[str, Any]:
        """Return the finding as JSON can hold it."""
        return asdict(self)


def finding(kind: str, file: str, message: str, cure: str = "", severity: Severity | None = None) -> Finding:
    """Return a finding with the usual severity and cure of its kind, unless others are given."""
    usual, remedy = KINDS[kind]
    return Finding(kind, severity or usual, file, message, cure or remedy)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings with the worst first, those of a kind together, by file."""
    kinds = list(KINDS)
    return sorted(
        dict.fromkeys(findings),
        key=lambda item: (SEVERITIES.index(item.severity), kinds.index(item.kind), item.file, item.message),
    )
