"""What vision transformers are made of."""

from .attention import MultiheadAttention, SpatialReductionAttention, attend
from .bandedattention import attend_in_bands
from .checkpointing import run_block
from .ffn import FFN
from .mlp import MLP
from .padding import pad_to_fit
from .patchembed import PatchEmbed, Size, map_of, tokens_of
from .positions import drop_path_rates, relative_position_index, resize_positions, square
from .renaming import renamed, with_joined_projections
from .sineposition import sine_positions, sine_table
from .tokennorm import build_token_norm
from .windows import (
    ShiftedWindowAttention,
    WindowAttention,
    attend_in_windows,
    join_windows,
    mask_between_regions,
    split_windows,
)
