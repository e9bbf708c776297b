"""Processes forked from the one that runs the tests, where torch is imported already: each costs milliseconds."""

import os
import signal
import socket
import sys
import tempfile
import time
import traceback
import warnings

from ssseg.modules.utils.errors import SSSegError


class Child:
    """A process that calls `function` and ends as the command line would; what it prints is kept.

    An integer that `function` returns is the exit code.
    """

    def __init__(self, function, **variables):
        with tempfile.TemporaryFile() as stream:
            self.printed = os.dup(stream.fileno())
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # newer Pythons warn of forks where there are threads
            self.pid = os.fork()
        if self.pid == 0:
            self._run(function, variables)
        os.setpgid(self.pid, self.pid)  # a group of its own, before anything is sent to it

    def _run(self, function, variables):
        code = 1
        try:
            os.dup2(self.printed, 1)
            os.dup2(self.printed, 2)
            sys.stdout = sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
            warnings.simplefilter("default")
            os.environ.update(variables)
            result = function()
            code = result if isinstance(result, int) else 0
        except SSSegError as error:
            sys.stderr.write(f"{error}\n")
            code = error.exit_code
        except KeyboardInterrupt:
            code = 130
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)

    def wait(self, seconds=60):
        """Return the exit code, negative for a signal; a child that takes longer is killed and fails the test."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        self.kill()
        raise AssertionError(f"did not end within {seconds} s:\n{self.output}")

    def send(self, number):
        os.kill(self.pid, number)

    def kill(self):
        """End it and its data workers at once."""
        os.killpg(self.pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    @property
    def output(self):
        size = os.fstat(self.printed).st_size
        return os.pread(self.printed, size, 0).decode()  # without moving where the child writes

    def __del__(self):
        os.close(self.printed)


def free_port():
    with socket.socket() as stream:
        stream.bind(("127.0.0.1", 0))
        return stream.getsockname()[1]


def group(functions):
    """Start a process for each function, as a launcher would start the processes of a run."""
    common = {"WORLD_SIZE": str(len(functions)), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    return [Child(function, RANK=str(rank), LOCAL_RANK=str(rank), **common) for rank, function in enumerate(functions)]


def require_codes(children, codes, seconds=60):
    """Wait for all and compare their exit codes."""
    ended = [child.wait(seconds) for child in children]
    printed = "\n".join(f"--- process {number}:\n{child.output}" for number, child in enumerate(children))
    assert ended == codes, f"{ended} is not {codes}\n{printed}"
