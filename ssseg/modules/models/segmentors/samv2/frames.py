from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ....utils.errors import DataError
from ....utils.videos import Picture, Pictures
from .transforms import normalized

CACHED = 8  # frames; at 1024 x 1024 each needs 12 MB


class Frames:
    """The frames of a video as the network reads them; the last few are kept.

    Args:
        pictures: all of one size.
        side: of the square that they are resized to.
        device: where frames are kept.
        ahead: also read the next frame, in the direction in which the last two were asked for, in another thread.

    Raises:
        DataError: a picture cannot be read, or has another size than the first.
    """

    def __init__(self, pictures: Pictures, side: int, device: torch.device, ahead: bool = False):
        self.pictures, self.side, self.device = pictures, side, device
        first = pictures.read(0)
        self.size = (first.shape[0], first.shape[1])
        self.kept: OrderedDict[int, Tensor] = OrderedDict()
        self.reading = Lock()
        self.last = -1
        self.pool = ThreadPoolExecutor(1) if ahead else None
        self.coming: tuple[int, Future[Tensor]] | None = None

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Tensor:
        """Return frame `index`, (3, side, side), normalized."""
        if self.coming and self.coming[0] == index:
            self._keep(index, self.coming[1].result())
        elif index not in self.kept:
            self._keep(index, self._read(index))
        self.kept.move_to_end(index)
        if self.pool:
            step = -1 if index < self.last else 1
            self.coming = None
            if 0 <= index + step < len(self) and index + step not in self.kept:
                self.coming = index + step, self.pool.submit(self._read, index + step)
        self.last = index
        return self.kept[index]

    def _keep(self, index: int, frame: Tensor) -> None:
        self.kept[index] = frame
        if len(self.kept) > CACHED:
            self.kept.popitem(last=False)

    def _read(self, index: int) -> Tensor:
        with self.reading:
            picture = self.pictures.read(index)
        if picture.shape[:2] != self.size:
            raise DataError(
                f"{self.pictures.name(index)}: has {picture.shape[1]} x {picture.shape[0]} pixels, but the first "
                f"frame of the video has {self.size[1]} x {self.size[0]}."
            )
        return normalized(_square(picture, self.side)).to(self.device)


def _square(picture: Picture, side: int) -> Tensor:
    """Return (3, side, side) in 0..1, resized bicubically."""
    resized = np.array(Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC))
    return torch.from_numpy(resized).permute(2, 0, 1) / 255
