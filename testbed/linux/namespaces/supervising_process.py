"""What is seen outside of a command that has gone into namespaces: it hands on signals, and ends as the command ends.

Called with ``SOCKET PIDFD DOOR``: where process 1 says how it ended, the command itself, and the child that ends with
it (``entering``).

What the keyboard sends reaches the command by itself, since it is of the same process group. A terminal that goes away
tells only who leads its session, which may be this process, as of ``ssh -t`` or of a window of its own.
"""

import os
import resource
import signal
import socket
import sys
from contextlib import suppress

FORWARDED = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGALRM,
)
"""What whoever sends it to the command outside means for the one inside."""
HEARD = (*FORWARDED, signal.SIGCHLD)
KEYS = (signal.SIGINT, signal.SIGQUIT)
"""What the keyboard can send of these."""
MOST_STATUS = 16
"""Bytes of a number."""


def main() -> int:
    """The command's exit code; ended by the signal that has ended it, and by SIGKILL where nobody knows."""
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
    talk, command, door = (int(word) for word in sys.argv[1:4])
    while not _ended(door):
        came = signal.sigwaitinfo(HEARD)
        by_key = came.si_signo in KEYS and came.si_code > 0  # of the terminal, and not of a process
        if came.si_signo != signal.SIGCHLD and not by_key:
            _hand_on(command, came.si_signo)
    _hand_on(command, signal.SIGKILL)
    with socket.socket(fileno=talk) as said:
        word = said.recv(MOST_STATUS)
    status = int(word) if word else int(signal.SIGKILL)
    if os.WIFSIGNALED(status):
        _die(os.WTERMSIG(status))
    return os.waitstatus_to_exitcode(status)


def _ended(child: int) -> bool:
    try:
        return os.waitpid(child, os.WNOHANG)[0] == child
    except ChildProcessError:
        return True


def _hand_on(process: int, number: int) -> None:
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(process, number)


def _die(number: int) -> None:
    """As the command did, and without a second core of it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
    os.kill(os.getpid(), number)


if __name__ == "__main__":
    sys.exit(main())
