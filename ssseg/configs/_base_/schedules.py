"""The schedules and optimizers that several experiments share, as `SEGMENTOR_CFG["scheduler"]` takes them."""

from collections.abc import Sequence
from typing import Any

Rules = dict[str, Any]  # part of a parameter's name -> its multipliers of learning rate and weight decay


def backbone_tenth() -> Rules:
    """A tenth of the learning rate for the backbone, whose weights were trained before."""
    return {"backbone_net": {"lr_multiplier": 0.1, "wd_multiplier": 1.0}}


def no_decay_in_swin() -> Rules:
    """No weight decay for normalization layers and position tables.

    Source: Liu et al., "Swin Transformer", ICCV 2021, arXiv:2103.14030, appendix A2.3.
    """
    return {name: {"wd_multiplier": 0.0} for name in ("absolute_pos_embed", "norm", "relative_position_bias_table")}


def sgd(lr: float = 0.01, *, weight_decay: float = 5e-4, params_rules: Rules | None = None) -> dict[str, Any]:
    """SGD with momentum 0.9.

    Args:
        lr: learning rate at the start, for the whole batch.
        params_rules: part of a parameter's name -> its multipliers of learning rate and weight decay.
    """
    return {"type": "SGD", "lr": lr, "momentum": 0.9, "weight_decay": weight_decay, "params_rules": params_rules or {}}


def adamw(lr: float = 6e-5, *, weight_decay: float = 0.01, params_rules: Rules | None = None) -> dict[str, Any]:
    """AdamW with betas 0.9 and 0.999.

    Args:
        lr: learning rate at the start, for the whole batch.
        params_rules: as for `sgd`, or what another constructor of parameter groups takes.
    """
    rules = params_rules or {}
    return {"type": "AdamW", "lr": lr, "betas": (0.9, 0.999), "weight_decay": weight_decay, "params_rules": rules}


def layer_decay(kind: str, num_layers: int, decay_rate: float) -> Rules:
    """Learning rates that fall from layer to layer towards the input.

    Args:
        kind: "layer_wise_vit" or "stage_wise".
        num_layers: layers that are told apart.
        decay_rate: of one layer to the next.
    """
    return {
        "type": "LearningRateDecayParamsConstructor",
        "decay_type": kind,
        "num_layers": num_layers,
        "decay_rate": decay_rate,
    }


def mask2former_rules(depths: Sequence[int]) -> Rules:
    """Mask2Former's rules for a Swin Transformer of `depths` blocks a stage: a tenth of the rate, norms do not decay.

    Paper: Cheng et al., "Masked-attention Mask Transformer", CVPR 2022, arXiv:2112.01527, section 4.1.
    """
    norms = [f"stages.{stage}.blocks.{block}" for stage, depth in enumerate(depths) for block in range(depth)]
    norms += [f"stages.{stage}.downsample" for stage in range(len(depths) - 1)]
    tenth = ["absolute_pos_embed", "relative_position_bias_table", "backbone_net.norm", "backbone_net.patch_embed.norm"]
    tenth += [f"backbone_net.{norm}.norm" for norm in norms]
    return {
        "base_setting": {"norm_wd_multiplier": 0.0},
        **backbone_tenth(),
        **{name: {"lr_multiplier": 1.0, "wd_multiplier": 0.0} for name in ("query_embed", "query_feat", "level_embed")},
        **{name: {"lr_multiplier": 0.1, "wd_multiplier": 0.0} for name in tenth},
    }


def linear_after_warmup(iters: int = 1500) -> dict[str, Any]:
    """The learning rate rises for `iters` steps and then falls in a straight line to 0, as transformers are trained."""
    warmup = {"type": "linear", "ratio": 1e-6, "iters": iters}
    return {"type": "PolyScheduler", "power": 1.0, "min_lr": 0.0, "warmup_cfg": warmup}
