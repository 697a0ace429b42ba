"""Who is not root has real hosts as well, in namespaces of their own: as the program enters them by itself."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from testbed.linux.processes.caller import is_root
from testbed.runfiles.summary_reader import doubts, read
from tests.netns.launching import ROOT, Launched, launch
from tests.processes import living

pytestmark = pytest.mark.timeout(400)
QUICK = (
    *("hello", "--set", "vm.ram=32MB", "--set", "vm.workload.working_set=8MB", "--set", "vm.workload.write_rate=1MB/s"),
    *("--set", "warmup=100ms", "--set", "cooldown=100ms"),
)
LONG = (*QUICK, "--set", "network.vmotion.goodput=50Mbit")
"""Of five seconds: whoever needs longer stops it meanwhile."""


@dataclass(frozen=True, slots=True)
class User:
    """An ordinary user, by number, with a folder of theirs."""

    uid: int
    home: Path

    @property
    def become(self) -> Sequence[str]:
        """What starts a command as them. Root can become anybody, who may not be able to read this checkout; else it is
        a user namespace in which they are nobody special.
        """
        if (
            is_root()
            and subprocess.run([*self._changed(), sys.executable, "-c", "import testbed"], check=False).returncode == 0
        ):
            return self._changed()
        return ("unshare", "--user", f"--map-user={self.uid}", f"--map-group={self.uid}", "--")

    def _changed(self) -> Sequence[str]:
        return ("setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups", "--bounding-set=-all", "--")

    def launch(self, *arguments: str, page: bool = False) -> Launched:
        """``testbed run`` of theirs."""
        return launch(self.home / "out", *arguments, become=self.become, page=page)


@contextmanager
def user(uid: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[User]:
    """There is no need that the machine knows them."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    home = Path(tempfile.mkdtemp(prefix=f"home-{uid}-"))
    if is_root():
        os.chown(home, uid, uid)
    try:
        yield User(uid, home)
    finally:
        shutil.rmtree(home)
        shutil.rmtree(Path("/tmp", f"fast-motion-{uid}"), ignore_errors=True)


def uid(worker: str, number: int) -> int:
    """Of the ``number``-th user of one of pytest's workers: what users share, in /tmp, is by their number."""
    return 54320 + 10 * int(worker.removeprefix("gw").replace("master", "0")) + number


@pytest.fixture
def alice(monkeypatch: pytest.MonkeyPatch, worker_id: str) -> Iterator[User]:
    with user(uid(worker_id, 1), monkeypatch) as one:
        yield one


@pytest.fixture
def bob(monkeypatch: pytest.MonkeyPatch, worker_id: str) -> Iterator[User]:
    with user(uid(worker_id, 2), monkeypatch) as one:
        yield one


@contextmanager
def stopped(run: Launched) -> Iterator[None]:
    """So that it is under way for as long as this lasts, on a machine of any speed."""
    door, first, command = psutil.Process(run.process.pid).children(recursive=True)[:3]
    assert (door.pid, first.pid) == (first.ppid(), command.ppid())
    command.suspend()
    try:
        yield
    finally:
        command.resume()


def beside(run: Launched) -> list[str]:
    found: list[str] = run.summary["environment"]["beside"]
    return found


def test_a_run_is_made_is_theirs_and_a_second_one_is_told_who_is_first(alice: User) -> None:
    with alice.launch(*LONG, page=True) as run:
        run.wait_for("precopy")
        with (
            stopped(run),
            launch(alice.home / "second", *QUICK, become=alice.become) as second,
        ):
            assert second.end() == 4
            assert f"kill {run.process.pid}" in second.lines[-1] and "sudo" not in second.lines[-1]
        run.end(200)
        assert (run.migration["outcome"], run.migration["memory"]["match"]) == ("completed", True)
        assert beside(run) == []
        owner = run.out.parent.stat().st_uid
        assert {each.lstat().st_uid for each in [run.out, *run.out.rglob("*")]} == {owner}


def test_two_users_do_not_hold_each_other_up_and_both_are_told(alice: User, bob: User) -> None:
    with alice.launch(*LONG) as first, bob.launch(*LONG) as second:
        first.wait_for("precopy")
        with stopped(first):
            second.wait_for("precopy")
        with stopped(second):
            assert first.end(200) in {0, 1}  # beside another it may not be valid
        assert second.end(200) in {0, 1}
        for one, other, whose in ((first, second, bob), (second, first, alice)):
            assert beside(one) == [f"a run of user {whose.uid} (process {other.process.pid})"]
            assert sum("figures of both are suspect" in line for line in one.lines) == 1


def test_when_the_process_that_the_user_sees_is_killed_nothing_is_left(alice: User) -> None:
    with alice.launch(*LONG) as run:
        run.wait_for("precopy")
        outermost = psutil.Process(run.process.pid)
        family = [outermost, *outermost.children(recursive=True)]
        assert len(family) > 10
        outermost.kill()
        assert run.end() == -signal.SIGKILL
        assert living(family) == []
    again = subprocess.run(
        [*alice.become, sys.executable, "-m", "testbed", "clean"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert again.returncode == 0 and again.stderr.splitlines()[0] == "nothing was left behind"


def test_the_live_page_is_where_the_browser_is_and_a_signal_ends_the_run_in_order(alice: User) -> None:
    with alice.launch(*LONG, "--live", "0") as run:
        address = run.wait_for("live: ").split()[1]
        with urllib.request.urlopen(address, timeout=100) as answer:  # noqa: S310 - its own address
            assert b"hello" in answer.read()
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(address.partition("?")[0], timeout=100)  # noqa: S310
        run.wait_for("precopy")
        run.process.send_signal(signal.SIGTERM)
        assert run.end(200) == 130  # wherever it was by then
        assert "interrupted by SIGTERM" in run.lines[-1]
        assert doubts(read(run.out)) == []


def test_the_shell_reads_what_is_typed(alice: User) -> None:
    command = [*alice.become, sys.executable, "-m", "testbed", "shell", *QUICK, "--out", str(alice.home / "out")]
    typed = "esx1 id -u\nmigrate\nwait\nexit\n"
    done = subprocess.run(command, cwd=ROOT, input=typed, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "completed" in done.stderr and "\n0\n" in done.stdout.replace("testbed> ", "\n")


def test_python_runs_it_too_and_an_interrupt_ends_it_in_order(alice: User) -> None:
    script = """
import os, signal, sys, testbed
events = []
small = {"vm.ram": "32MB", "vm.workload.working_set": "8MB", "warmup": "100ms", "cooldown": "100ms"}
run = testbed.run("hello", set=small, out=sys.argv[1] + "/one", page=False, observer=events.append)
print(run.migrations[0].outcome, run.migrations[0].memory.match, any(hasattr(each, "phase") for each in events))

def interrupt(event):
    if getattr(event, "phase", None) == "precopy":
        os.kill(os.getpid(), signal.SIGINT)

slow = small | {"network.vmotion.goodput": "100Mbit", "vm.workload.write_rate": "1MB/s"}
try:
    testbed.run("hello", set=slow, out=sys.argv[1] + "/two", page=False, observer=interrupt)
except KeyboardInterrupt as stop:
    print(stop)
"""
    command = [*alice.become, sys.executable, "-c", script, str(alice.home)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    first, last = done.stdout.splitlines()
    assert first == "completed True True"
    assert last.startswith("interrupted by SIGINT") and str(alice.home / "two") in last
    assert doubts(read(alice.home / "two")) == []
