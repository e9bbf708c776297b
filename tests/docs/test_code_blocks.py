"""Every Python block of the documents runs, in order, in a fresh namespace a document; every command exists.

A block that cannot run here says why in the line above it: `<!-- not run: reason -->`. A document's blocks run in a
folder with a data set `mydata`, the experiment `tiny.py`, its finished run in `run/` and a picture `dog.jpg`.
"""

import re
import shlex
import shutil
import warnings
from pathlib import Path

import cv2
import pytest

import ssseg.modules
from ssseg.cli.main import main, parse
from ssseg.engine.trainer import train
from ssseg.modules.utils.configparser import load_config
from tests.tiny import write_config, write_data

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")] if path.name != "CHANGELOG.md")
BLOCK = re.compile(r"(?P<marker><!-- not run: [^>]+ -->\n+)?^```(?P<language>\w*)\n(?P<code>.*?)^```", re.M | re.S)
NOT_RUN = 6  # at most; a block that is not run proves nothing
OPTIONS = ["ema_cfg={'momentum': 0.1, 'device': 'cpu'}", "runtime.save_interval_iters=1"]
RUN = ("ckpt", "config", "models")  # commands that take no time


def takes_little_time(arguments: list[str]) -> bool:
    """Whether a command is run, not only parsed: what it works on is small, or nothing but configs."""
    return arguments[0] in RUN or {"tiny.py", "mydata"} & set(arguments[1:3]) != set()


def blocks(path: Path, *languages: str) -> list[tuple[int, str, bool]]:
    """Return (line, code, whether it is to run) of the blocks in these languages."""
    text = path.read_text()
    return [
        (text[: match.start("code")].count("\n"), match["code"], not match["marker"])
        for match in BLOCK.finditer(text)
        if match["language"] in languages
    ]


@pytest.fixture(scope="module")
def assumed(tmp_path_factory):
    """What the documents assume: a data set `mydata`, an experiment `tiny.py`, its finished run, a picture."""
    folder = tmp_path_factory.mktemp("assumed")
    write_data(folder / "mydata")
    train(load_config(write_config(folder, folder / "mydata"), OPTIONS), device="cpu")
    cv2.imwrite(str(folder / "dog.jpg"), cv2.imread(str(folder / "mydata/images/val/000.png")))
    return folder


@pytest.fixture
def workplace(assumed, tmp_path, monkeypatch):
    """A folder of its own with all that; what a document registers is forgotten afterwards."""
    folder = shutil.copytree(assumed, tmp_path / "workplace", symlinks=True)
    config = write_config(folder, folder / "mydata")
    config.write_text(f"{config.read_text()}\nSEGMENTOR_CFG['ema_cfg'] = {{'momentum': 0.1, 'device': 'cpu'}}\n")
    monkeypatch.chdir(folder)
    builders = [getattr(ssseg.modules, name) for name in ssseg.modules.__all__ if name.endswith("Builder")]
    saved = [(builder.REGISTERED_MODULES, dict(builder.REGISTERED_MODULES)) for builder in builders]
    yield folder
    for registry, entries in saved:
        dict.clear(registry)
        dict.update(registry, entries)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_blocks_run(path, workplace):
    # as a config file in a folder of experiments, where `from .._base_ import ...` leads to the base configs
    place = {"__file__": str(workplace / "experiments" / "example.py"), "__package__": "ssseg.configs.experiments"}
    namespace = {"__name__": "__main__", **place}
    for line, code, runs in blocks(path, "python"):
        if runs:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message=".*was registered already.*")  # the documents do just that
                exec(compile("\n" * line + code, str(path.name), "exec"), namespace)


def test_few_blocks_are_not_run():
    left_out = [(path.name, line) for path in DOCUMENTS for line, _, runs in blocks(path, "python", "sh") if not runs]
    assert len(left_out) <= NOT_RUN, left_out


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # more workers than this machine has cores
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_U09_commands_run_as_printed(path, workplace):
    """Every `ssseg` command parses, those that take little time run, every script and make target is there."""
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
                if takes_little_time(arguments):
                    assert main(arguments) == 0, where
            else:
                assert words[0] in ("pip", "git", "cd", "torchrun", "python", "export"), where
