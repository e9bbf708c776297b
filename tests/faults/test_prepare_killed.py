"""Row X14: preparing a data set is killed at 20 moments; no half tree appears, and the next run finishes."""

import subprocess
import sys
import time

import pytest

from ssseg.engine.prepare import missing_files, prepare
from ssseg.engine.preparesources import SOURCES
from tests.fileserver import running_server
from tests.unit.engine.test_prepare import zipped

CHILD = """
import sys
from ssseg.engine.prepare import prepare
print("ready", flush=True)
prepare("pascalvoc", sys.argv[1], store=sys.argv[2])
"""


@pytest.mark.faults
def test_X14_killed_at_many_moments(tmp_path):
    source = SOURCES["pascalvoc"]
    names = ["ImageSets/Segmentation/train.txt", *(f"JPEGImages/{number}.jpg" for number in range(1500))]
    names += [f"SegmentationClass/{number}.png" for number in range(1500)]
    data = zipped({f"{source.root}/{name}": bytes(500) for name in names})
    step = -(-len(data) // 3)
    finished = 0
    with running_server() as server:
        server.files = {name: data[step * n : step * (n + 1)] for n, name in enumerate(source.names)}
        for moment in range(20):
            command = [sys.executable, "-c", CHILD, str(tmp_path), server.url]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
                child.stdout.readline()
                time.sleep(0.03 * moment)
                child.kill()
            final = tmp_path / source.root
            if final.exists():
                assert missing_files(final, source) == []
                assert sum(1 for path in final.rglob("*") if path.is_file()) == len(names)
                finished += 1
                final.rename(tmp_path / f"finished_{moment}")
        assert prepare("pascalvoc", tmp_path, store=server.url).is_dir()
    assert finished < 20
