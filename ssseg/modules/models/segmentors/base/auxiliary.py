from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ....utils.errors import ConfigError
from ...backbones import conv_norm_act


def BuildAuxiliaryDecoder(  # noqa: N802
    in_channels: int,
    dropout: float,
    out_channels: int | None = None,
    num_convs: int = 1,
    upsample: Mapping[str, Any] | None = None,
    *,
    num_classes: int,
    norm_cfg: Mapping[str, Any] | None,
    act_cfg: Mapping[str, Any] | None,
) -> nn.Sequential:
    """Build a small head that reads an earlier map while training: 3x3 convolutions, dropout, 1x1 classifier.

    Paper: Zhao et al., "Pyramid Scene Parsing Network", CVPR 2017, arXiv:1612.01105, section 3.3.

    Args:
        out_channels: width of the convolutions; needed unless there are none.
        upsample: what nn.Upsample takes, to enlarge the map after each convolution.
    """
    if out_channels is None:
        if num_convs:
            raise ConfigError("SEGMENTOR_CFG['auxiliary'] needs 'out_channels', the width of its convolutions.")
        out_channels = in_channels
    layers: list[nn.Module] = []
    for i in range(num_convs):
        layers += conv_norm_act(out_channels if i else in_channels, out_channels, 3, norm_cfg=norm_cfg, act_cfg=act_cfg)
        layers += [nn.Upsample(**upsample)] if upsample else []
    width = out_channels if num_convs else in_channels
    return nn.Sequential(*layers, nn.Dropout2d(dropout), nn.Conv2d(width, num_classes, 1))


def predict_auxiliary(decoder: nn.Module | None, maps: Sequence[Tensor]) -> dict[str, Tensor]:
    """Return the scores of the auxiliary heads by the names of their losses.

    Args:
        decoder: one head reads the last map but one; a ModuleList of k heads the k maps before the last.
    """
    if decoder is None:
        return {}
    if not isinstance(decoder, nn.ModuleList):
        return {"loss_aux": decoder(maps[-2])}
    read = maps[:-1][-len(decoder) :]
    return {f"loss_aux{i}": head(x) for i, (head, x) in enumerate(zip(decoder, read, strict=True), start=1)}


def used_losses(
    losses_cfg: Mapping[str, Any], auxiliary_cfg: object, predictions: Iterable[str] = ()
) -> Mapping[str, Any]:
    """Return the losses, without those of auxiliary heads where there are none.

    `SEGMENTOR_CFG['auxiliary'] = None` is all it takes to switch them off: their losses stay in the config.

    Args:
        predictions: names of those that a segmentor makes itself; their losses are kept.
    """
    if auxiliary_cfg:
        return losses_cfg
    made = set(predictions)
    return {name: loss for name, loss in losses_cfg.items() if name in made or not name.startswith("loss_aux")}


def require_one_auxiliary(auxiliary_cfg: object, reader: str) -> None:
    """Check that there is one auxiliary head, where `reader` works with its scores; ConfigError where there is not."""
    if not isinstance(auxiliary_cfg, Mapping) or not auxiliary_cfg:
        raise ConfigError(
            f"SEGMENTOR_CFG['auxiliary']: is {auxiliary_cfg!r}, must be one auxiliary head: {reader} works with its "
            "scores."
        )
