"""Builds the optimizer of a model."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ...utils.errors import ConfigError
from ...utils.modulebuilder import BaseModuleBuilder, Registry
from .groups import require_number, unwrapped
from .momenta import start_momenta
from .paramsconstructor import BuildParamsConstructor
from .uncompiled import without_compiler

_TORCH = "SGD Adam AdamW Adadelta Adagrad SparseAdam Adamax ASGD LBFGS NAdam RAdam RMSprop Rprop".split()

_FUSED = tuple(map(without_compiler, (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW)))
_FUSED_ON = ("cpu", "cuda")


class OptimizerBuilder(BaseModuleBuilder):
    """Builds optimizers of `torch.optim` and our own."""

    REGISTERED_MODULES = Registry(
        {**{name: f"torch.optim:{name}" for name in _TORCH}, "Muon": "ssseg.modules.models.optimizers.muon:Muon"}
    )
    kind = "optimizer"
    where = "SEGMENTOR_CFG['scheduler']['optimizer']"

    def find(self, name: object, where: str = "") -> Any:
        """Return the class registered as `name`, so that it does not import torch's compiler."""
        return without_compiler(super().find(name, where))

    def build(  # type: ignore[override]
        self, model_or_params: nn.Module | Iterable[Tensor], optimizer_cfg: Mapping[str, Any]
    ) -> Any:
        """Build the optimizer that `optimizer_cfg['type']` names.

        Args:
            model_or_params: a model, or its parameters, which then have no names for rules to fit.
            optimizer_cfg: `type`, the optimizer's own arguments, and for the params constructor `params_rules`,
                `base_setting` and `filter_params`. SGD, Adam and AdamW are `fused` unless it says otherwise.

        Raises:
            UnknownNameError: no optimizer has that name.
            ConfigError: a field is unknown or out of range, or there is nothing to optimize.
        """
        fields = dict(optimizer_cfg)
        rules, base_setting = fields.pop("params_rules", None), fields.pop("base_setting", None)
        filter_params = fields.pop("filter_params", False)
        optimizer = self.find(fields.get("type"))
        settings = {**_defaults(optimizer), **fields, "base_setting": base_setting}
        for field in {"lr", "weight_decay"} & settings.keys():
            require_number(settings[field], f"{self.where}[{field!r}]")
        if isinstance(model_or_params, nn.Module):
            params = BuildParamsConstructor(rules, filter_params, settings)(model_or_params)
        elif rules or base_setting:
            raise ConfigError(f"{self.where}: params_rules and base_setting need the model: parameters have no names")
        else:
            params = [p for p in model_or_params if p.requires_grad or not filter_params]
        if not params:
            raise ConfigError(f"{self.where}: there is no parameter to optimize")
        if getattr(optimizer, "takes_names", False) and isinstance(model_or_params, nn.Module):
            params = _with_names(params, unwrapped(model_or_params))
        fastest = _fastest(optimizer, fields, params)
        try:
            built = self.construct({**fastest, **fields}, params=params)
        except ConfigError:
            raise
        except (TypeError, ValueError) as error:  # how torch says that a value is out of range
            raise ConfigError(f"{self.where}: {fields['type']}: {error}") from error
        if fastest and isinstance(built, torch.optim.SGD):
            built.register_step_pre_hook(start_momenta)
        return built


def BuildOptimizer(  # noqa: N802
    model_or_params: nn.Module | Iterable[Tensor], optimizer_cfg: Mapping[str, Any]
) -> Any:
    """Build the optimizer that `optimizer_cfg` describes; see `OptimizerBuilder.build`."""
    return OptimizerBuilder().build(model_or_params, optimizer_cfg)


def _defaults(optimizer: Any) -> dict[str, Any]:
    """What the optimizer takes for `lr` and `weight_decay` where the cfg is silent: rules multiply it all the same."""
    params = inspect.signature(optimizer).parameters
    return {
        field: params[field].default
        for field in ("lr", "weight_decay")
        if field in params and params[field].default is not inspect.Parameter.empty
    }


def _fastest(optimizer: Any, fields: Mapping[str, Any], params: list[Any]) -> dict[str, bool]:
    """Ask for one kernel that updates all parameters, where torch has one and the cfg does not choose."""
    chosen = {"fused", "foreach", "capturable", "differentiable"} & fields.keys()
    if optimizer not in _FUSED or chosen or fields.get("dampening"):  # with which a momentum does not start from 0
        return {}
    tensors = [p for entry in params for p in (entry["params"] if isinstance(entry, dict) else [entry])]
    fits = all(p.device.type in _FUSED_ON and p.is_floating_point() for p in tensors)
    return {"fused": True} if fits else {}


def _with_names(params: list[Any], model: nn.Module) -> list[Any]:
    """Put (name, parameter) for each parameter, alone or in a group."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    if isinstance(params[0], dict):
        return [{**group, "params": [(names[p], p) for p in group["params"]]} for group in params]
    return [(names[parameter], parameter) for parameter in params]
