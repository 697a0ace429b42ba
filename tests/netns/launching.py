"""A run started as a user starts it, watched by the lines it prints, and disturbed at the moment a test names.

A page takes seconds of a processor, and hundreds of runs are made: it is drawn where a test says ``page=True``, and for
who looks at a live page, which has the report in the end.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from testbed.runfiles.summary_reader import doubts, read
from tests.slowness import emulated, patience

ROOT = Path(__file__).parents[2]
AT_ONCE = ("--set", "warmup=200ms", "--set", "cooldown=200ms")
"""Of runs of ``hello``: what its guest does before and after is looked at by those alone that set it otherwise."""
SMALLER = (
    "--set", "network.vmotion.goodput=50Mbit", "--set", "vm.ram=64MB", "--set", "vm.workload.working_set=8MB",
    "--set", "vm.workload.write_rate=500kB/s", "--set", "migration.policy.downtime_goal=500ms",
)  # fmt: skip
"""Of runs of ``hello`` where each instruction is emulated, if a test does not set it otherwise."""
WATCHED = ("--set", "warmup=3min")
"""Of those there that have a live page: the guest is not over before a browser is up."""


@dataclass(slots=True)
class Launched:
    """A run under way. ``lines`` are what it has said on stderr so far."""

    process: "subprocess.Popen[str]"
    out: Path
    lines: list[str] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, words: str, timeout_s: float = 60, after: int = 0) -> str:
        """The first line, of those after so many, that contains the words. Fails when the run ends without it."""

        def found() -> str | None:
            return next((line for line in self.lines[after:] if words in line), None)

        timeout_s = patience(timeout_s)
        with self._news:
            assert self._news.wait_for(lambda: found() or self.process.poll() is not None, timeout_s), self.lines
        line = found()
        assert line is not None, f"the run ended without saying {words!r}: {self.lines}"
        return line

    def child(self, *words: str) -> psutil.Process:
        """The one process of the run whose command line has all of the words."""
        family = psutil.Process(self.process.pid).children(recursive=True)
        found = [each for each in family if all(any(word in part for part in each.cmdline()) for word in words)]
        assert len(found) == 1, (words, [each.cmdline() for each in family])
        return found[0]

    def end(self, timeout_s: float = 60) -> int:
        """Waits for its end; its exit code."""
        code = self.process.wait(patience(timeout_s))
        self._reader.join(patience(10))
        return code

    @property
    def summary(self) -> dict[str, Any]:
        """Its summary.json, which agrees with itself and the run's other files, however the run ended."""
        assert doubts(read(self.out)) == []
        found: dict[str, Any] = json.loads((self.out / "summary.json").read_text())
        return found

    @property
    def migration(self) -> dict[str, Any]:
        """Its only migration."""
        (only,) = self.summary["migrations"]
        return dict(only)

    def __enter__(self) -> "Launched":
        return self

    def __exit__(self, *_: object) -> None:
        """Ends it if a test has not; its children end with it."""
        self.process.kill()
        self.end()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()

    def watch(self) -> None:
        """Reads what it says."""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    _reader: threading.Thread = field(default_factory=threading.Thread)

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()


def launch(
    out: Path, *arguments: str, command: Sequence[str] = ("run",), become: Sequence[str] = (), page: bool = False
) -> Launched:
    """``testbed run ARGUMENTS --out OUT``, not waited for. ``become``: what starts it as somebody else."""
    process = subprocess.Popen(
        [*become, sys.executable, "-m", "testbed", *_asked((*command, *arguments), page), "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    launched = Launched(process, out)
    launched.watch()
    return launched


def testbed(*arguments: str, timeout_s: float = 120, page: bool = False) -> "subprocess.CompletedProcess[str]":
    """``testbed ARGUMENTS``, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "testbed", *_asked(arguments, page)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=patience(timeout_s),
        check=False,
    )


def _asked(arguments: tuple[str, ...], page: bool) -> tuple[str, ...]:
    """With a page only where it is asked for; where it is not, ``hello`` waits no longer than a test says."""
    if arguments[0] != "run":
        return arguments
    hello, live = "hello" in arguments, "--live" in arguments
    small = SMALLER if hello and emulated() else ()
    if page or live:
        return ("run", *small, *(WATCHED if live and emulated() else ()), *arguments[1:])
    return ("run", "--no-page", *(AT_ONCE if hello else ()), *small, *arguments[1:])


testbed.__test__ = False  # type: ignore[attr-defined]
