from collections.abc import Iterable, Mapping
from typing import Any

from torch import nn

from .....utils.errors import signature_of
from .....utils.modulebuilder import BaseModuleBuilder, Registry
from .batchnorm import BatchNorm, SyncBatchNorm

_HERE = "ssseg.modules.models.backbones.bricks.normalization"
_TORCH = (
    "BatchNorm1d BatchNorm2d BatchNorm3d GroupNorm InstanceNorm1d InstanceNorm2d InstanceNorm3d LayerNorm "
    "LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d "
    "LocalResponseNorm"
).split()

_CHOICES = {SyncBatchNorm: (nn.SyncBatchNorm, BatchNorm)}  # a function, and the classes it chooses between


class NormalizationBuilder(BaseModuleBuilder):
    """Builds a normalization for a number of channels from its cfg; None means no normalization."""

    REGISTERED_MODULES = Registry(
        {
            "GRN": f"{_HERE}.grn:GRN",
            "LayerNorm2d": f"{_HERE}.layernorm:LayerNorm2d",
            "LayerNormConvNeXtV2": f"{_HERE}.layernorm:LayerNormConvNeXtV2",
            "SyncBatchNorm": SyncBatchNorm,
            **{name: f"torch.nn:{name}" for name in _TORCH},
        }
    )
    kind = "normalization"
    where = "norm_cfg"

    def build(self, placeholder: Any, norm_cfg: Mapping[str, Any] | None) -> nn.Module:  # type: ignore[override]
        """Build the layer that `norm_cfg` describes, nn.Identity for None; see `BaseModuleBuilder.build`.

        Args:
            placeholder: number of channels, or the shape that LayerNorm takes.
        """
        if norm_cfg is None:
            return nn.Identity()
        name = _channels_parameter(self.find(norm_cfg["type"])) if "type" in norm_cfg else None
        return self.construct(norm_cfg, **({name: placeholder} if name else {}))

    @staticmethod
    def isnorm(module: nn.Module, norm_list: Iterable[type | str] | None = None) -> bool:
        """Return whether `module` is one of `norm_list`: classes or registered names; None means all that are known."""
        modules = NormalizationBuilder.REGISTERED_MODULES
        known = modules if norm_list is None else norm_list
        named = [modules[item] if isinstance(item, str) else item for item in known]
        classes = [kind for item in named for kind in _CHOICES.get(item, (item,)) if isinstance(kind, type)]
        return isinstance(module, tuple(classes))


def BuildNormalization(placeholder: Any, norm_cfg: Mapping[str, Any] | None) -> nn.Module:  # noqa: N802
    """Build the normalization that `norm_cfg` describes for `placeholder` channels; nn.Identity for None."""
    return NormalizationBuilder().build(placeholder, norm_cfg)


def _channels_parameter(norm: Any) -> str | None:
    """Return the parameter that takes the number of channels: num_channels, else the first; lazy ones have none."""
    if isinstance(norm, type) and issubclass(norm, nn.modules.lazy.LazyModuleMixin):
        return None
    params = signature_of(norm).parameters
    return "num_channels" if "num_channels" in params else next(iter(params), None)
