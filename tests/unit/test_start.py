"""What starts at once: nothing heavy is imported before it is needed."""

import subprocess
import sys

import pytest

CODES = {
    "import ssseg": "import ssseg",
    "import ssseg.modules": "import ssseg.modules",
    "ssseg --help": "from ssseg.cli.main import parse\ntry: parse(['--help'])\nexcept SystemExit: pass",
    "ssseg bench --help": "from ssseg.cli.main import parse\ntry: parse(['bench', '--help'])\nexcept SystemExit: pass",
    "ssseg config show": "from ssseg.cli.main import main\nassert main(['config', 'show', 'demo_scenes']) == 0",
}


@pytest.mark.parametrize("name", CODES)
def test_neither_torch_nor_opencv_is_loaded(name):
    code = f"{CODES[name]}\nimport sys\nsys.exit(str({{'torch', 'cv2', 'rich'}} & sys.modules.keys() or ''))"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=100)
    assert done.stderr.strip() == "", done.stderr
