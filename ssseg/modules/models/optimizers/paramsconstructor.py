"""Builds what sorts a model's parameters into groups."""

from collections.abc import Mapping
from typing import Any

from ...utils.modulebuilder import BaseModuleBuilder, Registry


class ParamsConstructorBuilder(BaseModuleBuilder):
    """Builds the params constructor that `params_rules['type']` names, the default one where it names none."""

    REGISTERED_MODULES = Registry(
        {
            "DefaultParamsConstructor": "ssseg.modules.models.optimizers.defaultconstructor:DefaultParamsConstructor",
            "LearningRateDecayParamsConstructor": (
                "ssseg.modules.models.optimizers.layerdecay:LearningRateDecayParamsConstructor"
            ),
        }
    )
    kind = "params constructor"
    where = "SEGMENTOR_CFG['scheduler']['optimizer']['params_rules']"

    def build(
        self,
        params_rules: Mapping[str, Any] | None = None,
        filter_params: bool = False,
        optimizer_cfg: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return a callable that turns a model into what an optimizer takes as `params`.

        Args:
            params_rules: the rules, and the constructor's name as `type`.
            filter_params: leave out parameters that need no gradient.
            optimizer_cfg: the optimizer's settings; `lr`, `weight_decay` and `base_setting` are read.

        Raises:
            UnknownNameError: no constructor has that name.
            ConfigError: a rule is not understood.
        """
        rules = dict(params_rules or {})
        constructor = self.find(rules.pop("type", "DefaultParamsConstructor"))
        return constructor(params_rules=rules, filter_params=filter_params, optimizer_cfg=dict(optimizer_cfg or {}))


def BuildParamsConstructor(  # noqa: N802
    params_rules: Mapping[str, Any] | None = None,
    filter_params: bool = False,
    optimizer_cfg: Mapping[str, Any] | None = None,
) -> Any:
    """Build a params constructor; see `ParamsConstructorBuilder.build`."""
    return ParamsConstructorBuilder().build(params_rules, filter_params, optimizer_cfg)
