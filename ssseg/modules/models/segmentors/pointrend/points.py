"""Points of an image: (N, P, 2), x and y as fractions of its width and height, from the outer edge."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


def sample_map(x: Tensor, points: Tensor, align_corners: bool) -> Tensor:
    """Return the values (N, C, P) of a map (N, C, h, w) at points, interpolated."""
    dtype = torch.promote_types(x.dtype, points.dtype)  # half precision is too coarse for places
    grid = 2 * points.to(dtype).unsqueeze(2) - 1
    return F.grid_sample(x.to(dtype), grid, align_corners=align_corners).squeeze(3).to(x.dtype)


def sample_labels_at(labels: Tensor, points: Tensor, align_corners: bool) -> Tensor:
    """Return the labels (N, P) of a label map (N, H, W) nearest to points."""
    height, width = labels.shape[1:]
    last = points.new_tensor([width - 1, height - 1])
    places = (points * last).round() if align_corners else torch.minimum((points * (last + 1)).floor(), last)
    columns, rows = places.long().unbind(dim=2)
    return labels.flatten(1).gather(1, rows * width + columns)


def uncertainty(scores: Tensor) -> Tensor:
    """Return how close the two best of scores (N, K, ...) are: (N, ...), at most 0; a single one is compared with 0."""
    if scores.shape[1] == 1:
        return -scores[:, 0].abs()
    best, second = scores.topk(2, dim=1).values.unbind(dim=1)
    return second - best


@dataclass(frozen=True)
class TrainingPoints:
    """Chooses the points that a network learns from: most of them where it is uncertain.

    Paper: Kirillov et al., "PointRend: Image Segmentation as Rendering", CVPR 2020, arXiv:1912.08193, section 3.1.

    Args:
        num_points: how many for each image.
        oversample_ratio: how many times as many are looked at.
        importance_sample_ratio: fraction of `num_points` that are the most uncertain of these; the others are anywhere.
    """

    num_points: int
    oversample_ratio: float
    importance_sample_ratio: float

    def choose(self, scores: Tensor) -> Tensor:
        """Return points (N, num_points, 2) for scores (N, K, h, w), drawn from torch's global generator."""
        n, looked_at = scores.shape[0], int(self.num_points * self.oversample_ratio)
        uncertain = int(self.num_points * self.importance_sample_ratio)
        points = torch.rand(n, looked_at, 2, device=scores.device)
        order = uncertainty(sample_map(scores.detach(), points, align_corners=False)).topk(uncertain, dim=1).indices
        anywhere = torch.rand(n, self.num_points - uncertain, 2, device=scores.device)
        return torch.cat([points.gather(1, order.unsqueeze(2).expand(-1, -1, 2)), anywhere], dim=1)


@dataclass(frozen=True)
class Subdivision:
    """Enlarges scores step by step, and looks again where they are uncertain.

    Paper: as above, section 3.1, inference.

    Args:
        subdivision_steps: how many times.
        subdivision_num_points: how many places of an image are scored again in a step.
        scale_factor: by how much a step enlarges height and width.
    """

    subdivision_steps: int
    subdivision_num_points: int
    scale_factor: int

    def choose(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Return the least certain places (N, P) of scores (N, K, h, w), as row * w + column, and their points."""
        height, width = scores.shape[2:]
        count = min(height * width, self.subdivision_num_points)
        places = uncertainty(scores).flatten(1).topk(count, dim=1).indices
        points = torch.stack([(places % width + 0.5) / width, (places // width + 0.5) / height], dim=2)
        return places, points
