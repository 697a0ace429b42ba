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

ROOT = Path(__file__).parents[2]
AT_ONCE = ("--set", "warmup=200ms", "--set", "cooldown=200ms")
"""Of runs of ``hello``: what its guest does before and after is looked at by those alone that set it otherwise."""


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
        code = self.process.wait(timeout_s)
        self._reader.join(10)
        return code

    def valid(self, timeout_s: float = 60) -> list[dict[str, Any]]:
        """Its migrations at its end, each of them valid."""
        code = self.end(timeout_s)
        assert code == 0, self.lines
        made: list[dict[str, Any]] = self.summary["migrations"]
        assert [each["invalid_reasons"] for each in made if not each["valid"] or each["invalid_reasons"]] == []
        return made

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
        timeout=timeout_s,
        check=False,
    )


def _asked(arguments: tuple[str, ...], page: bool) -> tuple[str, ...]:
    """With a page only where it is asked for; where it is not, ``hello`` waits no longer than a test says."""
    if arguments[0] != "run":
        return arguments
    if page or "--live" in arguments:
        return arguments
    return ("run", "--no-page", *(AT_ONCE if "hello" in arguments else ()), *arguments[1:])


testbed.__test__ = False  # type: ignore[attr-defined]
