"""What the three kinds of configuration share, and the registries that hand them out."""

import copy
import difflib
import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any, ClassVar, Generic, Self, TypeVar


class Config(dict[str, Any]):
    """A dictionary whose entries are attributes as well: `cfg["head"]` is `cfg.head`.

    Entries keep the order in which they were given. Two configs are equal when they are of one class and hold equal
    entries; a config never equals a plain dictionary.
    """

    __slots__ = ("base_name",)
    __hash__ = None

    NEEDED: ClassVar[tuple[str, ...]] = ()
    """Entries without which the class cannot be called."""

    base_name: str
    """The registered name that this config was copied from, "" where it was written by hand."""

    def __init__(self, fields: dict[str, Any]):
        super().__init__(fields)
        self.base_name = ""

    def copy(self) -> Self:
        """Return a deep copy."""
        return copy.deepcopy(self)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        hint = "" if name.startswith("__") else nearest(name, self)  # copy and pickle ask for many of those
        raise AttributeError(f"{type(self).__name__} has no {name!r}.{hint}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name in Config.__slots__:
            super().__setattr__(name, value)
        elif hasattr(type(self), name):
            raise AttributeError(f"{type(self).__name__}.{name} is taken; the entry can be set as cfg[{name!r}]")
        else:
            self[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in self:
            raise AttributeError(f"{type(self).__name__} has no {name!r}.{nearest(name, self)}")
        del self[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({super().__repr__()})"


class UnknownConfigError(KeyError):
    """A registry was asked for a base config that it does not hold."""

    __str__ = Exception.__str__  # KeyError would print the message in quotes


AnyConfig = TypeVar("AnyConfig", bound=Config)


class ConfigRegistry(dict[str, AnyConfig], Generic[AnyConfig]):
    """Name -> base config. Reading an entry gives a deep copy, so that nothing a reader does changes the base."""

    def __getitem__(self, name: str) -> AnyConfig:
        if name not in self:
            raise UnknownConfigError(
                f"no base config is called {name!r}.{nearest(name, self)} There are: {', '.join(self)}."
            )
        found = super().__getitem__(name).copy()
        found.base_name = name
        return found

    def __iter__(self) -> Iterator[str]:  # so that dict(registry) reads entries through __getitem__
        return super().__iter__()

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default  # noqa: SIM401  (this is the get that copies)

    def values(self) -> list[AnyConfig]:  # type: ignore[override]
        return [self[name] for name in self]

    def items(self) -> list[tuple[str, AnyConfig]]:  # type: ignore[override]
        return [(name, self[name]) for name in self]

    def copy(self) -> dict[str, AnyConfig]:
        return dict(self.items())


def registered(package: str, folders: Sequence[str], kind: type[AnyConfig]) -> ConfigRegistry[AnyConfig]:
    """Return the configs of class `kind` that the modules of `package` define at their top level, by name.

    The modules answer for these names from the registry from then on: what `from .fcn import FCN_SEGMENTOR_CFG`
    gives is a copy too, and an experiment that edits it leaves the others alone.
    """
    registry: ConfigRegistry[AnyConfig] = ConfigRegistry()
    for found in pkgutil.iter_modules(folders):
        module = importlib.import_module(f"{package}.{found.name}")
        names = [name for name, value in vars(module).items() if isinstance(value, kind)]
        registry.update({name: vars(module).pop(name) for name in names})
        if names:
            _answer_from(registry, module)
    return registry


def _answer_from(registry: ConfigRegistry[AnyConfig], module: ModuleType) -> None:
    def __getattr__(name: str) -> AnyConfig:  # noqa: N807
        if name in registry:
            return registry[name]
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}.{nearest(name, registry)}")

    vars(module)["__getattr__"] = __getattr__


def nearest(name: str, known: Sequence[str] | dict[str, Any]) -> str:
    """Return ` Did you mean 'x'?` for the closest known name, else an empty string."""
    folded = {candidate.lower(): candidate for candidate in known}
    match = difflib.get_close_matches(name.lower(), list(folded), n=1, cutoff=0.6)
    return f" Did you mean {folded[match[0]]!r}?" if match else ""
