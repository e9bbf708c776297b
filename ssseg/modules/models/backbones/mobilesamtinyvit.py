from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ...utils.errors import ConfigError
from .bricks.transformer import drop_path_rates, resize_positions, square
from .samvit import build_neck
from .tinyvitblocks import MBConv, TinyViTBlock, TinyViTMerging, TinyViTStage, TinyViTStem
from .weights import State, load_pretrained

_FOLDER = "https://github.com/SegmentationBLWX/modelstore/releases/download/ssseg_mobilesam"
_PUBLISHED = (
    "5m_1k 11m_1k 21m_1k 5m_22k_distill 11m_22k_distill 21m_22k_distill 5m_22kto1k_distill 11m_22kto1k_distill "
    "21m_22kto1k_distill 21m_22kto1k_384_distill 21m_22kto1k_512_distill"
)
_SIZES = {
    "5m": {"embed_dims": (64, 128, 160, 320), "num_heads": (2, 4, 5, 10)},
    "11m": {"embed_dims": (64, 128, 256, 448), "num_heads": (2, 4, 8, 14)},
    "21m": {"embed_dims": (96, 192, 384, 576), "num_heads": (3, 6, 12, 18)},
}
# Microsoft's, trained on ImageNet-1k and -22k; MIT.
DEFAULT_MODEL_URLS = {f"tiny_vit_{name}": f"{_FOLDER}/tiny_vit_{name}.pth" for name in _PUBLISHED.split()}
AUTO_ASSERT_STRUCTURE_TYPES = {
    name: {**_SIZES[name.split("_")[2]], "depths": (2, 2, 6, 2)} for name in DEFAULT_MODEL_URLS
}


def fit_biases(state: State, own: State) -> State:
    """Interpolate the biases of attention in other windows to the sizes of `own`, and leave out derived entries."""
    fitted = {}
    for key, value in state.items():
        if key.endswith(("attention_bias_idxs", ".attn.ab")):
            continue
        fitted[key] = value
        if key.endswith("attention_biases") and key in own and value.shape[:1] == own[key].shape[:1]:
            old, new = square(value.shape[1]), square(own[key].shape[1])
            fitted[key] = resize_positions(value.T[None], old, new, "bicubic")[0].T
    return fitted


class MobileSAMTinyViT(nn.Module):
    """Small transformer with attention in windows after a convolutional stage: the image encoder of MobileSAM.

    Papers: Zhang et al., "Faster Segment Anything", 2023, arXiv:2306.14289; Wu et al., "TinyViT: Fast Pretraining
    Distillation for Small Vision Transformers", ECCV 2022, arXiv:2207.10666.

    Args:
        structure_type: names the pretrained weights, a key of `DEFAULT_MODEL_URLS`.
        img_size: side of the images that MobileSAM pads to; the encoder itself takes any size.
        in_chans: channels of the images.
        embed_dims, depths, num_heads, window_sizes: of the stages; the first has no heads and no windows.
        mlp_ratio: hidden width of the perceptrons, over that of the tokens.
        drop_rate: dropout of tokens.
        drop_path_rate: of the last block; it rises linearly from 0 at the first.
        mbconv_expand_ratio: hidden width of the first stage's blocks, over that of the map.
        local_conv_size: of the depthwise convolutions.
        use_checkpoint: save memory in training by computing each block twice.
        pretrained: load weights, from `pretrained_model_path` or, where that is None or "", fetched.

    Shape:
        (N, in_chans, H, W) to (N, 256, H / 16, W / 16), rounded up. With `return_interm_embeddings` also a list of what
        the second stage hands on, (N, h, w, embed_dims[2]).

    Raises:
        ConfigError: the lists do not fit each other, or the weights do not fit.
    """

    def __init__(
        self,
        structure_type: str,
        img_size: int = 1024,
        in_chans: int = 3,
        embed_dims: Sequence[int] = (96, 192, 384, 576),
        depths: Sequence[int] = (2, 2, 6, 2),
        num_heads: Sequence[int] = (3, 6, 12, 18),
        window_sizes: Sequence[int] = (7, 7, 14, 7),
        mlp_ratio: float = 4.0,
        drop_rate: float = 0.0,
        drop_path_rate: float = 0.1,
        mbconv_expand_ratio: float = 4.0,
        local_conv_size: int = 3,
        norm_cfg: Mapping[str, Any] | None = {"type": "BatchNorm2d"},
        act_cfg: Mapping[str, Any] | None = {"type": "GELU"},
        use_checkpoint: bool = False,
        pretrained: bool = False,
        pretrained_model_path: str | None = "",
    ):
        super().__init__()
        self.structure_type, self.img_size = structure_type, img_size
        self.embed_dims, self.depths = tuple(embed_dims), tuple(depths)
        self.num_heads, self.window_sizes = tuple(num_heads), tuple(window_sizes)
        self._require_four_stages()
        layers = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        self.patch_embed = TinyViTStem(in_chans, embed_dims[0], **layers)
        rates = iter(drop_path_rates(drop_path_rate, sum(depths)))
        self.layers = nn.ModuleList()
        for i, width in enumerate(embed_dims):
            blocks: list[nn.Module] = [
                TinyViTBlock(
                    width, num_heads[i], window_sizes[i], mlp_ratio, local_conv_size, drop_rate, next(rates), **layers
                )
                if i
                else MBConv(width, mbconv_expand_ratio, next(rates), **layers)
                for _ in range(depths[i])
            ]
            last = i == len(embed_dims) - 1
            # The last stage keeps the size: masks need a map at 1/16.
            merging = None if last else TinyViTMerging(width, embed_dims[i + 1], 2 if i < 2 else 1, **layers)
            self.layers.append(TinyViTStage(blocks, merging, use_checkpoint))
        self.neck = build_neck(embed_dims[-1], 256)
        self.out_channels, self.interm_channels = (256,), embed_dims[2]
        if pretrained:
            own = self.state_dict()
            load_pretrained(
                self,
                structure_type,
                pretrained_model_path,
                urls=DEFAULT_MODEL_URLS,
                built_as=AUTO_ASSERT_STRUCTURE_TYPES,
                convert=lambda state: fit_biases(state, own),
                input_key="patch_embed.seq.0.c.weight",
                unused=("norm_head.", "head."),  # the classifier's
                new=("neck.",),
            )

    def _require_four_stages(self) -> None:
        for name in ("embed_dims", "depths", "num_heads", "window_sizes"):
            if len(getattr(self, name)) != 4:
                raise ConfigError(
                    f"SEGMENTOR_CFG['backbone'][{name!r}]: is {getattr(self, name)}, must hold 4 numbers, one a stage."
                )
        for width, heads in list(zip(self.embed_dims, self.num_heads, strict=True))[1:]:
            if width % heads:
                raise ConfigError(
                    f"SEGMENTOR_CFG['backbone']['num_heads']: {heads} heads do not share out the width {width}, of "
                    f"embed_dims={self.embed_dims}."
                )

    def forward(self, x: Tensor, return_interm_embeddings: bool = False) -> Any:  # (N, C, H, W)
        x, intermediate = self.patch_embed(x), []
        for i, stage in enumerate(self.layers):
            x = stage(x)
            if i == 1:
                intermediate.append(x.permute(0, 2, 3, 1))
        x = self.neck(x)
        return (x, intermediate) if return_interm_embeddings else x
