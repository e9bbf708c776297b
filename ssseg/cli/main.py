"""`ssseg COMMAND ...`: what users type. Each command has a file of its own in this folder."""

import argparse
import difflib
import errno
import gc
import os
import re
import signal
import sys
import traceback
from typing import NoReturn

from .. import __version__
from ..engine.failure import tell
from ..modules.utils.errors import ResourceError, SSSegError
from ..modules.utils.filekinds import shown
from . import bench, ckpt, config, data, demo, doctor, infer, models, plan, test, train
from .otherwords import in_our_words

# a path is too long, goes in circles, or lies in a folder that may not be entered: nothing before could say it better
_OF_A_PATH = (errno.ENAMETOOLONG, errno.ELOOP, errno.EACCES, errno.EPERM)
OVERRIDE = re.compile(r"[~+]?[A-Za-z_][\w.-]*(=|$)")
COMMANDS = {
    "train": train,
    "test": test,
    "infer": infer,
    "config": config,
    "data": data,
    "ckpt": ckpt,
    "models": models,
    "plan": plan,
    "bench": bench,
    "doctor": doctor,
    "demo": demo,
}


class Parser(argparse.ArgumentParser):
    """Names the closest option or command when one is not known."""

    def error(self, message: str) -> NoReturn:
        known = [option for action in self._actions for option in action.option_strings]
        known += [name for action in self._actions if isinstance(action.choices, dict) for name in action.choices]
        given = re.findall(r"invalid choice: '([^']*)'|unrecognized arguments: (\S+)", message)
        words = [word for pair in given for word in pair if word]
        ours = [name for word in words if (name := in_our_words(word)) is not None]
        close = [match for word in words for match in difflib.get_close_matches(word, known, n=1)]
        hint = f". Here it is {ours[0]}" if ours else f". Did you mean {close[0]}?" if close else ""
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: {message}{hint}\n")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Return the command's options; overrides may stand anywhere among them."""
    parser = Parser(prog="ssseg", description="Semantic segmentation on PyTorch.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"ssseg {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    for module in COMMANDS.values():
        module.add_parser(commands)
    options, rest = parser.parse_known_args(arguments)
    if rest:  # argparse takes positionals in one run only; overrides may stand behind an option
        if not hasattr(options, "overrides") or not all(OVERRIDE.match(word) for word in rest):
            commands.choices[options.command].error(f"unrecognized arguments: {' '.join(rest)}")
        options.overrides += rest
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code: see `modules/utils/errors.py`. Only bugs end in a traceback."""
    code = _run(parse(arguments))
    if code:
        gc.collect()  # a traceback holds data workers in cycles; torch would tell of their end last, after the error
    return code


def _run(options: argparse.Namespace) -> int:
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it asks the network for a newer version when imported
    try:
        code = COMMANDS[options.command].run(options)
        sys.stdout.flush()
        return code
    except SSSegError as error:
        tell(error, error.exit_code)
        return error.exit_code
    except KeyboardInterrupt:
        tell("interrupted", 128 + signal.SIGINT)
        return 128 + signal.SIGINT
    except BrokenPipeError:  # `ssseg ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        code, text = SSSegError.exit_code, traceback.format_exc()
        if isinstance(error, OSError) and error.filename is not None and error.errno in _OF_A_PATH:
            code, text = ResourceError.exit_code, f"{shown(error.filename)}: {error.strerror}"
        tell(text, code)
        return code


if __name__ == "__main__":
    sys.exit(main())
