"""Reading config files, without torch unless the file itself imports it."""

import copy
import importlib
import os
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from ...configs._base_ import SegmentorConfig
from ...configs._base_.config import Config
from .configfiles import configs_folder, experiments, find_config
from .configsource import plain, resolved_source
from .errors import ConfigError, nearest
from .files import touchdirs, write_atomically
from .overrides import apply_overrides

__all__ = ["ConfigParser", "experiments", "find_config", "load_config", "plain", "resolved_source"]


def load_config(path_or_name: str | os.PathLike[str], overrides: Iterable[str] = ()) -> SegmentorConfig:
    """Return the `SEGMENTOR_CFG` of a config file, or of an experiment of the package, with overrides applied.

    Args:
        path_or_name: see `find_config`.
        overrides: changes as `a.b.c=value`; see `overrides`.

    Raises:
        ConfigError: the file cannot be found or read, or an override does not fit.
    """
    module, _ = ConfigParser()(path_or_name)
    return apply_overrides(_segmentor_config(module), overrides)


class ConfigParser:
    """Loads a config file and can save what it says.

    A file outside the package is loaded as if it lay in `ssseg/configs/<its folder>/`, so that `from .._base_ import`
    finds the package's base configs, unless a `_base_` lies beside its folder. `from .other import` finds its siblings.

    Args:
        library_name: the package that holds the experiments and the base configs.
    """

    def __init__(self, library_name: str = "ssseg"):
        self.library_name = library_name
        self.module: ModuleType | None = None

    def __call__(self, path_or_name: str | os.PathLike[str]) -> tuple[ModuleType, str]:
        """Return the module of a config file and its absolute path.

        Raises:
            ConfigError: the file cannot be found, does not run, or defines no `SEGMENTOR_CFG`.
        """
        path = find_config(path_or_name, self.library_name)
        module = _run(path, self.library_name)
        if not isinstance(getattr(module, "SEGMENTOR_CFG", None), Mapping):
            if hasattr(module, "SEGMENTOR_CFG"):
                kind = type(module.SEGMENTOR_CFG).__name__
                raise ConfigError(f"{path}: SEGMENTOR_CFG is a {kind}; it must be a SegmentorConfig or a dictionary")
            raise ConfigError(f"{path}: defines no SEGMENTOR_CFG.{nearest('SEGMENTOR_CFG', vars(module))}")
        if place := _place_of_loop(module.SEGMENTOR_CFG):
            raise ConfigError(f"{path}: SEGMENTOR_CFG{place}: is a part of itself; give it a copy")
        self.module = module
        return module, str(path)

    def save(self, work_dir: str | os.PathLike[str], cfg: SegmentorConfig | None = None) -> str:
        """Write the resolved config into `<work_dir>/configs/<file name>.py` and return that path.

        Args:
            cfg: what to write in place of the loaded file's own config, such as one with overrides applied.

        Raises:
            ConfigError: nothing was loaded yet, or a value cannot be written as Python.
            ResourceError: the file cannot be written.
        """
        if self.module is None or self.module.__file__ is None:
            raise ConfigError("ConfigParser.save: load a config before saving it")
        source = resolved_source(_segmentor_config(self.module) if cfg is None else cfg)
        folder = Path(work_dir, "configs")
        touchdirs(folder)
        target = folder / Path(self.module.__file__).name
        write_atomically(target, lambda stream: stream.write(source.encode()))
        return str(target)


class _FreshSource(SourceFileLoader):
    """Compiles the file each time: byte code is kept by the second, and a config may be edited twice in one."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


def _run(path: Path, library_name: str) -> ModuleType:
    with _beside_base(path, library_name) as package:
        name = f"{package}.{_identifier(path.stem)}"
        loader = _FreshSource(name, str(path))
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, loader, origin=str(path))
        module.__file__, module.__package__, module.__loader__ = str(path), package, loader
        sys.modules[name] = module
        try:
            loader.exec_module(module)
        except (Exception, SystemExit) as error:  # a config that leaves is one that cannot be used
            raise ConfigError(f"{_place(error, path)}: {type(error).__name__}: {error}") from error
    return module


def _place(error: BaseException, path: Path) -> str:
    """Return `file:line` of the last line of `path` that was at work, or of the line that does not parse."""
    if isinstance(error, SyntaxError) and error.filename and os.path.isfile(error.filename):
        return f"{error.filename}:{error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{path}:{lines[-1]}" if lines else str(path)


@contextmanager
def _beside_base(path: Path, library_name: str) -> Iterator[str]:
    """Make the folder of `path` a package whose parent holds `_base_`; yield the package's name.

    Other experiments that are imported meanwhile are forgotten afterwards, so that a config which changes what it got
    from one of them changes it for itself only.
    """
    parent, beside = f"{library_name}.configs", path.parent.parent
    lasting, folders = f"{parent}._base_", {}
    if (beside / "_base_").is_dir() and not beside.samefile(configs_folder(library_name)):
        parent, lasting = "_configs_of_user", ""
        folders[parent] = beside
    package = f"{parent}.{_identifier(path.parent.name)}"
    folders[package] = path.parent

    def take_out() -> dict[str, ModuleType]:
        inside = {name for name in sys.modules if name.startswith(f"{parent}.")}
        kept = {name for name in inside if lasting and f"{name}.".startswith(f"{lasting}.")}
        return {name: sys.modules.pop(name) for name in (inside - kept) | (folders.keys() & sys.modules.keys())}

    before = take_out()
    importlib.invalidate_caches()
    for name, folder in folders.items():
        sys.modules[name] = ModuleType(name)
        sys.modules[name].__path__ = [str(folder)]
    try:
        yield package
    finally:
        take_out()
        sys.modules.update(before)


def _identifier(name: str) -> str:
    """Return a file's name as part of a module's name, in which a dot would mean a package."""
    return name.replace(".", "_") or "_"


def _segmentor_config(module: ModuleType) -> SegmentorConfig:
    """Return a copy of the module's `SEGMENTOR_CFG` in which fields that it deleted or never had are None."""
    cfg = module.SEGMENTOR_CFG
    if not all(isinstance(key, str) for key in cfg):
        raise ConfigError(f"{module.__file__}: SEGMENTOR_CFG has keys that are no strings")
    if not isinstance(cfg, SegmentorConfig):
        return SegmentorConfig(**_with_dicts(cfg))
    complete = cfg.copy()
    for name in SegmentorConfig():
        complete.setdefault(name, None)
    return complete


def _place_of_loop(value: Any, above: tuple[int, ...] = ()) -> str:
    """Return where in `value` something stands that contains that place, an empty string where nothing does."""
    entries = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    above = (*above, id(value))
    for key, entry in entries:
        if id(entry) in above:
            return f"[{key!r}]"
        if place := _place_of_loop(entry, above):
            return f"[{key!r}]{place}"
    return ""


def _with_dicts(value: Any) -> Any:
    if isinstance(value, Config):
        return value.copy()
    if isinstance(value, Mapping):
        return {key: _with_dicts(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_with_dicts(entry) for entry in value)
    return copy.deepcopy(value)
