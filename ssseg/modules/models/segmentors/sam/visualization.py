"""Masks and prompts over a picture: on axes of matplotlib, which the caller has, or as an array."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....utils.errors import ResourceError, ShapeError

BLUE = np.array([30, 144, 255, 153]) / 255  # RGB and opacity
SEED = 0  # of the colours of masks


def showmask(mask: NDArray[Any], ax: Any, random_color: bool = False) -> None:
    """Draw a mask (H, W), or (1, H, W), on `ax`, blue or in a random colour."""
    colour = np.array([*np.random.random(3), 0.6]) if random_color else BLUE
    ax.imshow(np.reshape(mask, (*mask.shape[-2:], 1)) * colour)


def showpoints(coords: NDArray[Any], labels: NDArray[Any], ax: Any, marker_size: float = 375) -> None:
    """Draw points (P, 2) on `ax` as stars: green where the label is 1, red where it is 0."""
    for label, colour in ((1, "green"), (0, "red")):
        some = coords[labels == label]
        ax.scatter(some[:, 0], some[:, 1], color=colour, marker="*", s=marker_size, edgecolor="white", linewidth=1.25)


def showbox(box: NDArray[Any], ax: Any) -> None:
    """Draw a box x0, y0, x1, y1 on `ax`, green."""
    x0, y0, x1, y1 = box
    ax.plot([x0, x1, x1, x0, x0], [y0, y0, y1, y1, y0], color="green", linewidth=2)


def showanns(anns: Sequence[Mapping[str, Any]]) -> None:
    """Draw what an automatic mask generator found, in random colours, on the current axes; the smallest on top.

    Raises:
        ResourceError: matplotlib is not installed.
    """
    if not anns:
        return
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ResourceError("showanns needs the package matplotlib: pip install matplotlib") from error
    ax = pyplot.gca()
    ax.set_autoscale_on(False)
    ax.imshow(_layers(anns))


def overlay_masks(
    image: NDArray[np.uint8], masks: Sequence[NDArray[np.bool_]] | NDArray[np.bool_], alpha: float = 0.5
) -> NDArray[np.uint8]:
    """Return a picture with masks laid over it, each in a colour of its own; needs no other package.

    Args:
        image: (H, W, 3), RGB.
        masks: (H, W) each; later ones lie over earlier ones.
        alpha: share of the colours, in [0, 1].

    Raises:
        ShapeError: a mask has another size.
    """
    colours = np.random.RandomState(SEED).randint(0, 256, (len(masks), 3))
    result = image.astype(np.float32)
    for mask, colour in zip(masks, colours, strict=True):
        if mask.shape != image.shape[:2]:
            raise ShapeError(f"overlay_masks: a mask is {mask.shape}, the picture {image.shape[:2]} (height, width).")
        result[mask] = image[mask] * (1 - alpha) + colour * alpha
    return np.rint(result).astype(np.uint8)


def _layers(anns: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    """Return masks as RGB and opacity, (H, W, 4) in 0..1."""
    colours = np.random.RandomState(SEED).random((len(anns), 3))
    layers = np.ones((*anns[0]["segmentation"].shape, 4))
    layers[..., 3] = 0
    for ann, colour in zip(sorted(anns, key=lambda one: one["area"], reverse=True), colours, strict=True):
        layers[ann["segmentation"]] = [*colour, 0.35]
    return layers
