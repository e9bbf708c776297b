"""Draws prompts, and with a checkpoint their masks, on a photograph: `python docs/promptable_pictures.py PHOTO [CKPT]`.

Writes docs/images/prompts.jpg. CKPT is a published checkpoint of SAM with the encoder ViT-B. The picture in the
documents was made of shared/data/photos/chelsea.jpg (CC0), without one.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ssseg.modules.models.segmentors.sam import SAMPredictor
from ssseg.modules.models.segmentors.sam.automatic import crop_boxes, point_grids
from ssseg.modules.models.segmentors.sam.published import SAM_CFGS
from ssseg.modules.models.segmentors.sam.visualization import overlay_masks

GREEN, RED, WHITE = (40, 200, 80), (230, 60, 60), (255, 255, 255)
POINTS, LABELS = np.array([[0.38, 0.37], [0.63, 0.22]]), np.array([1, 0])  # shares of the width and the height
BOX = np.array([0.28, 0.26, 0.48, 0.51])


def with_prompts(image: np.ndarray) -> Image.Image:
    """Return a picture with two points and a box."""
    height, width = image.shape[:2]
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    draw.rectangle([*BOX * [width, height, width, height]], outline=GREEN, width=3)
    for (x, y), label in zip(POINTS * [width, height], LABELS, strict=True):
        draw.circle((x, y), 8, fill=GREEN if label else RED, outline=WHITE, width=2)
    return picture


def with_grid(image: np.ndarray) -> Image.Image:
    """Return a picture with the points of an automatic search, and the first crops."""
    height, width = image.shape[:2]
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    for x, y in point_grids(16, 0, 1)[0] * [width, height]:
        draw.circle((x, y), 2, fill=WHITE)
    for (x0, y0, x1, y1), layer in crop_boxes((height, width), 1, 512 / 1500):
        if layer:
            draw.rectangle([x0 + 1, y0 + 1, x1 - 2, y1 - 2], outline=GREEN, width=2)
    return picture


def with_masks(image: np.ndarray, ckptpath: str) -> Image.Image:
    """Return a picture with the mask for the points and the box."""
    height, width = image.shape[:2]
    predictor = SAMPredictor({**SAM_CFGS["use_default_sam_b"](), "ckptpath": ckptpath})
    predictor.setimage(image)
    box = BOX * [width, height, width, height]
    masks, _, _ = predictor.predict(POINTS * [width, height], LABELS, box=box, multimask_output=False)
    return Image.fromarray(overlay_masks(image, masks))


def main(photo: str, *ckptpath: str) -> None:
    """Write the pictures side by side."""
    image = np.array(Image.open(photo).convert("RGB"))
    parts = [with_prompts(image), *(with_masks(image, path) for path in ckptpath), with_grid(image)]
    sheet = Image.new("RGB", (sum(part.width for part in parts) + 8 * (len(parts) - 1), image.shape[0]), WHITE)
    left = 0
    for part in parts:
        sheet.paste(part, (left, 0))
        left += part.width + 8
    target = Path(__file__).parent / "images" / "prompts.jpg"
    target.parent.mkdir(exist_ok=True)
    sheet.save(target, quality=85)


if __name__ == "__main__":
    main(*sys.argv[1:])
