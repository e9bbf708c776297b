"""Parameter groups by name: each parameter follows the longest rule that its name contains."""

import difflib
import re
import warnings
from collections.abc import Mapping
from typing import Any

from torch import nn

from ...utils.errors import ConfigError, listed, nearest
from ..backbones.bricks import NormalizationBuilder
from .groups import WHERE, group_of, require_number, unwrapped

_RULE = ("lr_multiplier", "wd_multiplier")
_BASE_SETTING = (*_RULE, "bias_lr_multiplier", "bias_wd_multiplier", "norm_wd_multiplier")


class DefaultParamsConstructor:
    """Makes one group of each parameter, with the multipliers of the rule that fits it.

    A rule fits when its key is part of the parameter's name (`.name` for a parameter of the model itself); of several
    the longest key wins. Without rules and base setting the parameters stay together.

    Args:
        params_rules: key -> {`lr_multiplier`, `wd_multiplier`}, each 1 where it is absent. The key `base_setting`, as
            published experiments have it, is no rule but that setting.
        filter_params: leave out parameters that need no gradient; otherwise they get a group without multipliers.
        optimizer_cfg: `lr` and `weight_decay` of the optimizer, and `base_setting`: what holds for parameters that no
            rule fits. Its `lr_multiplier` and `wd_multiplier` are for all of them, `norm_wd_multiplier` for those of
            normalization layers instead, `bias_lr_multiplier` and `bias_wd_multiplier` for other layers' biases.

    Raises:
        ConfigError: a rule has an unknown field, or a multiplier that is negative or no number.
    """

    def __init__(
        self,
        params_rules: Mapping[str, Mapping[str, float]],
        filter_params: bool = False,
        optimizer_cfg: Mapping[str, Any] | None = None,
    ):
        self.settings = dict(optimizer_cfg or {})
        self.params_rules = {key: rule for key, rule in params_rules.items() if key != "base_setting"}
        self.filter_params = filter_params
        for key, rule in self.params_rules.items():
            _check_fields(rule, _RULE, f"{WHERE}['params_rules'][{key!r}]")
        among_rules, own = params_rules.get("base_setting") or {}, self.settings.pop("base_setting", None) or {}
        _check_fields(among_rules, _BASE_SETTING, f"{WHERE}['params_rules']['base_setting']")
        _check_fields(own, _BASE_SETTING, f"{WHERE}['base_setting']")
        self.base_setting = {**among_rules, **own}

    def __call__(self, model: nn.Module) -> list[Any]:
        """Return the parameters, or their groups, in the order of `model.named_parameters()`."""
        model = unwrapped(model)
        named = [(name, p) for name, p in model.named_parameters() if p.requires_grad or not self.filter_params]
        if not self.params_rules and not self.base_setting:
            return [parameter for _, parameter in named]
        self._warn_about_misspelt_keys([name for name, _ in model.named_parameters()])
        norms = _of_norms(model) if "norm_wd_multiplier" in self.base_setting else set()
        return [self._group(name, parameter, parameter in norms) for name, parameter in named]

    def _group(self, name: str, parameter: nn.Parameter, is_norm: bool) -> dict[str, Any]:
        if not parameter.requires_grad:
            return {"params": [parameter]}
        fitting = [key for key in self.params_rules if key in _path(name)]
        key = max(fitting, key=len) if fitting else "base_setting"
        multipliers = self.params_rules[key] if fitting else self._base_multipliers(name, is_norm)
        return group_of([parameter], self.settings, name=name, rule_key=key, **multipliers)

    def _base_multipliers(self, name: str, is_norm: bool) -> dict[str, float]:
        base = self.base_setting
        lr, wd = base.get("lr_multiplier", 1.0), base.get("wd_multiplier", 1.0)
        if is_norm:
            wd = base.get("norm_wd_multiplier", wd)
        elif _path(name).endswith(".bias"):
            lr, wd = base.get("bias_lr_multiplier", lr), base.get("bias_wd_multiplier", wd)
        return {"lr_multiplier": lr, "wd_multiplier": wd}

    def _warn_about_misspelt_keys(self, names: list[str]) -> None:
        """Published rules name parts that only some models have, so a key that fits nothing is no error by itself."""
        unused = [key for key in self.params_rules if not any(key in _path(name) for name in names)]
        similar = {key: match for key in unused if (match := _similar(key, names))}
        if similar:
            pairs = listed(f"{key!r} (there is {match!r})" for key, match in similar.items())
            warnings.warn(f"{WHERE}['params_rules']: no parameter's name contains {pairs}", stacklevel=3)


def _of_norms(model: nn.Module) -> set[nn.Parameter]:
    norms = filter(NormalizationBuilder.isnorm, model.modules())
    return {parameter for norm in norms for parameter in norm.parameters(recurse=False)}


def _path(name: str) -> str:
    """The name as rules see it: that of a parameter of the model itself starts with a dot."""
    return name if "." in name else f".{name}"


def _similar(key: str, names: list[str]) -> str | None:
    """Return a part of the names that is nearly `key`; None where they differ in numbers only (another depth)."""
    if any(_numberless(key) in _numberless(_path(name)) for name in names):
        return None
    length = key.strip(".").count(".") + 1
    parts: set[str] = set()
    for name in names:
        words = name.split(".")
        parts.update(".".join(words[start : start + length]) for start in range(len(words) - length + 1))
    return next(iter(difflib.get_close_matches(key, sorted(parts), n=1, cutoff=0.8)), None)


def _numberless(name: str) -> str:
    return re.sub(r"\d+", "0", name)


def _check_fields(fields: object, known: tuple[str, ...], where: str) -> None:
    if not isinstance(fields, Mapping):
        raise ConfigError(f"{where}={fields!r} must be a dict of multipliers: {listed(known)}")
    for field, value in fields.items():
        if field not in known:
            raise ConfigError(f"{where}[{field!r}]: no such field.{nearest(field, known)} It takes: {listed(known)}.")
        require_number(value, f"{where}[{field!r}]")
