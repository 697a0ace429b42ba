"""``shell`` as somebody uses it who sits in front of it, and as a script does: hosts, orders, migrations, an end."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from testbed.runfiles.summary_reader import doubts, read
from tests.netns.launching import AT_ONCE, ROOT
from tests.netns.undisturbed import undisturbed

SMALL = (
    "hello",
    "--set",
    "vm.ram=64MB",
    "--set",
    "vm.workload.working_set=16MB",
    "--set",
    "vm.workload.write_rate=4MB/s",
    *AT_ONCE,
)
SLOW = ("hello", "--set", "network.vmotion.goodput=100Mbit", *AT_ONCE)


def command(out: Path, arguments: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "testbed", "shell", *arguments, "--out", str(out)]


def script(out: Path, *lines: str, settings: tuple[str, ...] = SMALL) -> "subprocess.CompletedProcess[str]":
    text = "".join(f"{line}\n" for line in lines)
    return subprocess.run(
        command(out, settings), input=text, capture_output=True, text=True, cwd=ROOT, timeout=100, check=False
    )


def test_a_script_migrates_twice_and_every_figure_is_kept(tmp_path: Path) -> None:
    def made(number: int) -> dict[str, Any]:
        out = tmp_path / str(number)
        done = script(out, "status", "esx1 ping -c1 client", "migrate", "wait", "again vm.ram=32MB", "migrate", "wait")
        assert done.returncode == 0, done.stderr
        assert "the guest is at work at esx1" in done.stdout and " 0% packet loss" in done.stdout
        assert doubts(read(out)) == [] and (out / "report.html").exists()
        summary: dict[str, Any] = json.loads((out / "summary.json").read_text())
        return summary

    summary = undisturbed(made)
    assert [(each["outcome"], each["vm"]["ram_bytes"]) for each in summary["migrations"]] == [
        ("completed", 64_000_000 // 4096 * 4096),
        ("completed", 32_000_000 // 4096 * 4096),
    ]
    first, second = summary["migrations"]
    assert second["name"] == f"{first['name']} vm.ram=32MB" and second["settings"]["vm.ram"] == "32MB"
    assert (first["repeat"], second["repeat"]) == (1, 1)
    assert summary["valid"], (first["invalid_reasons"], second["invalid_reasons"])


def test_nobody_answers_pings_for_a_guest_that_stands_still(tmp_path: Path) -> None:
    """Its kernel could: it works on."""
    wanted = ("network.vmotion.goodput=200Mbit", "vm.ram=32MB", "vm.workload.working_set=12MB",
              "vm.workload.write_rate=8MB/s", "migration.policy.downtime_goal=5s")  # fmt: skip
    settings = ("hello", *(word for each in wanted for word in ("--set", each)))
    lines = ("migrate", "client ping -n -D -i 0.01 -w 4 10.0.2.100", "wait")
    done = script(tmp_path / "run", *lines, settings=settings)
    assert done.returncode == 0, done.stderr
    (only,) = json.loads((tmp_path / "run" / "summary.json").read_text())["migrations"]
    answered = [float(at) for at in re.findall(r"^\[([0-9.]+)\] 64 bytes", done.stdout, re.MULTILINE)]
    longest = max(late - early for early, late in pairwise(answered))
    assert only["outcome"] == "completed" and longest > 0.8 * only["downtime_s"], (longest, only["downtime_s"])


def test_what_cannot_be_done_is_said_and_the_prompt_goes_on(tmp_path: Path) -> None:
    lines = [
        "wait",
        "throttle",
        "throttle 0.5",
        "rate fast",
        "rate 1kbit",
        "again vm.rma=1",
        "cancel",
        "cut",
        "migrate",
    ]
    done = script(tmp_path / "run", *lines, "migrate", "wait", "migrate")
    assert done.returncode == 0
    for words in (
        "no migration has begun; 'migrate' begins one",
        "a throttle is a number such as 0.5, not ''",
        "'throttle 50%' was not done: no migration is under way",
        "not 'fast'",
        "10 Mbit/s or more",
        "did you mean 'ram'",
        "'cancel' was not done: no migration is under way",
        "a migration is under way",
        "the migration is over; 'again' makes another guest",
    ):
        assert words in done.stderr, (words, done.stderr)
    (only,) = json.loads((tmp_path / "run" / "summary.json").read_text())["migrations"]
    assert only["outcome"] == "aborted" and only["runs_at"] == "esx1", "the link was cut before it began"
    assert [(each["what"], each["at_s"] < 0) for each in only["controls"]] == [("cut", True)]


def test_the_end_of_a_script_cancels_what_is_under_way(tmp_path: Path) -> None:
    text = "migrate\n"
    done = subprocess.run(
        command(tmp_path / "run", SLOW),
        input=text,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (only,) = json.loads((tmp_path / "run" / "summary.json").read_text())["migrations"]
    assert only["outcome"] == "cancelled"


def test_hosts_that_could_not_be_made_are_said_to_be_gone(tmp_path: Path) -> None:
    done = script(tmp_path / "run", "again network.vmotion.rate=90Tbit network.vmotion.goodput=null", "esx1 true",
                  "status", "migrate", "again", "migrate", "wait", "status")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "the hosts of 'esx1' are gone; 'again' makes new ones" in done.stderr
    assert "there are no hosts; 'again' makes new ones" in done.stdout
    assert "completed: the guest runs at the destination" in done.stdout
    (only,) = json.loads((tmp_path / "run" / "summary.json").read_text())["migrations"]
    assert only["outcome"] == "completed"


class Terminal:
    """The shell on a terminal of its own."""

    def __init__(self, process: "subprocess.Popen[bytes]", fd: int) -> None:
        self.process, self._fd, self._seen = process, fd, b""

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def wait_for(self, words: str) -> None:
        """In what it has not been asked for yet. The test's own time is the limit."""
        while words.encode() not in self._seen:
            try:
                self._seen += os.read(self._fd, 4096)
            except OSError as end:
                raise AssertionError(f"it ended without {words!r}: {self._seen.decode()}") from end
        self._seen = self._seen.partition(words.encode())[2]

    def rest(self) -> str:
        """What else one that has ended has said."""
        with suppress(OSError):
            while more := os.read(self._fd, 4096):
                self._seen += more
        return self._seen.decode()


