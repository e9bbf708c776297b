"""Every Python block of the documents runs, in order, in a fresh namespace a document; every command exists.

A block that cannot run here says why in the line above it: `<!-- not run: reason -->`.
"""

import re
import shlex
import warnings
from pathlib import Path

import pytest

from ssseg.cli.main import parse
from tests.tiny import write_config, write_data

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")] if path.name != "CHANGELOG.md")
BLOCK = re.compile(r"(?P<marker><!-- not run: [^>]+ -->\n+)?^```(?P<language>\w*)\n(?P<code>.*?)^```", re.M | re.S)
NOT_RUN = 6  # at most; a block that is not run proves nothing


def blocks(path: Path, *languages: str) -> list[tuple[int, str, bool]]:
    """Return (line, code, whether it is to run) of the blocks in these languages."""
    text = path.read_text()
    return [
        (text[: match.start("code")].count("\n"), match["code"], not match["marker"])
        for match in BLOCK.finditer(text)
        if match["language"] in languages
    ]


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder with what the documents assume: a data set `mydata`, an experiment `tiny.py`, a picture `dog.jpg`."""
    import cv2

    write_data(tmp_path / "mydata")
    write_config(tmp_path, tmp_path / "mydata")
    cv2.imwrite(str(tmp_path / "dog.jpg"), cv2.imread(str(tmp_path / "mydata/images/val/000.png")))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_blocks_run(path, workplace):
    namespace = {"__name__": "__main__"}
    for line, code, runs in blocks(path, "python"):
        if runs:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message=".*was registered already.*")  # the documents do just that
                exec(compile("\n" * line + code, str(path.name), "exec"), namespace)


def test_few_blocks_are_not_run():
    left_out = [(path.name, line) for path in DOCUMENTS for line, _, runs in blocks(path, "python", "sh") if not runs]
    assert len(left_out) <= NOT_RUN, left_out


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_exist(path):
    """Every `ssseg` command parses, every script and make target is there."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for line, code, runs in blocks(path, "sh"):
        for command in code.replace("\\\n", " ").splitlines() if runs else ():
            words = shlex.split(command, comments=True)
            if not words:
                continue
            where = f"{path.name}:{line}: {command}"
            if words[0] == "bash":
                assert (ROOT / words[1]).is_file(), where
            elif words[0] == "make":
                assert set(words[1:]) <= targets, where
            elif words[0] == "ssseg" or words[:3] == ["python", "-m", "ssseg"]:
                arguments = words[1:] if words[0] == "ssseg" else words[3:]
                if "--help" not in arguments and "--version" not in arguments:
                    try:
                        parse(arguments)
                    except SystemExit:
                        pytest.fail(where)
            else:
                assert words[0] in ("pip", "git", "cd", "torchrun", "python", "export"), where
