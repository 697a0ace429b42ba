"""tests/alone, which gives a worker of pytest a machine of its own: what ends it ends all that is inside."""

import os
import select
import signal
import subprocess
from pathlib import Path

import pytest

ALONE = str(Path(__file__).parents[1] / "alone")
WHY = "tests of hosts do not run at all without namespaces of one's own"


def begun(*command: str) -> "tuple[subprocess.Popen[str], int]":
    """It, and a descriptor of a process inside, whose number is given on stdout as it is outside."""
    machine = subprocess.Popen([ALONE, *command], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert machine.stdout and machine.stdout.readline() == "here\n"
    (child,) = _children(machine.pid)
    (inside,) = _children(child)
    return machine, os.pidfd_open(inside)


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_over(pidfd: int) -> bool:
    over = bool(select.select([pidfd], [], [], 30)[0])
    os.close(pidfd)
    return over


@pytest.mark.needs_root(WHY)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_what_is_inside_ends_with_it(number: signal.Signals) -> None:
    machine, inside = begun("sh", "-c", "echo here; exec sleep 600")
    with machine:
        machine.send_signal(number)
        code = machine.wait(30)
    assert is_over(inside)
    assert code == (-number if number == signal.SIGKILL else 128 + number)


@pytest.mark.needs_root(WHY)
def test_its_streams_and_exit_code_are_those_of_the_command() -> None:
    command = [ALONE, "sh", "-c", 'cat; echo "$$ $TESTBED_ALONE"; ls /run; exit 7']
    done = subprocess.run(command, input="read\n", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (7, "read\n1 1\n", "")


@pytest.mark.needs_root(WHY)
def test_signals_mean_inside_what_they_mean_elsewhere() -> None:
    """None is blocked or passed over, as they would be in what is started in the background."""
    asked = ["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"]
    inside, here = (
        subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for command in ([ALONE, *asked], asked)
    )
    assert inside == here
