"""Arguments that several commands take, under the names that users know."""

import argparse
from pathlib import Path
from typing import Any

OVERRIDES_HELP = "overrides: a.b.c=value sets, ~a.b deletes, a.0.b indexes a list"


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add CONFIG, `--cfgfilepath` for those who type that, and trailing overrides."""
    parser.add_argument("config", nargs="?", default="", help="a config file, or the name of an experiment")
    parser.add_argument("overrides", nargs="*", default=[], metavar="a.b.c=value", help=OVERRIDES_HELP)
    parser.add_argument("--cfgfilepath", default="", help="the same as CONFIG")


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add `--device`."""
    parser.add_argument("--device", default="auto", help="auto (a GPU where there is one), cpu, cuda or cuda:N")


def add_launch(parser: argparse.ArgumentParser) -> None:
    """Add what launchers pass."""
    parser.add_argument("--slurm", action="store_true", help="take the process's place from Slurm's variables")
    parser.add_argument("--nproc_per_node", type=int, default=8, help="processes a machine; read from the launcher")
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0, help="read from the launcher")


def config_of(options: argparse.Namespace) -> Any:
    """Load the config that the arguments name, overrides applied.

    Raises:
        ConfigError: none is named, or it cannot be loaded.
    """
    from ..modules.utils.configparser import load_config
    from ..modules.utils.errors import ConfigError

    path, overrides = options.config, list(options.overrides)
    if options.cfgfilepath:
        overrides = [path, *overrides] if path else overrides
        path = options.cfgfilepath
    if not path:
        raise ConfigError("CONFIG: give a config file or the name of an experiment; `ssseg models list` shows them")
    cfg = load_config(path, overrides)
    keys = {override.partition("=")[0] for override in overrides}
    if "work_dir" in keys and not any(key.startswith("logger_handle_cfg") for key in keys):
        log = Path(cfg["logger_handle_cfg"].get("logfilepath") or "run.log").name
        cfg["logger_handle_cfg"]["logfilepath"] = str(Path(cfg["work_dir"], log))  # the log moves with its run
    return cfg


def set_up_launch(options: argparse.Namespace) -> None:
    """Read the process's place from Slurm where `--slurm` asks for it."""
    if options.slurm:
        from ..modules.utils.distributed import initslurm

        initslurm(options)
