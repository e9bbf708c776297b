from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ....utils.errors import ConfigError, ShapeError, call_with
from ...backbones import BuildBackbone
from .maskdecoder import MaskDecoder
from .promptencoder import PromptEncoder
from .prompts import require_record

Points = tuple[Tensor, Tensor]
PIXEL_MEAN, PIXEL_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


class SAM(nn.Module):
    """Segments what points, boxes and masks mark, whatever it is: an image encoder, a prompt encoder, a mask decoder.

    It is used through `SAMPredictor` and `SAMAutomaticMaskGenerator`, or for several pictures at once with `inference`.
    It has no classes and cannot be trained here.

    Paper: Kirillov et al., "Segment Anything", ICCV 2023, arXiv:2304.02643.

    Args:
        cfg: `backbone`, of an image encoder that has an `img_size`; `prompt`, fields of `PromptEncoder`; `head`, fields
            of `MaskDecoder`; and where they are not the usual ones `pixel_mean` and `pixel_std`, of RGB in 0..255.
        mode: "TEST".

    Raises:
        ConfigError: an entry of `cfg` is missing, unknown or does not fit the others, or the mode is another one.
    """

    decoder_class: ClassVar[type[MaskDecoder]] = MaskDecoder
    image_format: ClassVar[str] = "RGB"
    pixel_mean: Tensor
    pixel_std: Tensor

    def __init__(self, cfg: Mapping[str, Any], mode: str):
        super().__init__()
        name = type(self).__name__
        if mode != "TEST":
            raise ConfigError(f"mode={mode!r}: {name} predicts from prompts and has no training; its mode is 'TEST'.")
        for section in ("backbone", "prompt", "head"):
            if not cfg.get(section):
                raise ConfigError(f"SEGMENTOR_CFG[{section!r}]: not set; {name} needs it.")
        self.cfg, self.mode = cfg, mode
        self.mask_threshold = 0.0
        self.image_encoder: Any = BuildBackbone(cfg["backbone"])
        self.prompt_encoder = call_with(PromptEncoder, cfg["prompt"], where="SEGMENTOR_CFG['prompt']")
        self.mask_decoder = call_with(self.decoder_class, cfg["head"], where="SEGMENTOR_CFG['head']")
        for key, default in (("pixel_mean", PIXEL_MEAN), ("pixel_std", PIXEL_STD)):
            values = torch.tensor(cfg.get(key) or default, dtype=torch.float32)
            self.register_buffer(key, values.view(-1, 1, 1), persistent=False)
        self._require_one_width()

    def _require_one_width(self) -> None:
        if not hasattr(self.image_encoder, "img_size"):
            raise ConfigError(
                f"SEGMENTOR_CFG['backbone']['type']: {type(self.image_encoder).__name__} is no image encoder of "
                f"{type(self).__name__}; take SAMViT, MobileSAMTinyViT or EdgeSAMRepViT."
            )
        width = self.image_encoder.out_channels[0]
        for where, given in (
            ("['prompt']['embed_dim']", self.prompt_encoder.embed_dim),
            ("['head']['transformer_dim']", self.mask_decoder.transformer_dim),
        ):
            if given != width:
                raise ConfigError(f"SEGMENTOR_CFG{where}: is {given}, must be {width}, the width of the image's map.")

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.pixel_mean.device

    @property
    def img_size(self) -> int:
        """The side of the padded square that the image encoder reads, pixels."""
        return self.image_encoder.img_size

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Raise ConfigError: there is nothing to train, and no scores of classes."""
        name = type(self).__name__
        raise ConfigError(
            f"{name} answers prompts, it does not score classes. Use {name}Predictor, {name}AutomaticMaskGenerator or "
            f"{name}.inference."
        )

    def inference(
        self, batched_input: Sequence[Mapping[str, Any]], multimask_output: bool = False
    ) -> list[dict[str, Tensor]]:
        """Return the masks of several pictures, each with prompts of its own.

        Args:
            batched_input: for each picture a dict of
                image: (3, h, w), RGB in 0..255, resized so that neither side is above `img_size`;
                original_size: (H, W) of the picture before that;
                point_coords, point_labels: (B, P, 2), x and y in the resized picture, and (B, P), 1 or 0; optional;
                boxes: (B, 4), x0, y0, x1, y1 in the resized picture; optional;
                mask_inputs: (B, 1, 4 * grid, 4 * grid), such as `low_res_logits` of before; optional.
            multimask_output: return several masks for each prompt, for when it is ambiguous.

        Returns:
            For each picture masks (B, M, H, W) bool, iou_predictions (B, M) and low_res_logits (B, M, 4 * grid, 4 *
            grid).

        Raises:
            ConfigError: an entry is missing, or unknown.
            ShapeError, DataError: a picture is too large, or a prompt is not as described.
        """
        return self.infer(batched_input, multimask_output=multimask_output)

    @torch.no_grad()
    def infer(self, batched_input: Sequence[Mapping[str, Any]], **options: Any) -> list[dict[str, Tensor]]:
        """Return what `inference` does; `options` are those of `decode`."""
        for i, record in enumerate(batched_input):
            require_record(record, f"batched_input[{i}]", self.prompt_encoder.mask_input_size)
        if not batched_input:
            return []
        encoded = self.encode(torch.stack([self.preprocess(record["image"]) for record in batched_input]))
        results = []
        for i, record in enumerate(batched_input):
            given = (record.get(name) for name in ("point_coords", "point_labels", "boxes", "mask_inputs"))
            coords, labels, boxes, earlier = (None if x is None else x.to(self.device) for x in given)
            points = None if coords is None or labels is None else (coords, labels)
            one = [x[i : i + 1] for x in encoded]
            low_res, iou = self.decode(one, points, boxes, earlier, **options)
            masks = self.postprocessmasks(low_res, record["image"].shape[-2:], record["original_size"])
            results.append({"masks": masks > self.mask_threshold, "iou_predictions": iou, "low_res_logits": low_res})
        return results

    def encode(self, images: Tensor) -> list[Tensor]:
        """Return what `decode` needs to know of images (N, 3, img_size, img_size): first the map (N, C, h, w)."""
        return [self.image_encoder(images)]

    def decode(
        self,
        encoded: Sequence[Tensor],
        points: Points | None,
        boxes: Tensor | None,
        masks: Tensor | None,
        **options: Any,
    ) -> tuple[Tensor, Tensor]:
        """Return logits (B, M, 4h, 4w) and qualities (B, M) for prompts in one image.

        Args:
            encoded: of one image, as `encode` returns it.
            points, boxes, masks: see `PromptEncoder`.
            options: of the mask decoder's `forward`.
        """
        sparse, dense = self.prompt_encoder(points=points, boxes=boxes, masks=masks)
        return self.mask_decoder(
            image_embeddings=encoded[0],
            image_pe=self.prompt_encoder.getdensepe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            **options,
        )

    def preprocess(self, x: Tensor) -> Tensor:
        """Return (..., 3, img_size, img_size): normalized, and padded with zeros at the right and bottom.

        Args:
            x: (..., 3, h, w), RGB in 0..255, neither side above `img_size`.
        """
        height, width = x.shape[-2:]
        side = self.img_size
        if max(height, width) > side or x.shape[-3] != 3:
            raise ShapeError(
                f"{type(self).__name__}: the image is {tuple(x.shape)}, must be (3, h, w) with neither side above "
                f"{side}. ResizeLongestSide({side}) resizes it."
            )
        x = (x.to(self.device) - self.pixel_mean) / self.pixel_std
        return F.pad(x, (0, side - width, 0, side - height))

    def postprocessmasks(self, masks: Tensor, input_size: Sequence[int], original_size: Sequence[int]) -> Tensor:
        """Return logits at the size of the picture, (B, M, H, W).

        Args:
            masks: logits of the padded square, (B, M, ., .).
            input_size: (h, w) of the resized picture in that square.
            original_size: (H, W) of the picture.
        """
        masks = F.interpolate(masks, (self.img_size, self.img_size), mode="bilinear", align_corners=False)
        masks = masks[..., : input_size[0], : input_size[1]]
        return F.interpolate(masks, tuple(original_size), mode="bilinear", align_corners=False)
