"""The clock of an emulated machine, by a program that stands in for QEMU and is told the time as QEMU is."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from machines import children, clock, emulator
from machines.cache import Image
from machines.faults import MachineError, UsageError
from machines.kinds import KINDS
from tests.unit.test_machines import asked

# Whoever asks it by a line gets its seconds.
TELLS = """
import sys, time
from pathlib import Path
Path(sys.argv[1]).touch()
for _ in sys.stdin:
    print(time.monotonic(), flush=True)
"""


@contextmanager
def telling(times: float, begun: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-I", "-c", TELLS, str(begun)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=clock.told(times), **pipes) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.kill()


def seconds(process: subprocess.Popen[bytes]) -> float:
    assert process.stdin and process.stdout
    process.stdin.write(b"\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def names_of(process: subprocess.Popen[bytes]) -> list[Path]:
    return list(Path("/dev/shm").glob(f"*faketime_*_{process.pid}"))


@pytest.mark.parametrize("times", [10, 2.5])
def test_of_its_seconds_each_takes_so_many(tmp_path: Path, times: float) -> None:
    with telling(times, tmp_path / "begun") as process:
        clock.settle(process, times, tmp_path / "begun")
        assert names_of(process) == []
        before, first, after = time.monotonic(), seconds(process), time.monotonic()
        time.sleep(0.3)
        within = time.monotonic() - after
        passed = (seconds(process) - first) * times
        assert within * 0.999 <= passed <= (time.monotonic() - before) * 1.001


def test_a_clock_that_is_not_slowed_is_a_fault(tmp_path: Path) -> None:
    with telling(1, tmp_path / "begun") as process:
        clock.settle(process, 1, tmp_path / "begun")
        with pytest.raises(MachineError, match=f"without {clock.LIBRARY}"):
            clock.settle(process, 10, tmp_path / "begun")


def test_one_that_ends_at_once_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with children.ended(gone := children.start(["true"])):
        gone.wait()
        monkeypatch.setattr(clock, "SETTLED_S", float("inf"))
        monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("it is waited for"))
        clock.settle(gone, 10, tmp_path / "never")


@pytest.mark.parametrize(("said", "times"), [("", clock.SLOWED), ("1", 1), ("30", 30), ("2.5", 2.5)])
def test_it_may_be_another(monkeypatch: pytest.MonkeyPatch, said: str, times: float) -> None:
    monkeypatch.setenv(clock.VARIABLE, said)
    assert clock.slowed() == times


@pytest.mark.parametrize("said", ["0.5", "101", "nan", "inf", "-3", "ten"])
def test_what_is_no_such_number_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv(clock.VARIABLE, said)
    with pytest.raises(UsageError, match=f"from 1 to 100, not '{said}'"):
        clock.slowed()
    refused = asked(tmp_path, "debian-13", "true", **{clock.VARIABLE: said})
    assert refused.returncode == 2 and len(refused.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("accelerator", "told"), [(["-accel", "tcg"], True), (["-accel", "kvm"], False)])
def test_only_an_emulated_kernel_is_told_so(accelerator: list[str], told: bool) -> None:
    words = emulator.command(KINDS["debian-13"], Image(Path("/i")), accelerator, 22)
    assert ("no_timer_check idle=poll" in words[words.index("-append") + 1]) is told
    words = emulator.command(KINDS["arm64"], Image(Path("/i")), accelerator, 22)
    assert words[words.index("-append") + 1].endswith(" nohlt") is told
