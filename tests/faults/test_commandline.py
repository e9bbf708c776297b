"""Group I of docs/reliability.md: what users type, and what it answers."""

import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from fcntl import ioctl

import cv2
import numpy as np
import pytest
import torch

from ssseg.engine.inference import output_names
from ssseg.engine.lock import work_dir_lock
from tests.docs.test_code_blocks import ROOT
from tests.faults.injection import fail_at
from tests.faults.screen import run_command
from tests.tiny import run


@pytest.fixture
def infer(trained, capsys):
    """Segment pictures with a trained model; returns exit code and screen."""

    def command(*arguments):
        config, work_dir = trained
        return run_command(capsys, "infer", config, "--ckptspath", work_dir / "checkpoints-epoch-1.pth", *arguments)

    return command


@pytest.fixture
def pictures(tmp_path):
    """Write pictures of these names into a folder."""

    def write(*names):
        folder = tmp_path / "pictures"
        folder.mkdir(exist_ok=True)
        for number, name in enumerate(names):
            cv2.imwrite(str(folder / name), np.full((24, 32, 3), 2 * number, np.uint8))
        return folder

    return write


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "usage: ssseg"),
        (["--help"], 0, "COMMAND"),
        (["train", "--help"], 0, "--ckptspath"),
        (["trian"], 2, "Did you mean train?"),
        (["data", "chekc"], 2, "Did you mean check?"),
        (["train", "x", "--ckptpath", "y"], 2, "Did you mean --ckptspath?"),
        (["infer", "x", "--ckptspath", "z", "--imgdir", "y"], 2, "Did you mean --imagedir?"),
        (["test", "x"], 2, "--ckptspath"),
        (["predict", "x"], 2, "Here it is ssseg infer"),
        (["train", "x", "--resume"], 2, "Here it is --ckptspath FILE"),
        (["train", "x", "--work_dir=y"], 2, "Here it is the override work_dir=DIR"),
        (["train", "x", "--cfg-options", "a=1"], 2, "Here it is a.b.c=value without an option"),
        (["train", "fcn_resnet50os16_voc", "lr=1"], 2, "Did you mean 'scheduler.optimizer.lr'?"),
        (
            ["train", "fcn_resnet50os16_voc", "crop_size=1"],
            2,
            "Did you mean 'dataset.train.data_pipelines.1.1.crop_size'?",
        ),
        (["train", "fcn_resnet50os16_voc", "aling_corners=1"], 2, "Did you mean 'align_corners'?"),
        (["config", "show", "fcn_resnet50os16_vox"], 2, "Did you mean 'fcn_resnet50os16_voc'?"),
        (["train"], 2, "give a config file or the name of an experiment"),
        (["train", "fcn_resnet50os16_voc", "head.dropuot=1"], 2, "Did you mean 'dropout'?"),
        (["train", "fcn_resnet50os16_voc", "dropout"], 2, "a.b.c=value"),
    ],
)
def test_U01_usage_and_the_nearest_option(arguments, code, words, capsys):
    screen = run_command(capsys, *arguments)
    assert screen.code == code
    assert words in screen.out + screen.err


def test_U02_pictures_that_are_not_there(infer, pictures, tmp_path):
    folder = pictures("a.png")
    (folder / "empty").mkdir()
    (tmp_path / "unreadable").mkdir()
    (tmp_path / "unreadable" / "x.jpg").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("no picture")
    for arguments, words in [
        (["--imagepath", folder / "b.png"], "b.png: there is no such file"),
        (["--imagedir", tmp_path / "nowhere"], "nowhere: there is no such file"),
        (["--imagedir", folder / "empty"], "empty: holds no picture"),
        (["--imagedir", tmp_path / "unreadable"], "x.jpg: cannot be read as a picture: it is text"),
        (["--imagepath", tmp_path / "notes.txt"], "notes.txt: cannot be read as a picture: it is text"),
        ([], "--imagedir or --imagepath: give a folder of pictures or one picture"),
    ]:
        screen = infer(*arguments, "--outputdir", tmp_path / "out")
        assert screen.code == 3, arguments
        assert words in screen.err


