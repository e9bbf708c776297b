"""Lets the n-th call of a function fail: a loop over n finds the call that nobody thought of."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any
from unittest import mock


@dataclass
class Injection:
    """How often the function was called, and whether it came to the call that fails."""

    calls: int = 0
    reached: bool = False


@contextmanager
def fail_at(
    function: str, call: int, error: BaseException | Callable[..., Any], *, lasting: bool = False
) -> Iterator[Injection]:
    """Let a function fail at one call while the block runs.

    Args:
        function: its dotted name, such as `os.replace` or `package.module:Class.method`.
        call: which one, from 1.
        error: what is raised; or what is called in place of the function, with its arguments.
        lasting: all later calls fail, too.

    Yields:
        A counter; a loop over `call` ends where the block no longer reaches it.
    """
    owner_name, _, name = function.rpartition(".")
    owner, injection = resolve_name(owner_name), Injection()
    original = getattr(owner, name)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        injection.calls += 1
        if injection.calls == call or (lasting and injection.calls > call):
            injection.reached = True
            if isinstance(error, BaseException):
                raise error
            return error(*args, **kwargs)
        return original(*args, **kwargs)

    with mock.patch.object(owner, name, wrapper):
        yield injection
