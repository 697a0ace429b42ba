"""Faults, each at a named moment: one guest runs afterwards, the exit code says so, and nothing is left behind.

Those of the switchover are in ``test_planned_faults`` and ``test_service_faults``.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.netns.launching import Launched, launch, testbed
from tests.processes import living
from tests.scratches import left

LONG = (
    "hello", "--set", "network.vmotion.goodput=100Mbit", "--set", "vm.workload.write_rate=4MB/s",
    "--set", "vm.workload.working_set=64MB", "--set", "vm.ram=80MB", "--set", "warmup=200ms",
)  # fmt: skip
"""Round 1 takes about six seconds, so that a fault finds it under way."""


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Launched]:
    """A run whose first round is under way."""
    with launch(tmp_path / "run", *LONG) as launched:
        launched.wait_for("precopy")
        yield launched


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_ends_with_130_and_files(run: Launched, number: signal.Signals) -> None:
    run.process.send_signal(number)
    assert run.end() == 130
    assert run.migration["outcome"] == "cancelled"
    assert not run.summary["valid"]
    assert "interrupted" in run.lines[-1]


def test_kill_of_the_run_leaves_nothing(run: Launched, tmp_path: Path) -> None:
    family = psutil.Process(run.process.pid).children(recursive=True)
    assert len(family) >= 8
    run.process.kill()
    run.end()
    assert living(family) == []
    folder = left()
    cleaned = testbed("clean")
    assert cleaned.returncode == 0 and f"removed {folder}\n" in cleaned.stderr, cleaned.stderr
    assert not folder.exists()
    assert os.listdir("/run/fast-motion") == ["lock"]
    with launch(tmp_path / "2", "hello", "--set", "vm.ram=64MB", "--set", "vm.workload.working_set=16MB") as again:
        again.valid()


@pytest.mark.parametrize(
    ("victim", "outcome", "words"),
    [
        (("migration.agent", '"role": "source"'), "failed", "runs on at the source"),
        (("migration.agent", '"role": "destination"'), "aborted", ""),
        (("guest_agent", '"role": "destination"'), "aborted", "could not run it"),
    ],
)
def test_kill_before_commit_leaves_the_guest_at_the_source(
    run: Launched, victim: tuple[str, ...], outcome: str, words: str
) -> None:
    run.child(*victim).send_signal(signal.SIGKILL)
    assert run.end() == 1
    assert run.migration["outcome"] == outcome
    assert words in run.migration["reason"]
    assert run.migration["guest"]["rate_after"] == pytest.approx(4e6 / 4096, rel=0.2)


def test_a_killed_guest_at_the_source_is_an_outcome(run: Launched, tmp_path: Path) -> None:
    run.child("guest_agent", '"role": "source"').send_signal(signal.SIGKILL)
    assert run.end() == 1
    assert run.migration["outcome"] in ("aborted", "failed")


def test_a_second_run_is_told_who_holds_the_machine(run: Launched, tmp_path: Path) -> None:
    second = testbed("run", "hello", "--out", str(tmp_path / "2"))
    assert second.returncode == 4
    assert "another run holds this machine" in second.stderr
    assert not (tmp_path / "2").exists()
    run.process.send_signal(signal.SIGINT)
    run.end()


def test_stopped_agents_do_not_hold_up_an_interrupt(run: Launched, tmp_path: Path) -> None:
    os.kill(run.child("migration.agent", '"role": "source"').pid, signal.SIGSTOP)
    run.process.send_signal(signal.SIGINT)
    assert run.end() == 130


def test_a_cut_link_aborts_and_the_guest_runs_on(run: Launched) -> None:
    host = run.child("mininet:esx1").pid
    subprocess.run(
        ["nsenter", f"--net=/proc/{host}/ns/net", "tc", "qdisc", "replace", "dev", "vmotion", "root", "blackhole"],
        check=True,
    )
    assert run.end() == 1
    assert run.migration["outcome"] == "aborted"
    assert run.migration["guest"]["rate_after"] == pytest.approx(4e6 / 4096, rel=0.2)
