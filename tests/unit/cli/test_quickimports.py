"""The collector is out of the way while torch is imported, and works as ever afterwards."""

import gc
import subprocess
import sys

from ssseg.cli.quickimports import quick_imports


def test_what_was_imported_is_left_alone_for_good():
    code = """
import gc
from ssseg.cli.quickimports import quick_imports
collected = []
gc.callbacks.append(lambda phase, info: collected.append(phase))
with quick_imports():
    import torch
assert collected == [] and gc.isenabled() and gc.get_freeze_count() > 100_000
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=100)


def test_a_failed_import_leaves_the_collector_on():
    code = """
import gc
from ssseg.cli.quickimports import quick_imports
try:
    with quick_imports():
        import ssseg.nothing
except ImportError:
    assert gc.isenabled() and gc.get_freeze_count() == 0
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=100)


def test_nothing_happens_where_torch_is_there_already():
    frozen = gc.get_freeze_count()
    with quick_imports():
        assert gc.isenabled()
    assert gc.get_freeze_count() == frozen
