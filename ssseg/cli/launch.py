"""What `scripts/dist_*.sh` run: `python -m ssseg.cli.launch --nproc_per_node N train|test ARGUMENTS`."""

import argparse
import sys
from collections.abc import Sequence

from ..engine.launch import Place, launch
from ..modules.utils.errors import SSSegError


def main(arguments: Sequence[str] | None = None) -> int:
    """Start the processes of a command and return the exit code of the first failure."""
    parser = argparse.ArgumentParser(prog="ssseg.cli.launch", description=__doc__, allow_abbrev=False)
    parser.add_argument("--nproc_per_node", type=int, required=True, help="processes on this machine")
    parser.add_argument("--nnodes", type=int, default=1, help="machines")
    parser.add_argument("--node_rank", type=int, default=0, help="which of them this is, from 0")
    parser.add_argument("--master_addr", default="127.0.0.1", help="the first machine's address")
    parser.add_argument("--master_port", type=int, default=8888, help="a port that is free there")
    parser.add_argument("command", choices=["train", "test"])
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="ARGUMENTS")
    options = parser.parse_args(arguments)
    for name, least in (("nproc_per_node", 1), ("nnodes", 1), ("node_rank", 0)):
        if getattr(options, name) < least:
            parser.error(f"--{name}: must be {least} or more")
    place = Place(options.nproc_per_node, options.nnodes, options.node_rank, options.master_addr, options.master_port)
    command = [sys.executable, "-m", "ssseg", options.command, "--nproc_per_node", str(place.processes), *options.rest]
    try:
        return launch(command, place)
    except SSSegError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
