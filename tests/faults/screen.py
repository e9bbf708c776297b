"""Commands run in this process: their exit code and what they print."""

from typing import NamedTuple

import pytest

from ssseg.cli.main import main


class Screen(NamedTuple):
    code: int
    out: str
    err: str


def run_command(capsys: pytest.CaptureFixture[str], *arguments: object) -> Screen:
    """Run `ssseg` with these arguments. An exception of any kind is what would end in a traceback: the test fails."""
    capsys.readouterr()
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as left:  # argparse leaves by itself
        code = left.code if isinstance(left.code, int) else 1
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return Screen(code, captured.out, captured.err)
