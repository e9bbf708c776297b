"""Prompts, which are points, boxes and masks, as tokens and maps."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ...backbones import BuildActivation
from ...backbones.bricks.normalization.layernorm import LayerNorm2d

NOT_A_POINT = -1  # the label of what only fills up a row of points


class RandomPositionEncoding(nn.Module):
    """Sines and cosines of random projections of a position.

    Paper: Tancik et al., "Fourier Features Let Networks Learn High Frequency Functions in Low Dimensional Domains",
    NeurIPS 2020, arXiv:2006.10739, section 5.

    Args:
        num_pos_feats: number of projections, half the width of the result.
    """

    positional_encoding_gaussian_matrix: Tensor

    def __init__(self, num_pos_feats: int):
        super().__init__()
        self.register_buffer("positional_encoding_gaussian_matrix", torch.randn(2, num_pos_feats))

    def forward(self, positions: Tensor) -> Tensor:
        """Return (..., 2 * num_pos_feats) of positions (..., 2): x and y, as shares of the width and the height."""
        matrix = self.positional_encoding_gaussian_matrix
        angles = 2 * math.pi * ((2 * positions.float() - 1) @ matrix.float())  # coarser numbers would blur positions
        return torch.cat([angles.sin(), angles.cos()], dim=-1).to(matrix.dtype)

    def grid(self, size: tuple[int, int]) -> Tensor:
        """Return (2 * num_pos_feats, h, w): the encodings of the centres of the cells of a grid of `size` (h, w)."""
        device = self.positional_encoding_gaussian_matrix.device
        y, x = ((torch.arange(length, device=device) + 0.5) / length for length in size)
        positions = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1)  # (h, w, 2)
        return self(positions).permute(2, 0, 1)


class PromptEncoder(nn.Module):
    """Encodes points and boxes as tokens, masks as a map that is added to the image's.

    Paper: Kirillov et al., "Segment Anything", ICCV 2023, arXiv:2304.02643, appendix A.

    Args:
        embed_dim: width of tokens and maps.
        image_embedding_size: (h, w) of the image's map.
        input_image_size: (H, W) of the padded image, in whose pixels prompts are given.
        mask_in_chans: width within the layers that read masks.

    Shape:
        points: coordinates (B, P, 2), x and y in pixels; labels (B, P): 1 on the object, 0 beside it, -1 for no point,
        2 and 3 for the first and last corner of a box. boxes (B, 4): x0, y0, x1, y1. masks (B, 1, 4h, 4w) logits.
        Returned: tokens (B, T, embed_dim), those of points first, and maps (B, embed_dim, h, w). Where there are
        points but no boxes one token is added that says so. Without any prompt B is 1 and T is 0.
    """

    def __init__(
        self,
        embed_dim: int,
        image_embedding_size: Sequence[int],
        input_image_size: Sequence[int],
        mask_in_chans: int,
        act_cfg: Mapping[str, Any] | None = {"type": "GELU"},
    ):
        super().__init__()
        self.embed_dim = embed_dim
        self.image_embedding_size = (image_embedding_size[0], image_embedding_size[1])
        self.input_image_size = (input_image_size[0], input_image_size[1])
        self.mask_input_size = (4 * image_embedding_size[0], 4 * image_embedding_size[1])
        self.pe_layer = RandomPositionEncoding(embed_dim // 2)
        self.point_embeddings = nn.ModuleList(nn.Embedding(1, embed_dim) for _ in range(4))
        self.not_a_point_embed = nn.Embedding(1, embed_dim)
        self.mask_downscaling = nn.Sequential(
            nn.Conv2d(1, mask_in_chans // 4, 2, stride=2),
            LayerNorm2d(mask_in_chans // 4, eps=1e-6),
            BuildActivation(act_cfg),
            nn.Conv2d(mask_in_chans // 4, mask_in_chans, 2, stride=2),
            LayerNorm2d(mask_in_chans, eps=1e-6),
            BuildActivation(act_cfg),
            nn.Conv2d(mask_in_chans, embed_dim, 1),
        )
        self.no_mask_embed = nn.Embedding(1, embed_dim)

    def getdensepe(self) -> Tensor:
        """Return the encodings of the positions of the image's map, (1, embed_dim, h, w)."""
        return self.pe_layer.grid(self.image_embedding_size)[None]

    def forward(
        self, points: tuple[Tensor, Tensor] | None, boxes: Tensor | None, masks: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        given = [prompt for prompt in (points[0] if points else None, boxes, masks) if prompt is not None]
        batch = len(given[0]) if given else 1
        tokens = [self.no_mask_embed.weight.new_empty(batch, 0, self.embed_dim)]
        if points:
            tokens.append(self.encode_points(*points, pad=boxes is None))
        if boxes is not None:
            tokens.append(self.encode_boxes(boxes))
        if masks is not None:
            return torch.cat(tokens, dim=1), self.mask_downscaling(masks)
        dense = self.no_mask_embed.weight[..., None, None].expand(batch, -1, *self.image_embedding_size)
        return torch.cat(tokens, dim=1), dense

    def encode_points(self, points: Tensor, labels: Tensor, pad: bool) -> Tensor:
        """Return (B, P, embed_dim), with `pad` (B, P + 1, embed_dim)."""
        points = points + 0.5  # to the centres of pixels
        if pad:
            points = torch.cat([points, points.new_zeros(len(points), 1, 2)], dim=1)
            labels = torch.cat([labels, labels.new_full((len(labels), 1), NOT_A_POINT)], dim=1)
        kinds = torch.cat([self.not_a_point_embed.weight, self._kinds()])
        is_point = (labels != NOT_A_POINT)[..., None]
        return self._positions(points) * is_point + kinds[labels.long() - NOT_A_POINT]

    def encode_boxes(self, boxes: Tensor) -> Tensor:
        """Return a token for each of two corners, (B, 2, embed_dim)."""
        corners = self._positions(boxes.reshape(-1, 2, 2) + 0.5)
        return corners + self._kinds()[2:]

    def _kinds(self) -> Tensor:
        """A vector for points beside the object, points on it, first and last corners, (4, embed_dim)."""
        return torch.cat([kind.get_parameter("weight") for kind in self.point_embeddings])

    def _positions(self, points: Tensor) -> Tensor:
        height, width = self.input_image_size
        return self.pe_layer(points / points.new_tensor([width, height]))