NAMES = ["a.jpg", "a.png", "a.b.jpg", "a.jpg.png", "c.PNG"]


def test_U03_no_result_replaces_another_and_no_name_is_cut(infer, pictures, tmp_path):
    screen = infer("--imagedir", pictures(*NAMES), "--outputdir", tmp_path / "out")
    assert screen.code == 0
    expected = {"a.jpg.png", "a.png.png", "a.b.png", "a.jpg.png.png", "c.png"}
    assert {path.name for path in (tmp_path / "out").glob("*.png")} == expected
    assert {path.name for path in (tmp_path / "out" / "labels").iterdir()} == expected


def test_U03_names_stay_distinct_where_upper_and_lower_case_are_one(tmp_path):
    names = output_names([tmp_path / name for name in ("A.jpg", "a.png", "b.png")])
    assert names == ["A.jpg", "a.png", "b"]


def test_U04_one_bad_picture_among_many_does_not_stop_the_others(infer, pictures, tmp_path):
    folder = pictures(*(f"{number:03d}.png" for number in range(100)))
    (folder / "042.png").write_bytes((folder / "042.png").read_bytes()[:-20])
    screen = infer("--imagedir", folder, "--outputdir", tmp_path / "out")
    assert screen.code == 3
    assert "99 of 100 pictures segmented into" in screen.out
    assert "042.png: is cut short or damaged" in screen.err
    assert len(list((tmp_path / "out").glob("*.png"))) == 99


def test_U05_output_folders_that_cannot_be_used(infer, pictures, tmp_path, monkeypatch):
    folder = pictures("a.png")
    (tmp_path / "file").write_text("")
    before = (folder / "a.png").read_bytes()
    for output, code, words in [
        (tmp_path / "file", 5, "a file has that name"),
        (folder, 2, "lies in the folder of the pictures"),
        (folder / "inside" / "it", 2, "lies in the folder of the pictures"),
    ]:
        screen = infer("--imagedir", folder, "--outputdir", output)
        assert screen.code == code
        assert words in screen.err
    monkeypatch.chdir(folder)
    assert infer("--imagepath", "a.png", "--outputdir", ".").code == 2  # would replace the picture itself
    assert infer("--imagepath", "a.png").code == 0  # a folder beside it, as documented
    assert (folder / "a.png").read_bytes() == before


def test_U05_an_output_folder_without_permission(infer, pictures, tmp_path):
    folder = pictures("a.png")
    with fail_at("pathlib.Path.mkdir", 1, PermissionError(13, "Permission denied")) as injection:
        screen = infer("--imagedir", folder, "--outputdir", tmp_path / "out")
    assert injection.reached
    assert screen.code == 5
    assert f"{tmp_path}/out: cannot be made a folder: Permission denied" in screen.err


