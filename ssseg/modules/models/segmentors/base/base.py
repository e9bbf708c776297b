import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from ....utils.datastructure import SSSegInputStructure, SSSegOutputStructure
from ....utils.errors import ConfigError, call_with
from ...backbones import BackboneBuilder, BuildBackbone, NormalizationBuilder
from ...losses import calculatelosses, kept_small
from ...samplers import BuildPixelSampler
from ...upsampling.resize import resize
from .auxiliary import BuildAuxiliaryDecoder, predict_auxiliary, used_losses
from .inference import infer, infer_augmented, infer_bands
from .labelsizes import draw_labels
from .selection import SelectedMaps, default_indices
from .singlevalue import explain_single_value

RUNNING_NORMS = ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm")


class BaseSegmentor(nn.Module):
    """Backbone, head and auxiliary head of a segmentor, and the only code that reads `SEGMENTOR_CFG`.

    A subclass writes `build_head` and `predict`, or, as in the tutorial, `__init__` and `forward`.

    Args:
        cfg: `SEGMENTOR_CFG` without its type: a dict or a SegmentorConfig.
        mode: what `forward` returns, "TRAIN", "TEST" or "TRAIN_DEVELOP": see `SSSegOutputStructure`. `eval()` changes
            it to "TEST", `train()` back, to "TRAIN" where it was "TEST" from the start.

    Raises:
        ConfigError: an entry of `cfg` is missing, unknown or does not fit the others.
    """

    wants_progress: ClassVar[bool] = False
    """Whether the training loop passes `learning_rate` and `epoch` to `forward`."""
    auxiliary_reads_maps: ClassVar[bool] = True
    """Whether auxiliary heads read selected maps of the backbone; their widths are checked then."""
    reads: ClassVar[Mapping[str, tuple[int, ...] | None]] = {"in_channels": (-1,)}
    """The fields of `SEGMENTOR_CFG['head']` that hold widths of maps, and of which of the selected: None, all."""

    resizes_in_losses: bool = True
    """Whether predictions stay small where their losses resize them piece by piece, see `kept_small`."""

    def __init__(self, cfg: Mapping[str, Any], mode: str):
        super().__init__()
        self.cfg, self.mode = cfg, mode
        self.mode_in_training = "TRAIN" if mode == "TEST" else mode
        self.frozen_norms: tuple[type | str, ...] = ()
        self.auxiliary_decoder: nn.Module | None = None
        self.num_classes: Any = cfg.get("num_classes")
        self.align_corners: bool = cfg.get("align_corners") or False
        self.norm_cfg, self.act_cfg = cfg.get("norm_cfg"), cfg.get("act_cfg")
        self.layer_cfg: dict[str, Any] = {"norm_cfg": self.norm_cfg, "act_cfg": self.act_cfg}
        self.setbackbone(cfg)
        self.setpixelsampler(cfg)
        if type(self).build_head is not BaseSegmentor.build_head:
            self._build_heads()
            if cfg.get("is_freeze_norm"):
                self.freezenormalization(averages=cfg["is_freeze_norm"] == "averages")

    def _build_heads(self) -> None:
        if not isinstance(self.num_classes, int) or self.num_classes < 1:
            raise ConfigError(f"SEGMENTOR_CFG['num_classes']: is {self.num_classes!r}, must be the number of classes.")
        head = {name: value for name, value in self.section("head").items() if name != "pixelsampler"}
        for name in self.reads.keys() & head.keys():
            self._maps().require(f"SEGMENTOR_CFG['head'][{name!r}]", head[name], self.reads[name])
        call_with(self.build_head, head, where="SEGMENTOR_CFG['head']")
        if self.auxiliary_decoder is None:
            self.setauxiliarydecoder(self.cfg.get("auxiliary"))

    def build_head(self, *args: Any, **fields: Any) -> None:
        """Build the head's modules; the keyword-only parameters are the schema of `SEGMENTOR_CFG['head']`."""

    def predict(self, features: list[Tensor]) -> Tensor:
        """Return class scores (N, K, h, w) of the selected backbone maps, the coarsest of which is the last."""
        raise NotImplementedError(f"{type(self).__name__} writes neither predict() nor forward()")

    def predict_in_training(self, features: list[Tensor], annotations: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return what losses are taken of, by the name of the loss; the last one is the scores of `predict`.

        The auxiliary heads' predictions are added to them, unless there are some already.
        """
        return {"loss_cls": self.predict(features)}

    def forward(self, data_meta: SSSegInputStructure, **options: Any) -> SSSegOutputStructure:
        """Predict and, unless in mode "TEST", compare with the targets.

        Args:
            options: what `predict` and `predict_in_training` of this segmentor take besides the maps.
        """
        images: Any = data_meta.images  # (N, C, H, W)
        try:
            features = self.transforminputs(
                self.backbone_net(images), selected_indices=self.cfg["backbone"].get("selected_indices")
            )
            if self.mode == "TEST":
                return SSSegOutputStructure(mode="TEST", seg_logits=self.predict(features, **options))
            annotations = data_meta.getannotations()
            predictions = self.predict_in_training(features, annotations, **options)
            loss, losses_log_dict = self.customizepredsandlosses(
                seg_logits=predictions,
                annotations=annotations,
                backbone_outputs=features,
                losses_cfg=self.section("losses"),
                img_size=images.shape[2:],
            )
        except ValueError as error:
            explain_single_value(self, error)
            raise
        kept = {"seg_logits": list(predictions.values())[-1]} if self.mode == "TRAIN_DEVELOP" else {}
        return SSSegOutputStructure(mode=self.mode, loss=loss, losses_log_dict=losses_log_dict, **kept)  # type: ignore[arg-type]

    def customizepredsandlosses(
        self,
        seg_logits: Tensor | Mapping[str, Tensor],
        annotations: Mapping[str, Tensor],
        backbone_outputs: Sequence[Tensor],
        losses_cfg: Mapping[str, Any],
        img_size: tuple[int, int],
        auto_calc_loss: bool = True,
        preds_to_tgts_mapping: Mapping[str, str] | None = None,
    ) -> Any:
        """Name the predictions, bring them to the grid of their targets, and calculate the losses.

        With `SEGMENTOR_CFG['runtime']['loss_grid']` = "logits" the targets are brought to the grid of `seg_logits`.
        What is no map, such as (N, K), stays as it is; so do logits whose losses resize them piece by piece, see
        `kept_small`.

        Args:
            seg_logits: (N, K, h, w), named loss_cls; or name -> (N, K, h, w), the last of which sets that grid.
            annotations: name -> (N, H, W). One with the name of a prediction is the target of that prediction alone.
            backbone_outputs: what the auxiliary heads read, coarsest last; their predictions are named loss_aux, or
                loss_aux1, loss_aux2 ... where there are several.
            img_size: (H, W).
            auto_calc_loss: else return the predictions, name -> (N, K, H, W).

        Returns:
            Loss () and name -> detached (), see `calculatelosses`, which also has the other arguments.
        """
        named = {"loss_cls": seg_logits} if isinstance(seg_logits, Tensor) else seg_logits
        grid: Any = img_size
        runtime = self.cfg.get("runtime") or {}
        if runtime.get("loss_grid") == "logits" and auto_calc_loss:
            grid = list(named.values())[-1].shape[2:]
            annotations = {
                name: draw_labels(target, grid, self.align_corners) if target.ndim == 3 else target
                for name, target in annotations.items()
            }
        if not any(name.startswith("loss_aux") for name in named):
            named = {**predict_auxiliary(self.auxiliary_decoder, backbone_outputs), **named}
        losses_cfg = used_losses(losses_cfg, self.cfg.get("auxiliary"), named)
        small: set[str] = set()
        if auto_calc_loss and self.resizes_in_losses and self.pixel_sampler is None:
            small = kept_small(named, annotations, losses_cfg, grid, preds_to_tgts_mapping)
        predictions = {
            name: resize(scores, grid, self.align_corners) if scores.ndim == 4 and name not in small else scores
            for name, scores in named.items()
        }
        if not auto_calc_loss:
            return predictions
        return calculatelosses(
            predictions=predictions,
            annotations=annotations,
            losses_cfg=losses_cfg,
            preds_to_tgts_mapping=preds_to_tgts_mapping,
            pixel_sampler=self.pixel_sampler,
            align_corners=self.align_corners,
        )

    def inference(self, images: Tensor, forward_args: Mapping[str, Any] | None = None) -> Tensor:
        """Return scores (N, K, h, w) as `SEGMENTOR_CFG['inference']` says, in eval mode, without gradients.

        They are logits, or with `tta['use_probs_before_resize']` probabilities. Mode "whole" leaves them at the size
        that the network gives them; "slide" returns them at the size of the images.

        Args:
            images: (N, C, H, W), on any device.
            forward_args: more keyword arguments for `forward`.

        Raises:
            ConfigError: the mode is unknown, or windows leave gaps.
            RuntimeError: the segmentor is in training mode.
        """
        return infer(self, images, forward_args or {})

    def inference_in_bands(
        self, images: Tensor, forward_args: Mapping[str, Any] | None = None
    ) -> Iterator[tuple[slice, Tensor]]:
        """Yield the scores of `inference` in mode "slide" band by band: rows of the images, and (N, K, rows, W).

        Of an image that is many windows high, the scores are never held as a whole. A band is valid until the next.
        """
        if type(self).inference is BaseSegmentor.inference:
            yield from infer_bands(self, images, forward_args or {})
        else:  # a subclass has a way of its own
            yield slice(0, images.shape[2]), self.inference(images, forward_args)

    def auginference(self, images: Tensor, forward_args: Mapping[str, Any] | None = None) -> list[Tensor]:
        """Return the scores of `inference`, on the CPU, for each scale of `SEGMENTOR_CFG['inference']['tta']`.

        With `flip` each is followed by that of the mirrored images, mirrored back, with the labels of a pair swapped.
        Every result has its own size.
        """
        return infer_augmented(self, images, forward_args or {})

    def probabilities(self, scores: Tensor) -> Tensor:
        """Return the probabilities (N, K, h, w) that scores (N, K, h, w) of `forward` stand for."""
        return scores.softmax(dim=1)

    def transforminputs(self, x_list: Sequence[Tensor], selected_indices: Sequence[int] | None = None) -> list[Tensor]:
        """Return the selected maps of the backbone's; None means the first four, or four times the only one."""
        indices = default_indices(len(x_list)) if selected_indices is None else selected_indices
        return [x_list[index] for index in indices]

    def setbackbone(self, cfg: Mapping[str, Any]) -> None:
        """Build `backbone_net`; it gets the segmentor's `norm_cfg` where it takes one and has none of its own."""
        backbone_cfg = dict(self.section("backbone"))
        takes = inspect.signature(BackboneBuilder().find(backbone_cfg.get("type"))).parameters
        if self.norm_cfg is not None and "norm_cfg" in takes:
            backbone_cfg.setdefault("norm_cfg", self.norm_cfg)
        self.backbone_net = BuildBackbone(backbone_cfg)

    def setpixelsampler(self, cfg: Mapping[str, Any]) -> None:
        """Build `pixel_sampler` from `SEGMENTOR_CFG['head']['pixelsampler']`; None where there is none."""
        sampler_cfg = (cfg.get("head") or {}).get("pixelsampler")
        self.pixel_sampler = BuildPixelSampler(sampler_cfg) if sampler_cfg else None

    def setauxiliarydecoder(self, auxiliary_cfg: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None) -> None:
        """Build `auxiliary_decoder`: one head, a ModuleList of several, or None.

        One head reads the last selected map but one; k heads read the k maps before the last.
        """
        if not auxiliary_cfg:
            return
        cfgs = [auxiliary_cfg] if isinstance(auxiliary_cfg, Mapping) else auxiliary_cfg
        given = {"num_classes": self.num_classes, **self.layer_cfg}
        heads = []
        for i, cfg in enumerate(cfgs):
            where = "SEGMENTOR_CFG['auxiliary']" + (f"[{i}]" if len(cfgs) > 1 else "")
            if "in_channels" in cfg and self.auxiliary_reads_maps:
                self._maps().require(f"{where}['in_channels']", cfg["in_channels"], (i - len(cfgs) - 1,))
            heads.append(call_with(BuildAuxiliaryDecoder, {**cfg, **given}, where=where, given=given))
        self.auxiliary_decoder = heads[0] if len(heads) == 1 else nn.ModuleList(heads)

    def freezenormalization(self, norm_list: Sequence[type | str] | None = None, *, averages: bool = False) -> None:
        """Keep normalizations as they are: no gradients from now on, and no new running averages.

        Args:
            norm_list: classes or registered names; None means those with running averages.
            averages: keep the averages whatever the mode; otherwise `train()` lets them go on, as in published runs.
        """
        norms = RUNNING_NORMS if norm_list is None else tuple(norm_list)
        self.frozen_norms = norms if averages else ()
        for module in self.modules():
            if NormalizationBuilder.isnorm(module, norms):
                module.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> Self:
        """Change to training mode, or with False to that of testing; averages that are frozen stay frozen."""
        super().train(mode)
        self.mode = self.mode_in_training if mode else "TEST"
        if self.frozen_norms:
            self.freezenormalization(self.frozen_norms, averages=True)
        return self

    def section(self, name: str) -> Any:
        """Return `SEGMENTOR_CFG[name]`; ConfigError where it is not set."""
        if not self.cfg.get(name):
            raise ConfigError(f"SEGMENTOR_CFG[{name!r}]: not set; a segmentor needs it.")
        return self.cfg[name]

    def _maps(self) -> SelectedMaps:
        return SelectedMaps(self.backbone_net, self.section("backbone").get("selected_indices"))
