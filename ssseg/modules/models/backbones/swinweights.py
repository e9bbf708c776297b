"""Published weights of SwinTransformer, and what makes their entries ours."""

from torch import Tensor

from .bricks.transformer import Size, renamed, resize_positions, square
from .weights import State

_FOLDER = "https://github.com/SwinTransformer/storage/releases/download/v1.0.0"
_ARCHS = {
    "tiny": {"embed_dims": 96, "depths": (2, 2, 6, 2), "num_heads": (3, 6, 12, 24)},
    "small": {"embed_dims": 96, "depths": (2, 2, 18, 2), "num_heads": (3, 6, 12, 24)},
    "base": {"embed_dims": 128, "depths": (2, 2, 18, 2), "num_heads": (4, 8, 16, 32)},
    "large": {"embed_dims": 192, "depths": (2, 2, 18, 2), "num_heads": (6, 12, 24, 48)},
}
_PUBLISHED = (
    "tiny_patch4_window7_224 small_patch4_window7_224 base_patch4_window12_384 base_patch4_window7_224 "
    "base_patch4_window12_384_22k base_patch4_window7_224_22k large_patch4_window12_384_22k "
    "large_patch4_window12_384_22kto1k"
)
# The authors', trained on ImageNet-1k and -22k; MIT.
DEFAULT_MODEL_URLS = {f"swin_{name}": f"{_FOLDER}/swin_{name}.pth" for name in _PUBLISHED.split()}
AUTO_ASSERT_STRUCTURE_TYPES = {
    name: {**_ARCHS[name.split("_")[1]], "window_size": 12 if "window12" in name else 7} for name in DEFAULT_MODEL_URLS
}


def convert_swin(state: State) -> State:
    """Name the entries of the authors' files as ours, and order the channels of merged patches as we do."""
    if not any(key.startswith("layers.") for key in state):
        return state
    rules = (
        (r"^layers\.", "stages."),
        (r"\.attn\.", ".attn.w_msa."),
        (r"\.mlp\.fc1\.", ".ffn.layers.0.0."),
        (r"\.mlp\.fc2\.", ".ffn.layers.1."),
        (r"^patch_embed\.proj\.", "patch_embed.projection."),
    )
    derived = ("relative_position_index", "attn_mask")  # of the window's size alone
    kept = {key: value for key, value in state.items() if not key.endswith(derived)}
    return {
        key: merged_channels_first(value) if ".downsample." in key else value
        for key, value in renamed(kept, rules).items()
    }


def merged_channels_first(value: Tensor) -> Tensor:
    """Reorder (..., 4 * C) from top left, bottom left, top right, bottom right, C each, to C times four rows first."""
    parts = value.unflatten(-1, (4, -1))[..., [0, 2, 1, 3], :]
    return parts.transpose(-1, -2).flatten(-2)


def fit_position_tables(state: State, own: State, grid: Size) -> State:
    """Interpolate tables that were learnt for another window or image size to the shapes of `own`.

    Args:
        grid: (h, w) that absolute positions are for.
    """
    fitted = dict(state)
    for key, value in state.items():
        if key not in own or value.shape == own[key].shape:
            continue
        if key.endswith("relative_position_bias_table"):
            old, new = square(len(value)), square(len(own[key]))
            fitted[key] = resize_positions(value[None], old, new, "bicubic")[0]
        elif key == "absolute_pos_embed":
            fitted[key] = resize_positions(value, square(value.shape[1]), grid, "bicubic")
    return fitted
