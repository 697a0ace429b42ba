"""A scenario run by a process of its own, for who cannot enter namespaces where they are: a notebook has threads.

    here ──RunWanted──> run_process: enters, runs ──events, lines──> here ──RunDone or RunFailed

An interrupt here is one there, and is waited for: its files are written before it ends.
"""

import signal
import subprocess
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import NoReturn

from testbed.core.errors import Interrupted, TestbedError
from testbed.core.events import Observer
from testbed.experiment.messages import RunDone, RunFailed, RunLine, RunWanted
from testbed.linux.processes.module import module


def run_apart(wanted: RunWanted, observer: Observer, say: Callable[[str], None]) -> None:
    """As ``run_scenario``, as root of namespaces of its own. Raises what it does, and ``PrerequisiteMissing`` where
    there are none for this user.
    """
    ours, theirs = Pipe()
    number = theirs.fileno()
    with ours:
        command = module("testbed.experiment.run_process", str(number))
        # A session of its own: Ctrl-C reaches it once, through us.
        child = subprocess.Popen(command, pass_fds=[number], stdin=subprocess.DEVNULL, start_new_session=True)
        theirs.close()
        try:
            ours.send(wanted)
            _follow(ours, child, observer, say)
        except BaseException as end:
            if not isinstance(end, TestbedError | Interrupted):  # the observer's: nobody listens any more
                ours.close()
                child.terminate()
            raise
        finally:
            child.wait()


def _follow(ours: Connection, child: "subprocess.Popen[bytes]", observer: Observer, say: Callable[[str], None]) -> None:
    """Hands on what is heard, to the end."""
    while True:
        try:
            heard = ours.recv()
            if isinstance(heard, RunLine):
                say(heard.words)
            elif not isinstance(heard, RunDone | RunFailed):
                observer(heard)
        except (KeyboardInterrupt, Interrupted):
            child.send_signal(signal.SIGINT)
            _last(ours)
        except EOFError:
            raise TestbedError(f"the process of the run ended with code {child.wait()} and said nothing") from None
        if isinstance(heard, RunFailed):
            raise heard.again()
        if isinstance(heard, RunDone):
            return


def _last(ours: Connection) -> NoReturn:
    """What an interrupted run ends with; what it says meanwhile is not handed on."""
    try:
        while not isinstance(heard := ours.recv(), RunFailed | RunDone):
            pass
    except EOFError:
        raise KeyboardInterrupt from None
    raise heard.again() if isinstance(heard, RunFailed) else KeyboardInterrupt
