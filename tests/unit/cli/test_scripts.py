"""What `scripts/*.sh` run, seen by programs that print their arguments in place of Python and srun."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[3] / "scripts"
LAUNCH = "-m ssseg.cli.launch --nproc_per_node 4 --nnodes {nodes} --node_rank {rank} --master_addr {address} "
LAUNCH += "--master_port {port} {command} --cfgfilepath a.py{rest}\n"
ALONE = {"nodes": 1, "rank": 0, "address": "127.0.0.1", "port": 8888}
SRUN = "--partition part --job-name name --gres gpu:{pernode} --ntasks {tasks} --ntasks-per-node {pernode} "
SRUN += "--cpus-per-task {cpus} --kill-on-bad-exit=1 {more}{python} -u -m ssseg.{command} --slurm "
SRUN += "--nproc_per_node {pernode} --cfgfilepath a.py{rest}\n"


@pytest.fixture
def script(tmp_path):
    """Run a script and return what it would have run; the programs' folder is in the environment."""
    for name in ("python", "srun"):
        (tmp_path / name).write_text('#!/usr/bin/env bash\necho "$@"\n')
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"

    def run(name, *arguments, **environment):
        env = {"PATH": path, "PYTHON": str(tmp_path / "python"), **environment}
        return subprocess.run(
            ["bash", str(SCRIPTS / f"{name}.sh"), *arguments], env=env, capture_output=True, text=True, check=False
        )

    return run


MANY = {"NNODES": "2", "NODERANK": "1", "MASTERADDR": "there", "PORT": "9"}
AZURE = {"NODE_COUNT": "2", "RANK": "1", "MASTER_ADDR": "there", "MASTER_PORT": "9"}
THERE = {"nodes": 2, "rank": 1, "address": "there", "port": 9}


@pytest.mark.parametrize(
    ("name", "environment", "place"),
    [
        ("dist", {}, ALONE),
        ("dist", MANY, THERE),
        ("aml", {}, ALONE),
        ("aml", AZURE, THERE),
        ("aml", {"NODE_COUNT": "2", "RANK": "1"}, {**THERE, "address": "node-0", "port": 8888}),
    ],
)
def test_machines_are_read_from_the_environment(script, name, environment, place):
    train = script(f"{name}_train", "4", "a.py", "lr=1", "--x", **environment)
    assert train.stdout == LAUNCH.format(**place, command="train", rest=" lr=1 --x")
    test = script(f"{name}_test", "4", "a.py", "b.pth", "--ema", **environment)
    assert test.stdout == LAUNCH.format(**place, command="test", rest=" --ckptspath b.pth --ema")


@pytest.mark.parametrize(
    ("gpus", "environment", "numbers"),
    [
        ("16", {}, {"pernode": 8, "cpus": 10}),
        ("2", {"CPUSPERTASK": "3"}, {"pernode": 2, "cpus": 3}),
        ("8", {"GPUSPERNODE": "4", "SRUNARGS": "--qos q"}, {"pernode": 4, "cpus": 10}),
    ],
)
def test_slurm_gets_what_was_asked_for(script, tmp_path, gpus, environment, numbers):
    given = {**numbers, "tasks": gpus, "python": tmp_path / "python"}
    extra = f"{environment['SRUNARGS']} " if "SRUNARGS" in environment else ""
    train = script("slurm_train", "part", "name", gpus, "a.py", "lr=1", **environment)
    assert train.stdout == SRUN.format(**given, more=f"--signal=USR1@60 {extra}", command="train", rest=" lr=1")
    test = script("slurm_test", "part", "name", gpus, "a.py", "b.pth", **environment)
    assert test.stdout == SRUN.format(**given, more=extra, command="test", rest=" --ckptspath b.pth")


def test_pictures_are_segmented(script):
    done = script("inference", "a.py", "b.pth", "--imagedir", "dogs")
    assert done.stdout == "-m ssseg.inference --cfgfilepath a.py --ckptspath b.pth --imagedir dogs\n"


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("dist_train", 0),
        ("dist_train", 1),
        ("dist_test", 2),
        ("aml_train", 1),
        ("aml_test", 2),
        ("slurm_train", 3),
        ("slurm_test", 4),
        ("inference", 1),
    ],
)
def test_missing_arguments_are_named(script, name, given):
    done = script(name, *["x"] * given)
    assert done.returncode == 2
    assert f"bash scripts/{name.replace('aml', 'dist')}.sh " in done.stderr
    assert done.stdout == ""
