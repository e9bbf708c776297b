"""What the C library is told, where there is one that listens."""

import sys

import pytest

from ssseg.engine.heap import keep_freed_memory


def test_another_system_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_freed_memory()


def test_a_library_without_the_function_is_left_alone(monkeypatch):
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    assert not keep_freed_memory()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux")
def test_both_settings_are_made(monkeypatch):
    told = []

    class Library:
        @staticmethod
        def mallopt(setting, value):
            told.append((setting, value))
            return 1

    monkeypatch.setattr("ctypes.CDLL", lambda name: Library)
    assert keep_freed_memory()
    assert told == [(-1, 2**31 - 1), (-4, 0)]
