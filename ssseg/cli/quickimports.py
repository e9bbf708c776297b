"""Importing torch and what needs it."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quick_imports() -> Iterator[None]:
    """Let the garbage collector neither look through what is imported, nor ever do so later.

    The modules' hundreds of thousands of objects stay for good. Looking through them again and again takes a tenth of
    the time from the command to the first iteration. Nothing happens where torch was imported before: this is for the
    start of a process.
    """
    if "torch" in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