@pytest.mark.parametrize("command", ["models list", "config show fcn_resnet50os16_voc"])
def test_U06_a_closed_pipe_is_no_error(command):
    script = f"set -o pipefail; {sys.executable} -m ssseg {command} | head -n 1"
    done = subprocess.run(["bash", "-c", script], check=False, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


def on_terminal(columns, *arguments):
    """Run a command on a terminal that is so wide; return its exit code and what the terminal got."""
    leader, follower = pty.openpty()
    ioctl(follower, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    command = [sys.executable, "-m", "ssseg", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=follower, stderr=follower, env={**environment, "TERM": "xterm"})
    os.close(follower)
    received = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        received += piece
    os.close(leader)
    return process.wait(timeout=100), received.decode()


def test_U06_a_narrow_terminal_is_no_error(tmp_path):
    code, text = on_terminal(8, "data", "synthetic", tmp_path / "data", "--train", 3, "--val", 1, "--test", 1)
    assert code == 0
    assert "Traceback" not in text
    assert "\x1b[" in text  # a bar that moves


def test_U06_without_a_terminal_there_is_no_litter_of_a_bar(tmp_path, root, capfd):
    screen = run_command(capfd, "data", "check", root, "--workers", "0")
    assert screen.code == 0
    for text in (screen.out, screen.err):
        assert not re.search(r"[\x1b\r\b]", text)


def test_U07_the_same_run_started_twice_names_the_first(own, capsys):
    _, config = own
    work_dir = config.parent / "run"
    work_dir.mkdir()
    with work_dir_lock(work_dir):
        screen = run_command(capsys, "train", config)
    assert screen.code == 5
    assert f"a run is on in this work_dir (pid {os.getpid()} on " in screen.err
    assert not list(work_dir.glob("*.pth"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
@pytest.mark.parametrize("command", ["train", "test", "infer"])
def test_U08_a_gpu_that_is_not_there_names_the_way_without(command, trained, capsys):
    config, work_dir = trained
    more = [] if command == "train" else ["--ckptspath", work_dir / "checkpoints-epoch-1.pth"]
    more += ["--imagepath", ROOT / "docs" / "x.png"] if command == "infer" else []
    if command == "infer":
        more[-1] = config.parent / "x.png"
        cv2.imwrite(str(more[-1]), np.zeros((9, 9, 3), np.uint8))
    screen = run_command(capsys, command, config, *more, "--device", "cuda")
    assert screen.code == 5
    assert "--device cuda: " in screen.err
    assert "Try --device cpu." in screen.err


HOSTILE = [
    "$(touch marker)", "`touch marker`", "; touch marker", "| touch marker", "&& touch marker", "& touch marker",
    "\ntouch marker\n", "'; touch marker; '", '"; touch marker; "', "${IFS}touch${IFS}marker", "> marker", ">> marker",
    "$(touch${IFS}marker)", "\\$(touch marker)", "a b\tc", "--help; touch marker", "<(touch marker)", "%s%n", "~", "*",
]  # fmt: skip


@pytest.fixture
def in_empty_folder(tmp_path, monkeypatch):
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("text", HOSTILE)
def test_U10_arguments_never_reach_a_shell(text, in_empty_folder, capsys, trained):
    config, _ = trained
    for arguments in (
        ["train", text],
        ["train", config, f"work_dir={text}", "num_classes=9"],
        ["test", config, "--ckptspath", text],
        ["infer", config, "--ckptspath", text, "--imagepath", text],
        ["config", "show", "fcn_resnet50os16_voc", f"head.dropout={text}"],
        ["data", "check", text],
        ["ckpt", "info", text],
        ["models", "info", text],
        ["data", "prepare", text],
    ):
        assert run_command(capsys, *arguments).code in (0, 2, 3, 4, 5)
    assert not (in_empty_folder / "marker").exists()


def test_U10_nor_do_those_of_the_scripts(in_empty_folder):
    """The scripts hand their arguments on as they are: a stand-in for Python prints what it gets."""
    stand_in = in_empty_folder / "stand-in"
    stand_in.write_text('#!/bin/sh\nfor argument in "$@"; do printf "%s\\036" "$argument"; done\n')
    stand_in.chmod(0o700)
    shutil.copy(stand_in, in_empty_folder / "srun")
    search = f"{in_empty_folder}:{os.environ['PATH']}"
    for script in sorted((ROOT / "scripts").glob("*.sh")):
        given = [*(["1"] if "dist" in script.name else []), *(["part", "job", "1"] if "slurm" in script.name else [])]
        environment = {**os.environ, "PYTHON": str(stand_in), "PATH": search}
        done = subprocess.run(
            ["bash", script, *given, *HOSTILE], capture_output=True, text=True, check=True, env=environment, timeout=100
        )
        passed = done.stdout.split("\036")
        assert [text for text in HOSTILE if text not in passed] == [], script.name
    assert not (in_empty_folder / "marker").exists()


def test_U10_no_source_line_calls_a_shell():
    for path in (ROOT / "ssseg").rglob("*.py"):
        assert not re.search(r"os\.(system|popen)|shell=True|getoutput\(", path.read_text()), path
    assert run([sys.executable, "-m", "ssseg", "--version"]).stdout.startswith("ssseg ")