@contextmanager
def terminal(out: Path, *arguments: str) -> Iterator[Terminal]:
    parent, child = pty.openpty()
    process = subprocess.Popen(
        command(out, arguments), stdin=child, stdout=child, stderr=child, cwd=ROOT, start_new_session=True
    )
    os.close(child)
    try:
        yield Terminal(process, parent)
    finally:
        process.kill()
        process.wait()
        os.close(parent)


def test_ctrl_c_comes_back_to_the_prompt_and_the_migration_goes_on(tmp_path: Path) -> None:
    with terminal(tmp_path / "run", *SLOW) as shell:
        shell.wait_for("testbed> ")
        shell.type("migrate\nwait\n")
        shell.wait_for("precopy")
        os.kill(shell.process.pid, signal.SIGINT)
        shell.wait_for("testbed> ")
        shell.type("status\n")
        shell.wait_for("a migration is under way")
        shell.type("cancel\nwait\n")
        shell.wait_for("cancelled by hand")
        shell.type("exit\n")
        shell.wait_for("results: ")
        assert shell.process.wait(30) == 0


@pytest.mark.parametrize("typed", ["", "migrate\n", "migrate\nwait\n"])
def test_terminated_it_leaves_nothing_but_its_files(tmp_path: Path, typed: str) -> None:
    with terminal(tmp_path / "run", *SLOW) as shell:
        shell.wait_for("testbed> ")
        shell.type(typed)
        if typed:
            shell.wait_for("precopy")
        shell.process.terminate()
        shell.process.terminate()
        shell.wait_for("interrupted by SIGTERM")
        assert shell.process.wait(30) == 130, shell.rest()
    kept = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert len(kept["migrations"]) == bool(typed)


def test_only_one_has_the_machine(tmp_path: Path) -> None:
    with terminal(tmp_path / "run", *SMALL) as shell:
        shell.wait_for("testbed> ")
        other = script(tmp_path / "other")
        assert other.returncode == 4 and "shell of hello" in other.stderr
        shell.type("exit\n")
        assert shell.process.wait(30) == 0
