"""Every error a user can cause. Each says where it is, what was given, what was expected and the nearest valid value.

    SSSegError                    1   only bugs print a traceback
    ├── ConfigError               2   usage or configuration
    │   └── UnknownNameError
    ├── ShapeError                2
    ├── DataError                 3
    │   ├── ImageError
    │   └── LabelError
    ├── CheckpointError           4
    ├── DownloadError             4
    ├── ArchiveError              4
    ├── ResourceError             5   machine, files, workers
    ├── DistributedError          5   processes
    │   └── LostProcessError
    ├── DivergedError             6   numbers
    └── StopRequested            75   stopped on request, resumable

The numbers are the exit codes of the command line.
"""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .misspelling import edit_distance

_EDITS = 2  # more are no slip of the fingers
_CANDIDATES = 8  # names that are compared letter by letter
_SIGNATURES: dict[Callable[..., Any], inspect.Signature] = {}


class SSSegError(Exception):
    """Base of all errors that ssseg raises on purpose."""

    exit_code = 1


class ConfigError(SSSegError, ValueError):
    """A configuration value is missing, unknown or out of range."""

    exit_code = 2


class UnknownNameError(ConfigError, KeyError):
    """A registry was asked for a name it does not hold."""

    __str__ = Exception.__str__  # KeyError would print the message in quotes


class ShapeError(SSSegError, ValueError):
    """Tensors or arrays whose shapes do not fit together."""

    exit_code = 2


class DataError(SSSegError, ValueError):
    """A data set, a list of ids or a file in it cannot be used."""

    exit_code = 3


class ImageError(DataError):
    """An image file is unreadable, damaged, too large or of a kind that is not read."""


class LabelError(DataError):
    """A label map holds values that the classes do not explain, or does not fit its image."""


class CheckpointError(SSSegError, RuntimeError):
    """A checkpoint is missing, damaged, unsafe, or of another model."""

    exit_code = 4


class DownloadError(SSSegError, ConnectionError):
    """A file could not be fetched, or is not the one that was announced."""

    exit_code = 4


class ArchiveError(SSSegError, ValueError):
    """An archive is damaged or would write where it must not."""

    exit_code = 4


class ResourceError(SSSegError, RuntimeError):
    """The machine lacks something: disk, memory, permission, a living worker, an optional package."""

    exit_code = 5


class DistributedError(SSSegError, RuntimeError):
    """Processes that should work together do not."""

    exit_code = 5


class LostProcessError(DistributedError):
    """Another process of the run ended or does not answer; why is told by that one."""


class DivergedError(SSSegError, ArithmeticError):
    """A loss or a gradient is not finite."""

    exit_code = 6


class StopRequested(SSSegError):  # noqa: N818  (not a fault: somebody asked)
    """A signal asked the run to stop; what it computed is saved and it can be resumed."""

    exit_code = 75


def nearest(name: object, known: Iterable[str]) -> str:
    """Return ` Did you mean 'x'?` for the closest known name, else an empty string; upper and lower case count alike.

    It is the one within two edits, swapped neighbours counting as one; where none is, the shortest that begins so, else
    the one that shares most letters.
    """
    given = str(name).lower()
    folded = {candidate.lower(): candidate for candidate in known}
    similar = difflib.get_close_matches(given, list(folded), n=_CANDIDATES, cutoff=0.6)
    longer = [candidate for candidate in folded if len(given) > _EDITS and candidate.startswith(given)]
    if not similar and not longer:
        return ""
    closest = min(similar, key=lambda other: (edit_distance(given, other), sorted(given) != sorted(other)), default="")
    if edit_distance(given, closest) > _EDITS:
        closest = min(longer, key=len) if longer else similar[0]
    return f" Did you mean {folded[closest]!r}?"


def listed(names: Iterable[object], limit: int = 40) -> str:
    """Return the names, separated by commas, cut after `limit` of them."""
    words = [str(name) for name in names]
    return ", ".join(words[:limit]) + (f", ... ({len(words)} in all)" if len(words) > limit else "")


def signature_of(function: Callable[..., Any]) -> inspect.Signature:
    """Return `inspect.signature(function)`, which takes as long as making a layer, and is asked for each layer."""
    if function not in _SIGNATURES:
        _SIGNATURES[function] = inspect.signature(function)
    return _SIGNATURES[function]


def call_with(function: Callable[..., Any], cfg: Mapping[str, Any], *, where: str, given: Iterable[str] = ()) -> Any:
    """Call `function(**cfg)`; a wrong or missing keyword becomes a `ConfigError` that names its place.

    Args:
        function: a class or function whose signature is the schema of `cfg`.
        where: the place of `cfg`, such as `SEGMENTOR_CFG['head']`.
        given: names in `cfg` that the caller adds, not the user; they are not listed as choices.
    """
    if not isinstance(cfg, Mapping):
        raise ConfigError(f"{where}: is {cfg!r}; it must be a dictionary")
    try:
        signature = signature_of(function)
    except ValueError:  # a built-in that does not tell its parameters
        return function(**cfg)
    params = {name: p for name, p in signature.parameters.items() if name != "self"}
    takes_any = any(p.kind is p.VAR_KEYWORD for p in params.values())
    named = {name: p for name, p in params.items() if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}
    owner = function.__qualname__.removesuffix(".__init__").removesuffix(".build_head")
    choices = sorted(named.keys() - set(given))
    for key in () if takes_any else cfg.keys() - named.keys():
        takes = f"It takes: {listed(choices)}." if choices else "It takes none."
        raise ConfigError(f"{where}[{key!r}]: {owner} has no such field.{nearest(key, choices)} {takes}")
    for name, p in named.items():
        if p.default is p.empty and name not in cfg:
            raise ConfigError(f"{where}: {owner} needs {name!r}, which is missing.")
    return function(**cfg)
