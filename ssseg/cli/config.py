"""`ssseg config show | check | explain | diff`: what a config says, whether it fits, where a value comes from."""

import argparse
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .arguments import OVERRIDES_HELP

if TYPE_CHECKING:
    from ..configs._base_ import SegmentorConfig

_CONFIG_HELP = "a config file, or the name of an experiment"


def add_parser(commands: Any) -> None:
    """Register the command and its subcommands."""
    parser = commands.add_parser("config", help="show, check, explain or compare configs", description=__doc__)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, (_, text) in _ACTIONS.items():
        action = actions.add_parser(name, help=text, description=text)
        if name == "diff":
            action.add_argument("first", help=_CONFIG_HELP)
            action.add_argument("second", help=_CONFIG_HELP)
            continue
        action.add_argument("config", help=_CONFIG_HELP)
        if name == "explain":
            action.add_argument("key", help="an entry, such as head.dropout")
        action.add_argument("overrides", nargs="*", default=[], metavar="a.b.c=value", help=OVERRIDES_HELP)
        if name == "check":
            action.add_argument("--strict", action="store_true", help="let warnings count as errors")
            action.add_argument("--json", action="store_true", help="print a list of {place, message, severity}")


def run(options: argparse.Namespace) -> int:
    """Run the subcommand and return its exit code."""
    action, _ = _ACTIONS[options.action]
    return action(options)


def show(options: argparse.Namespace) -> int:
    """Print the resolved config as Python."""
    from ..modules.utils.configparser import resolved_source

    sys.stdout.write(resolved_source(_load(options)))
    return 0


def check(options: argparse.Namespace) -> int:
    """Print every problem; 2 where one is an error."""
    from ..engine.configcheck import check_config

    problems = check_config(_load(options), build=True)
    errors = sum(problem.severity == "error" for problem in problems)
    if options.json:
        print(json.dumps([asdict(problem) for problem in problems], indent=1))
    else:
        for problem in problems:
            print(f"{problem.severity}: {problem.place}: {problem.message}")
        print(f"{options.config}: {errors} errors, {len(problems) - errors} warnings")
    return 2 if errors or (problems and options.strict) else 0


def explain(options: argparse.Namespace) -> int:
    """Print an entry's value, its type and what set it."""
    from ..modules.utils.configdiff import MISSING, find_origin
    from ..modules.utils.configparser import find_config, load_config
    from ..modules.utils.configsource import on_one_line, plain

    origin = find_origin(options.key, _load(options), load_config(options.config))

    def shown(value: Any) -> str:
        return "nothing" if value is MISSING else on_one_line(plain(value, origin.place))

    print(f"{origin.place} = {shown(origin.value)}")
    print(f"type: {type(origin.value).__name__}")
    path = find_config(options.config)
    layers = {
        "override": "an override",
        "experiment": f"the file {path}",
        "base config": f"the base config {origin.base_name}",
    }
    print(f"set by: {layers[origin.layer]}")
    if origin.layer == "override":
        print(f"the file has: {shown(origin.loaded_value)}")
    if origin.layer != "base config" and origin.base_name:
        print(f"{origin.base_name} has: {shown(origin.base_value)}")
    return 0


def diff(options: argparse.Namespace) -> int:
    """Print what differs, first config with `-`, second with `+`."""
    from ..modules.utils.configdiff import MISSING, config_differences
    from ..modules.utils.configparser import load_config
    from ..modules.utils.configsource import on_one_line

    for entry in config_differences(load_config(options.first), load_config(options.second)):
        for sign, value in (("-", entry.before), ("+", entry.after)):
            if value is not MISSING:
                print(f"{sign} {entry.path} = {on_one_line(value)}")
    return 0


def _load(options: argparse.Namespace) -> "SegmentorConfig":
    from ..modules.utils.configparser import load_config

    return load_config(options.config, options.overrides)


_ACTIONS = {
    "show": (show, "Print the config with every value written out, as Python."),
    "check": (
        check,
        "Print every problem of a config: unknown names and fields, values that do not fit or are not set.",
    ),
    "explain": (
        explain,
        "Print an entry's value, its type, and whether a base config, the file or an override set it.",
    ),
    "diff": (diff, "Print the entries in which two configs differ."),
}
