"""Finding a config file by its path, or an experiment of the package by its name."""

import importlib
import os
from pathlib import Path

from .errors import ConfigError, UnknownNameError, listed, nearest


def configs_folder(library_name: str = "ssseg") -> Path:
    """Return the folder that holds the experiments of a package."""
    return Path(next(iter(importlib.import_module(f"{library_name}.configs").__path__)))


def experiments(library_name: str = "ssseg") -> dict[str, Path]:
    """Return the experiments of a package: file name without `.py` -> file, sorted by folder and name."""
    files = sorted(configs_folder(library_name).glob("[!_]*/[!_]*.py"))
    return {file.stem: file for file in files}


def find_config(path_or_name: str | os.PathLike[str], library_name: str = "ssseg") -> Path:
    """Return the absolute path of a config file.

    Args:
        path_or_name: a file; or an experiment as `fcn_resnet50os16_voc`, `fcn/fcn_resnet50os16_voc` or, from
            whatever folder, as the documents write it: `ssseg/configs/fcn/fcn_resnet50os16_voc.py`.

    Raises:
        ConfigError: there is no such file, or it is not a `.py` file.
    """
    given = os.fspath(path_or_name)
    path = Path(given)
    if path.suffix == ".pkl":
        raise ConfigError(
            f"{given}: pickled configs are refused, because reading one can run whatever it holds. Give the .py file "
            f"it was saved from ({path.stem}.py); `ssseg config show FILE.py` writes that out in full."
        )
    if path.is_file():
        if path.suffix != ".py":
            raise ConfigError(f"{given}: a config is a .py file that defines SEGMENTOR_CFG")
        return _experiment(path.absolute())
    inside = _in_package(given, library_name)
    if inside is not None:
        return _experiment(inside)
    if path.is_dir():
        held = sorted(file.name for file in path.glob("*.py"))
        raise ConfigError(f"{given}: is a folder, not a config file. It holds: {listed(held) or 'no .py file'}.")
    raise _not_found(given, library_name)


def _experiment(path: Path) -> Path:
    if "_base_" in path.parts:
        raise ConfigError(f"{path}: is a base config, which experiments start from; it is none itself")
    return path


def _in_package(given: str, library_name: str) -> Path | None:
    parts = Path(given).parts
    if parts[:2] == (library_name, "configs") and given.endswith(".py"):
        documented = configs_folder(library_name).joinpath(*parts[2:])
        return documented if documented.is_file() else None
    file = experiments(library_name).get(parts[-1]) if parts else None
    return file if file and parts in ((file.stem,), (file.parent.name, file.stem)) else None


def _not_found(given: str, library_name: str) -> ConfigError:
    path = Path(given)
    beside = [str(file) for file in sorted(path.parent.glob("*.py"))]
    hint = nearest(str(path.with_suffix(".py")), beside) or nearest(path.stem, experiments(library_name))
    if path.suffix or len(path.parts) > 1:
        return ConfigError(f"{given}: there is no such config file.{hint}")
    return UnknownNameError(
        f"{given}: there is no such config file and no experiment of that name.{hint} `ssseg models list` shows them."
    )
