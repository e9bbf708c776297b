"""Masks with their outlines, and prompts, over a picture, on axes of matplotlib, which the caller has."""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ....utils.errors import ResourceError
from ..sam import visualization as sam
from ..sam.visualization import showbox, showpoints

Colour = tuple[float, float, float, float]

WHITE: Colour = (1, 1, 1, 0.5)
BLUE: Colour = (0, 0, 1, 0.4)


def showmask(mask: NDArray[Any], ax: Any, random_color: bool = False, borders: bool = True) -> None:
    """Draw a mask (H, W), or (1, H, W), on `ax`, blue or in a random colour; with `borders` its outline, too."""
    sam.showmask(mask, ax, random_color)
    if borders:
        ax.imshow(outlines([np.reshape(mask, mask.shape[-2:])], WHITE, width=2))


def showmasks(
    image: NDArray[np.uint8],
    masks: Sequence[NDArray[Any]],
    scores: Sequence[float],
    point_coords: NDArray[Any] | None = None,
    box_coords: NDArray[Any] | None = None,
    input_labels: NDArray[Any] | None = None,
    borders: bool = True,
) -> None:
    """Show a picture with each mask (H, W), and the prompts, in a figure of its own.

    Args:
        point_coords, input_labels: (P, 2) and (P,), both or none.
        box_coords: x0, y0, x1, y1.

    Raises:
        ResourceError: matplotlib is not installed.
    """
    pyplot = _pyplot("showmasks")
    for number, (mask, score) in enumerate(zip(masks, scores, strict=True), start=1):
        _, ax = pyplot.subplots(figsize=(10, 10))
        ax.imshow(image)
        showmask(mask, ax, borders=borders)
        if point_coords is not None and input_labels is not None:
            showpoints(point_coords, input_labels, ax)
        if box_coords is not None:
            showbox(box_coords, ax)
        if len(scores) > 1:
            ax.set_title(f"Mask {number}, score {score:.3f}", fontsize=18)
        ax.axis("off")
        pyplot.show()


def showanns(anns: Sequence[Mapping[str, Any]], borders: bool = True) -> None:
    """Draw what an automatic mask generator found, in random colours, on the current axes; the smallest on top.

    Raises:
        ResourceError: matplotlib is not installed.
    """
    sam.showanns(anns)
    if anns and borders:
        _pyplot("showanns").gca().imshow(outlines([ann["segmentation"] for ann in anns], BLUE, width=1))


def outlines(masks: Sequence[NDArray[Any]], colour: Colour, width: int) -> NDArray[np.float32]:
    """Return the outlines of masks (H, W), `width` pixels wide, as RGB and opacity, (H, W, 4) in 0..1."""
    layer = np.zeros((*masks[0].shape, 4), np.float32)
    for mask in masks:
        contours, _ = cv2.findContours((mask > 0).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(layer, contours, -1, colour, thickness=width)
    return layer


def _pyplot(what: str) -> Any:
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ResourceError(f"{what} needs the package matplotlib: pip install matplotlib") from error
    return pyplot
