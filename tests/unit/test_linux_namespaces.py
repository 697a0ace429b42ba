"""In namespaces of one's own, and out again: who is there, who hears what, and what is left when one of them ends."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest

from tests.processes import living
from tests.unit.entered import CAN, ENTERS, NOBODY_SPECIAL, python

pytestmark = pytest.mark.skipif(not CAN, reason="no user namespaces here: what is tried is what is in them")


def test_inside_one_is_root_of_processes_mounts_and_a_network_of_ones_own() -> None:
    code = ENTERS + textwrap.indent(
        'print(os.geteuid(), os.getpid(), sorted(os.listdir("/sys/class/net") and os.listdir("/run")))\n', "    "
    )
    done = python(code, *NOBODY_SPECIAL)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0 2 []\n", "")


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        ("pass", 0),
        ("sys.exit(4)", 4),
        ("os.kill(os.getpid(), 9)", -signal.SIGKILL),
        ("import signal; signal.signal(15, signal.SIG_DFL); os.kill(os.getpid(), 15)", -signal.SIGTERM),
    ],
)
def test_who_stays_outside_ends_as_the_command_does(ends: str, code: int) -> None:
    assert python(ENTERS + f"    {ends}\n", *NOBODY_SPECIAL).returncode == code


def test_an_orphan_is_nobodys_burden_and_ends_with_the_command() -> None:
    orphan = """
    import subprocess
    held = subprocess.Popen(["sh", "-c", "sleep 1000 & echo $!"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    sleeping = held.stdout.readline().strip().decode()
    held.wait()
    print(open(f"/proc/{sleeping}/stat").read().split()[3])
    os.kill(int(sleeping), 9)
    while os.path.exists(f"/proc/{sleeping}"):
        pass  # until process 1 has collected it
    """
    done = python(ENTERS + orphan, *NOBODY_SPECIAL)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


STAYS = """
    import signal, time
    heard = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, lambda number, _frame: heard.append(number))
    print("in", flush=True)
    while len(heard) < 1:
        time.sleep(0.01)
    print(*heard, flush=True)
    sys.exit(3)
"""


@contextmanager
def staying() -> Iterator[tuple["subprocess.Popen[str]", list[psutil.Process]]]:
    """A command that has gone in and waits for a signal, and all its processes from the outermost on."""
    command = [*NOBODY_SPECIAL, sys.executable, "-c", textwrap.dedent(ENTERS + STAYS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as started:
        try:
            assert started.stdout is not None and started.stdout.readline() == "in\n"
            outermost = psutil.Process(started.pid)
            yield started, [outermost, *outermost.children(recursive=True)]
        finally:
            started.kill()


@pytest.mark.parametrize("whom", [0, 1, 2, 3])
def test_whichever_process_of_the_chain_is_killed_all_of_it_goes(whom: int) -> None:
    with staying() as (started, chain):
        assert len(chain) == 4
        chain[whom].kill()
        assert started.wait(20) == -signal.SIGKILL
        assert living(chain) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_to_the_outermost_is_heard_by_the_command_once(number: signal.Signals) -> None:
    with staying() as (started, _chain):
        started.send_signal(number)
        out, _ = started.communicate(timeout=20)
        assert (started.returncode, out) == (3, f"{number}\n")


def test_the_keyboard_is_heard_once_and_not_by_way_of_the_outermost_too() -> None:
    """On a terminal of its own, whose Ctrl-C goes to all processes at once."""
    with on_a_terminal(STAYS.replace("print(*heard", "time.sleep(0.3); print(*heard")) as (started, terminal):
        os.write(terminal, b"\x03")
        out, _ = started.communicate(timeout=20)
        assert (started.returncode, out) == (3, f"{int(signal.SIGINT)}\n")


def test_a_terminal_that_goes_away_is_heard_though_it_tells_the_outermost_alone() -> None:
    """As when a window is closed, or a connection breaks, in which this is the only command."""
    with on_a_terminal(STAYS) as (started, terminal):
        os.close(terminal)
        out, _ = started.communicate(timeout=20)
        assert (started.returncode, out) == (3, f"{int(signal.SIGHUP)}\n")


def test_an_alarm_that_was_set_before_ends_the_command() -> None:
    """As by ``perl -e 'alarm 60; exec @ARGV'``: the kernel sends it to who stays outside, and to nobody else."""
    code = ENTERS.replace("enter()", "signal.alarm(1); enter()").replace("import os", "import signal, time, os")
    assert python(code + "    time.sleep(20)\n", *NOBODY_SPECIAL).returncode == -signal.SIGALRM


@contextmanager
def on_a_terminal(stays: str) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """A command that has gone in, and leads the session of a terminal; that terminal's other end."""
    command = [*NOBODY_SPECIAL, sys.executable, "-c", textwrap.dedent(ENTERS + stays)]
    terminal, end = os.openpty()
    started = subprocess.Popen(
        [sys.executable, "-c", TAKES_TERMINAL, *command], stdin=end, stdout=subprocess.PIPE, text=True
    )
    os.close(end)
    try:
        assert started.stdout is not None and started.stdout.readline() == "in\n"
        yield started, terminal
    finally:
        started.kill()
        with suppress(OSError):
            os.close(terminal)


TAKES_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
