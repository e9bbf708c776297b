from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from ....utils.errors import ConfigError, call_with
from ...samplers import PixelSamplerBuilder
from ..maskclassification import MaskPrediction, MaskSegmentor, MatcherWeights, PointComparison, SetCriterion
from .pixeldecoder import PixelDecoder
from .predictor import Mask2FormerPredictor

_WHERE = "SEGMENTOR_CFG['head']"
_TERMS = {"labels", "masks"}


class Mask2Former(MaskSegmentor):
    """Backbone, deformable attention among its maps, transformer decoder whose queries look inside their masks.

    Paper: Cheng et al., "Masked-attention Mask Transformer for Universal Image Segmentation", CVPR 2022,
    arXiv:2112.01527.

    Head fields: `pixel_decoder` is what `PixelDecoder` takes, `predictor` what `Mask2FormerPredictor` takes. `matcher`
    is what `MatcherWeights` takes, for matching and for the loss, and `num_points`, how many random points of an image
    the matcher looks at. `criterion` has `losses`, always labels and masks; `eos_coef`, what a prediction counts that
    shows nothing; and `pixelsampler_cfg`, which chooses points for the loss. With `deep_supervision` all layers learn
    from the target, not only the last one.
    """

    def build_head(
        self,
        *,
        pixel_decoder: Mapping[str, Any],
        predictor: Mapping[str, Any],
        matcher: Mapping[str, Any],
        criterion: Mapping[str, Any],
        deep_supervision: bool = True,
    ) -> None:
        self.deep_supervision = deep_supervision
        self.pixel_decoder = call_with(PixelDecoder, pixel_decoder, where=f"{_WHERE}['pixel_decoder']")
        widths = pixel_decoder["input_shape"]["in_channels"]
        self._maps().require(f"{_WHERE}['pixel_decoder']['input_shape']['in_channels']", widths, None)
        for name, source in (("in_channels", "conv_dim"), ("mask_dim", "mask_dim")):
            if predictor.get(name, pixel_decoder[source]) != pixel_decoder[source]:
                raise ConfigError(
                    f"{_WHERE}['predictor'][{name!r}]: is {predictor[name]}, must be {pixel_decoder[source]}, "
                    f"{_WHERE}['pixel_decoder'][{source!r}]."
                )
        fields = {"num_classes": self.num_classes, **predictor}
        self.predictor = call_with(Mask2FormerPredictor, fields, where=f"{_WHERE}['predictor']", given=["num_classes"])
        weights = {name: value for name, value in matcher.items() if name != "num_points"}
        where = f"{_WHERE}['matcher']"
        if "num_points" not in matcher:
            raise ConfigError(f"{where}: needs 'num_points', which is missing.")
        self.criterion = call_with(
            self.build_criterion,
            {
                **criterion,
                "num_points": matcher["num_points"],
                "weights": call_with(MatcherWeights, weights, where=where),
            },
            where=f"{_WHERE}['criterion']",
            given=["num_points", "weights"],
        )

    def build_criterion(
        self,
        losses: Sequence[str],
        eos_coef: float,
        pixelsampler_cfg: Mapping[str, Any],
        *,
        num_points: int,
        weights: MatcherWeights,
    ) -> SetCriterion:
        """Build what compares predictions and targets; `losses`, `eos_coef` and `pixelsampler_cfg` are its cfg."""
        where = f"{_WHERE}['criterion']"
        if set(losses) != _TERMS:
            raise ConfigError(f"{where}['losses']: is {list(losses)}, must be {sorted(_TERMS)}.")
        sampler = PixelSamplerBuilder().construct(pixelsampler_cfg, where=f"{where}['pixelsampler_cfg']")
        return SetCriterion(
            self.num_classes,
            weights,
            PointComparison(num_points, sampler),
            ignore_index=self.ignore_index,
            no_object_weight=eos_coef,
        )

    def predict_masks(self, features: list[Tensor]) -> list[MaskPrediction]:  # finest first
        mask_features, maps = self.pixel_decoder(features)
        made = self.predictor(maps, mask_features)
        return made if self.deep_supervision else made[:1]
