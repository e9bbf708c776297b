from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ....utils.datastructure import SSSegInputStructure, SSSegOutputStructure
from ....utils.errors import ConfigError, call_with, nearest
from ...backbones import BackboneBuilder, BuildBackbone, NormalizationBuilder
from ...losses import calculatelosses
from ...samplers import BuildPixelSampler
from .auxiliary import BuildAuxiliaryDecoder
from .inference import flip_pairs, score_augmented, score_windows
from .resize import resize, resize_like, sample_labels
from .selection import SelectedMaps, default_indices
from .singlevalue import explain_single_value


class BaseSegmentor(nn.Module):
    """Backbone, head and auxiliary head of a segmentor, and the only code that reads `SEGMENTOR_CFG`.

    A subclass writes `build_head` and `predict`, or, as in the tutorial, `__init__` and `forward`.

    Args:
        cfg: `SEGMENTOR_CFG` without its type: a dict or a SegmentorConfig.
        mode: what `forward` returns, "TRAIN", "TEST" or "TRAIN_DEVELOP"; see `SSSegOutputStructure`. `train()` and
            `eval()` change it.

    Raises:
        ConfigError: an entry of `cfg` is missing, unknown or does not fit the others.
    """

    # Whether the training loop passes learning_rate and epoch to `forward`.
    wants_progress: ClassVar[bool] = False
    # Which selected maps the head reads, by the field of `SEGMENTOR_CFG['head']` that holds their width.
    reads: ClassVar[Mapping[str, int | tuple[int, ...]]] = {"in_channels": -1}

    def __init__(self, cfg: Mapping[str, Any], mode: str):
        super().__init__()
        self.cfg, self.mode = cfg, mode
        self.train_mode = "TRAIN" if mode == "TEST" else mode
        self.num_classes = cfg.get("num_classes")
        self.align_corners = cfg.get("align_corners", False)
        self.norm_cfg, self.act_cfg = cfg.get("norm_cfg"), cfg.get("act_cfg")
        self.layer_cfg: dict[str, Any] = {"norm_cfg": self.norm_cfg, "act_cfg": self.act_cfg}
        self.frozen_norm_list: Sequence[type | str] | None = None
        self.has_frozen_norms = False
        self.setbackbone(cfg)
        self.setpixelsampler(cfg)
        if type(self).build_head is not BaseSegmentor.build_head:
            self._build_from_cfg()

    def _build_from_cfg(self) -> None:
        ...
