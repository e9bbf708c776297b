"""All losses of a step: each prediction against its target."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ...utils.errors import ConfigError, LabelError, ShapeError, listed
from .builder import LossBuilder

_WHERE = "SEGMENTOR_CFG['losses']"


def calculateloss(
    prediction: Tensor,
    annotation: Tensor,
    loss_cfg: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    where: str = _WHERE,
    align_corners: bool | None = None,
) -> Tensor:
    """Return the loss (), or the sum of several, of one prediction.

    Args:
        prediction, annotation: what the losses take, such as logits (N, C, H, W) and labels (N, H, W).
        loss_cfg: a loss, or a list of losses that are added. What "none" does not reduce is averaged.
        where: the place of `loss_cfg`, for messages.
        align_corners: how logits of another size than the labels' are resized, see `kept_small`; None refuses them.

    Raises:
        ConfigError: no loss is given, or one cannot be built.
        ShapeError, LabelError: prediction and annotation do not fit.
    """
    if isinstance(loss_cfg, Mapping):
        return _one_loss(prediction, annotation, loss_cfg, where, align_corners)
    terms = [_one_loss(prediction, annotation, cfg, f"{where}[{i}]", align_corners) for i, cfg in enumerate(loss_cfg)]
    if not terms:
        raise ConfigError(f"{where} is an empty list; a prediction needs at least one loss")
    return torch.stack(terms).sum()


def _one_loss(
    prediction: Tensor, annotation: Tensor, cfg: Mapping[str, Any], where: str, align_corners: bool | None
) -> Tensor:
    criterion = LossBuilder().construct(cfg, where=where)
    try:
        loss: Tensor
        if align_corners is not None and _is_small(prediction, annotation) and criterion.takes_small_logits:
            loss = criterion.of_small_logits(prediction, annotation, align_corners)
        else:
            loss = criterion(prediction, annotation)
    except (ConfigError, ShapeError, LabelError) as error:
        raise type(error)(f"{where}: {error}") from error
    return loss.mean()


def _is_small(prediction: Tensor, annotation: Tensor) -> bool:
    return prediction.ndim == 4 and annotation.ndim == 3 and prediction.shape[2:] != annotation.shape[1:]


def calculatelosses(
    predictions: Mapping[str, Tensor],
    annotations: Mapping[str, Tensor],
    losses_cfg: Mapping[str, Any],
    preds_to_tgts_mapping: Mapping[str, str] | None = None,
    pixel_sampler: Callable[..., Any] | None = None,
    align_corners: bool | None = None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Compare every prediction with its target, and add up what they cost.

    Args:
        predictions: name -> prediction; there is one for each entry of `losses_cfg`.
        annotations: name -> target. An entry with a prediction's name is the target of that prediction alone.
        losses_cfg: name -> loss, or list of losses that are added.
        preds_to_tgts_mapping: prediction -> annotation; "seg_targets" for all where it is None.
        pixel_sampler: None, or a `BasePixelSampler` that chooses the pixels the losses see.
        align_corners: how logits of another size than the labels' are resized, see `kept_small`; None refuses them.

    Returns:
        The sum of the losses (), and name -> detached loss () with `loss_total`. No value leaves the device.

    Raises:
        ConfigError: predictions and losses have other names, a target is missing, or a loss cannot be built.
        ShapeError, LabelError: a prediction and its target do not fit.
    """
    _require_same_names(predictions, losses_cfg)
    targets = {name: _target_name(name, annotations, preds_to_tgts_mapping) for name in predictions}
    annotations = {name: _as_index(target) for name, target in annotations.items()}
    if pixel_sampler is not None:
        predictions, annotations = pixel_sampler(predictions, annotations, preds_to_tgts_mapping)
        targets |= {name: name for name in predictions if name in annotations}
    losses = {
        name: calculateloss(
            prediction, annotations[targets[name]], losses_cfg[name], f"{_WHERE}[{name!r}]", align_corners
        )
        for name, prediction in predictions.items()
    }
    total = torch.stack(list(losses.values())).sum()
    log = {name: loss.detach() for name, loss in losses.items()}
    return total, {**log, "loss_total": total.detach()}


def _require_same_names(predictions: Mapping[str, Tensor], losses_cfg: Mapping[str, Any]) -> None:
    if predictions.keys() != losses_cfg.keys() or not predictions:
        hint = ""
        if any(name.startswith("loss_aux") for name in predictions.keys() ^ losses_cfg.keys()):
            hint = " An auxiliary loss needs SEGMENTOR_CFG['auxiliary'], and one loss for each auxiliary head."
        raise ConfigError(
            f"{_WHERE} names {listed(losses_cfg) or 'nothing'}, but the predictions are "
            f"{listed(predictions) or 'none'}; they must be the same.{hint}"
        )


def _target_name(name: str, annotations: Mapping[str, Tensor], mapping: Mapping[str, str] | None) -> str:
    if name in annotations:
        return name
    if mapping is not None and name not in mapping:
        raise ConfigError(f"preds_to_tgts_mapping has no entry for the prediction {name!r}, only for {listed(mapping)}")
    target = "seg_targets" if mapping is None else mapping[name]
    if target not in annotations:
        given = listed(annotations) or "none"
        raise ConfigError(f"the prediction {name!r} is compared with {target!r}, which is missing. Targets: {given}.")
    return target


def _as_index(target: Tensor) -> Tensor:
    """Turn integers into int64 once, for all the losses that look at them."""
    return target if target.is_floating_point() else target.long()
