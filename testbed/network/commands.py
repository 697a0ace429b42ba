"""A command run in a host's network namespace, with what went wrong in one line."""

import subprocess
from collections.abc import Sequence

from testbed.core.errors import PrerequisiteMissing, TestbedError
from testbed.core.text.printable import printable
from testbed.linux.files.installed import installing

_TIMEOUT_S = 10.0
_BATCH = "Command failed"
"""What ``ip -batch`` says last, with the number of its line, after the reason."""


class CommandFailed(TestbedError):
    """A command of the system ended with an error. ``stderr`` is all that it said."""

    def __init__(self, argv: Sequence[str], stderr: str) -> None:
        said = [line for line in stderr.strip().splitlines() if not line.startswith(_BATCH)]
        last = (said or [stderr.strip() or "it said nothing"])[-1]
        super().__init__(f"'{' '.join(argv)}' failed: {printable(last)}")
        self.stderr = stderr


def run_in(pid: int, argv: Sequence[str], *, text: str = "") -> str:
    """What ``argv`` printed, run in the network namespace of process ``pid`` with ``text`` as its input.

    Raises ``CommandFailed``, or ``PrerequisiteMissing`` when the command is not there.
    """
    return run(["nsenter", f"--net=/proc/{pid}/ns/net", "--", *argv], text=text)


def run(argv: Sequence[str], *, text: str = "") -> str:
    """What ``argv`` printed. Raises as ``run_in`` does."""
    try:
        done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except OSError as error:
        raise PrerequisiteMissing(
            f"the command '{argv[0]}' cannot be run ({error.strerror})", installing(argv[0])
        ) from error
    except subprocess.TimeoutExpired as error:
        raise CommandFailed(argv, f"no end after {_TIMEOUT_S:g} s") from error
    if done.returncode:
        raise CommandFailed(argv, done.stderr)
    return done.stdout
