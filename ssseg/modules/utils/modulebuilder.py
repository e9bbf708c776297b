"""One dictionary a kind of part, and a builder over it: what makes everything swappable through names."""

import copy
import importlib
import warnings
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from .errors import ConfigError, UnknownNameError, call_with, listed, nearest


class Registry(dict[str, Any]):
    """Name -> class, loaded on first use.

    A value is a callable, or where to find one: `"package.module:attribute"`. Reading an entry imports it, so that
    listing the names of all parts costs no import of torch or of anything optional.
    """

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        if isinstance(value, str):
            module, attribute = value.split(":")
            value = getattr(importlib.import_module(module), attribute)
            super().__setitem__(name, value)
        return value

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default  # noqa: SIM401  (this is the get that loads)

    def pop(self, name: str, *default: Any) -> Any:
        if name in self:
            value = self[name]
            del self[name]
            return value
        return super().pop(name, *default)

    def values(self) -> list[Any]:  # type: ignore[override]
        return [self[name] for name in self]

    def items(self) -> list[tuple[str, Any]]:  # type: ignore[override]
        return [(name, self[name]) for name in self]

    def copy(self) -> dict[str, Any]:
        return dict(self.items())


class BaseModuleBuilder:
    """Builds a part from its cfg dict: `type` names the class, the other entries are its keyword arguments.

    A subclass carries `REGISTERED_MODULES`; what one instance registers, every builder of that class sees.

    Args:
        requires_register_modules: names and classes to register, as with `register`.
        requires_renew_modules: names and classes to replace, as with `renew`.
    """

    REGISTERED_MODULES: ClassVar[Registry] = Registry()
    kind: ClassVar[str] = "module"
    where: ClassVar[str] = "cfg"

    def __init__(
        self,
        requires_register_modules: Mapping[str, Callable[..., Any]] | None = None,
        requires_renew_modules: Mapping[str, Callable[..., Any]] | None = None,
    ):
        for name, module in (requires_register_modules or {}).items():
            self.register(name, module)
        for name, module in (requires_renew_modules or {}).items():
            self.renew(name, module)

    def build(self, cfg: Mapping[str, Any]) -> Any:
        """Build what `cfg["type"]` names with the rest of `cfg` as keyword arguments; `cfg` stays as it was.

        Raises:
            UnknownNameError: `type` is missing, or no part has that name.
            ConfigError: a field is unknown or missing.
        """
        return self.construct(cfg)

    def construct(self, cfg: Mapping[str, Any], where: str = "", **given: Any) -> Any:
        """Build `cfg` with `given` added to its fields; `where` overrides the place named in errors."""
        where = where or self.where
        fields = copy.deepcopy(dict(cfg))
        if "type" not in fields:
            raise UnknownNameError(f"{where}: 'type' is missing. It names the {self.kind}: {listed(self.keys())}.")
        module = self.find(fields.pop("type"), where)
        return call_with(module, {**fields, **given}, where=where, given=given)

    def find(self, name: object, where: str = "") -> Any:
        """Return the class registered as `name`; `where` is the place that names it."""
        if not isinstance(name, str) or name not in self.REGISTERED_MODULES:
            names = self.REGISTERED_MODULES.keys()
            raise UnknownNameError(
                f"{where or self.where}['type']: no {self.kind} is called {name!r}.{nearest(name, names)} "
                f"There are {len(names)}: {listed(names)}. One of your own must be registered first."
            )
        return self.REGISTERED_MODULES[name]

    def register(self, name: str, module: Callable[..., Any]) -> None:
        """Make `module` available as `name`. A name that is taken is replaced, with a warning."""
        self._require_callable(name, module)
        if name in self.REGISTERED_MODULES:
            warnings.warn(f"the {self.kind} {name!r} was registered already and is replaced", stacklevel=2)
        self.REGISTERED_MODULES[name] = module

    def renew(self, name: str, module: Callable[..., Any]) -> None:
        """Replace the registered `name`; UnknownNameError where there is none."""
        self._require_callable(name, module)
        self.find(name)
        self.REGISTERED_MODULES[name] = module

    def delete(self, name: str) -> None:
        """Remove `name`; UnknownNameError where there is none."""
        self.find(name)
        del self.REGISTERED_MODULES[name]

    def pop(self, name: str) -> Any:
        """Remove `name` and return its class; UnknownNameError where there is none."""
        module = self.find(name)
        del self.REGISTERED_MODULES[name]
        return module

    def get(self, name: str) -> Any:
        """Return the class registered as `name`; UnknownNameError where there is none."""
        return self.find(name)

    def keys(self) -> Any:
        return self.REGISTERED_MODULES.keys()

    def values(self) -> Any:
        return self.REGISTERED_MODULES.values()

    def items(self) -> Any:
        return self.REGISTERED_MODULES.items()

    def copy(self) -> dict[str, Any]:
        return self.REGISTERED_MODULES.copy()

    def clear(self) -> None:
        self.REGISTERED_MODULES.clear()

    def update(self, modules: Mapping[str, Callable[..., Any]]) -> None:
        """Register all of `modules`; names that are taken are replaced without a warning."""
        for name, module in modules.items():
            self._require_callable(name, module)
        self.REGISTERED_MODULES.update(modules)

    def validate(self) -> None:
        """Import every registered part and check that it can be called."""
        for name, module in self.items():
            self._require_callable(name, module)

    def _require_callable(self, name: str, module: object) -> None:
        if not callable(module):
            raise ConfigError(f"the {self.kind} {name!r} must be a class or a function, not {module!r}")
