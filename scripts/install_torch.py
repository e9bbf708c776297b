"""Install the pinned torch: the CPU build where there is no NVIDIA GPU, and say which and why.

The plain wheel for Linux brings gigabytes of CUDA libraries. TORCH_INDEX names where to take the CPU build from;
TORCH_INDEX=default takes what pip would take by itself.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]


def pinned() -> str:
    lines = Path("constraints.txt").read_text().splitlines()
    return next(line for line in lines if line.startswith("torch=="))


def brings_cuda(requirement: str) -> bool:
    """Whether pip by itself would take a wheel that needs CUDA packages."""
    command = [*PIP, "install", "--quiet", "--dry-run", "--no-deps", "--ignore-installed", "--report", "-", requirement]
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    needs = report["install"][0]["metadata"].get("requires_dist", [])
    return any(need.startswith(("nvidia-", "cuda-")) for need in needs)


def main() -> None:
    requirement, index = pinned(), os.environ.get("TORCH_INDEX", "")
    source = []
    if shutil.which("nvidia-smi"):
        print(f"{requirement}: this machine has an NVIDIA GPU, taking pip's default build")
    elif index == "default" or (not index and not brings_cuda(requirement)):
        print(f"{requirement}: taking pip's default build")
    else:
        index = index or CPU_INDEX
        print(f"{requirement}: no NVIDIA GPU here, taking the CPU build from {index} (set TORCH_INDEX to change that)")
        source = ["--index-url", index]
    subprocess.run([*PIP, "install", "--quiet", *source, requirement], check=True)


if __name__ == "__main__":
    main()
