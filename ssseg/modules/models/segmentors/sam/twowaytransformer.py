"""Attention between the tokens of prompts and the places of an image, both ways."""

from collections.abc import Callable

from torch import Tensor, nn

from ...backbones.bricks.transformer import attend, tokens_of
from ...backbones.samvit import MLPBlock

BuildPerceptron = Callable[[int, int], nn.Module]
"""Makes what follows attention at each token, of its width and the width inside."""


def relu_perceptron(embedding_dim: int, mlp_dim: int) -> nn.Module:
    """Build the perceptron of SAM's decoder."""
    return MLPBlock(embedding_dim, mlp_dim, {"type": "ReLU"})


class DownsampledAttention(nn.Module):
    """Attention with fewer channels inside.

    Paper: Kirillov et al., "Segment Anything", ICCV 2023, arXiv:2304.02643, appendix A.

    Args:
        downsample_rate: by what the width is divided.
        kv_in_dim: width of keys and values; None means `embedding_dim`.
    """

    def __init__(self, embedding_dim: int, num_heads: int, downsample_rate: int = 1, kv_in_dim: int | None = None):
        super().__init__()
        inside = embedding_dim // downsample_rate
        self.num_heads = num_heads
        self.q_proj = nn.Linear(embedding_dim, inside)
        self.k_proj = nn.Linear(kv_in_dim or embedding_dim, inside)
        self.v_proj = nn.Linear(kv_in_dim or embedding_dim, inside)
        self.out_proj = nn.Linear(inside, embedding_dim)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:  # (B, L, C), twice (B, S, .)
        return self.out_proj(attend(self.q_proj(q), self.k_proj(k), self.v_proj(v), num_heads=self.num_heads))


class TwoWayAttentionBlock(nn.Module):
    """Tokens attend to each other and to the image, pass a perceptron, and the image attends to them.

    Paper: Kirillov et al., "Segment Anything", ICCV 2023, arXiv:2304.02643, appendix A and figure 14.

    Args:
        skip_first_layer_pe: the first attention sees no positions, and its result replaces the tokens.
    """

    def __init__(
        self,
        embedding_dim: int,
        num_heads: int,
        mlp_dim: int,
        attention_downsample_rate: int,
        skip_first_layer_pe: bool,
        build_mlp: BuildPerceptron = relu_perceptron,
    ):
        super().__init__()
        self.self_attn = DownsampledAttention(embedding_dim, num_heads)
        self.norm1 = nn.LayerNorm(embedding_dim)
        self.cross_attn_token_to_image = DownsampledAttention(embedding_dim, num_heads, attention_downsample_rate)
        self.norm2 = nn.LayerNorm(embedding_dim)
        self.mlp = build_mlp(embedding_dim, mlp_dim)
        self.norm3 = nn.LayerNorm(embedding_dim)
        self.norm4 = nn.LayerNorm(embedding_dim)
        self.cross_attn_image_to_token = DownsampledAttention(embedding_dim, num_heads, attention_downsample_rate)
        self.skip_first_layer_pe = skip_first_layer_pe

    def forward(self, tokens: Tensor, image: Tensor, token_pe: Tensor, image_pe: Tensor) -> tuple[Tensor, Tensor]:
        """Return new tokens (B, T, C) and places (B, h * w, C)."""
        if self.skip_first_layer_pe:
            tokens = self.self_attn(tokens, tokens, tokens)
        else:
            placed = tokens + token_pe
            tokens = tokens + self.self_attn(placed, placed, tokens)
        tokens = self.norm1(tokens)
        placed_image = image + image_pe
        tokens = self.norm2(tokens + self.cross_attn_token_to_image(tokens + token_pe, placed_image, image))
        tokens = self.norm3(tokens + self.mlp(tokens))
        return tokens, self.norm4(image + self.cross_attn_image_to_token(placed_image, tokens + token_pe, tokens))


class TwoWayTransformer(nn.Module):
    """Decoder in which the tokens of prompts and the places of an image learn from each other.

    Paper: Kirillov et al., "Segment Anything", ICCV 2023, arXiv:2304.02643, appendix A and figure 14.

    Args:
        depth: number of blocks.
        mlp_dim: width inside of the perceptrons.
        attention_downsample_rate: by what the width is divided in attention between tokens and image.

    Shape:
        image_embedding and image_pe (B, C, h, w), point_embedding (B, T, C) to tokens (B, T, C) and places
        (B, h * w, C). `image_pe` may be (1, C, h, w).
    """

    def __init__(
        self,
        depth: int,
        embedding_dim: int,
        num_heads: int,
        mlp_dim: int,
        attention_downsample_rate: int = 2,
        build_mlp: BuildPerceptron = relu_perceptron,
    ):
        super().__init__()
        self.layers = nn.ModuleList(
            TwoWayAttentionBlock(embedding_dim, num_heads, mlp_dim, attention_downsample_rate, i == 0, build_mlp)
            for i in range(depth)
        )
        self.final_attn_token_to_image = DownsampledAttention(embedding_dim, num_heads, attention_downsample_rate)
        self.norm_final_attn = nn.LayerNorm(embedding_dim)

    def forward(self, image_embedding: Tensor, image_pe: Tensor, point_embedding: Tensor) -> tuple[Tensor, Tensor]:
        tokens, image, places = point_embedding, tokens_of(image_embedding), tokens_of(image_pe)
        for layer in self.layers:
            tokens, image = layer(tokens, image, point_embedding, places)
        found = self.final_attn_token_to_image(tokens + point_embedding, image + places, image)
        return self.norm_final_attn(tokens + found), image
