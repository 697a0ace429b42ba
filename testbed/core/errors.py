"""Every fault has an owner: the one tree of exceptions, and the exit code each of them ends a command with.

    TestbedError                    1
    ├── ScenarioError               2   the user's file or option is wrong (file, line, what was expected)
    ├── PrerequisiteMissing         3   the machine lacks something (what, and what installs it)
    ├── MachineBusy                 4   another run holds the machine
    ├── OutputFailed                1   what was asked for cannot be written: stdout is closed, or full
    ├── ReaderLeft                141   whoever read stdout has gone (``| head``): nothing is said
    ├── ProtocolError
    │   ├── LocalProtocolError      1   we were about to say something the protocol forbids: our bug
    │   └── RemoteProtocolError     1   they said something the protocol forbids
    ├── MigrationAborted            1   an outcome, not a crash: the guest runs on at the source
    │   └── PolicyFault             2   the user's own policy broke: of a run it is a migration's end, and so 1
    └── InDoubt                     1   commit was sent and never answered: only an operator may decide

    Interrupted                   130   the user said stop; beside the tree: who catches faults must not swallow it

Tracebacks are for our own bugs alone; everything in this tree is shown to the user as one line.
"""

from typing import ClassVar


class TestbedError(Exception):
    """The root. ``str(error)`` is one line that says what happened and what to do about it."""

    __test__ = False  # its name begins with "Test", but it is none
    exit_code: ClassVar[int] = 1


class ScenarioError(TestbedError):
    """A scenario, an option or a name is wrong. ``where`` is ``file:line`` or the option's own words."""

    exit_code = 2

    def __init__(self, message: str, where: str | None = None) -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.where = where


class PrerequisiteMissing(TestbedError):
    """This machine lacks ``what``; ``remedy`` is the command or step that mends it."""

    exit_code = 3

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}; {remedy}")
        self.what, self.remedy = what, remedy


class MachineBusy(TestbedError):
    """Another run holds the machine."""

    exit_code = 4


class Interrupted(BaseException):
    """Ctrl-C, SIGTERM or SIGHUP. It is raised wherever the program happens to be, as ``KeyboardInterrupt`` is, and no
    fault of anything there: whoever catches faults must let it pass.
    """

    exit_code: ClassVar[int] = 130


class OutputFailed(TestbedError):
    """stdout is closed or full, and what was asked for goes there."""


class ReaderLeft(TestbedError):
    """Whoever read stdout has gone, as ``head`` does: other programs are then ended by SIGPIPE, which is 128 + 13."""

    exit_code = 141


class ProtocolError(TestbedError):
    """The migration protocol was broken by one of its two ends."""


class LocalProtocolError(ProtocolError):
    """We were about to break the protocol."""


class RemoteProtocolError(ProtocolError):
    """The peer broke the protocol, or sent what cannot be decoded."""


class MigrationAborted(TestbedError):
    """The migration ended before commit; the guest runs on at the source."""


class PolicyFault(MigrationAborted):
    """A policy raised, answered what is no decision, or did not answer. ``str(fault)`` has file and line of its
    code.
    """

    exit_code = 2


class InDoubt(TestbedError):
    """Commit was sent and not answered: the guest may run at the destination, so the source must not resume it."""


class Overdue(BaseException):
    """A time limit is over. Like ``KeyboardInterrupt`` it is no ``Exception``: what is limited would catch it."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(f"not done within {limit_s:g} s")
        self.limit_s = limit_s


def in_words(fault: BaseException) -> str:
    """What a fault has to say: an operating system's without its number and with its file, any other's own words."""
    if isinstance(fault, OSError) and fault.strerror:
        return f"{fault.strerror}: {fault.filename}" if fault.filename else fault.strerror
    return str(fault) or type(fault).__name__
