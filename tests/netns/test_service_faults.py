"""Faults with applications: one guest runs, its clients are told the truth, and the record says what happened to it.

Each fault strikes at an event, and never after a time.
"""

import os
import signal
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil
import pytest

from testbed.linux.processes.process import has_ended
from tests.netns.launching import Launched, launch

SCENARIO = """
name: service-faults
warmup: 500ms
cooldown: 3s
vm:
  ram: 96MiB
  workload: {name: hot-cold, working_set: 16MiB, write_rate: 4MB/s}
  services:
    - {name: oltp, accounts: 10000, sessions: 4, think_time: 4ms}
    - {name: echo, connections: 20, interval: 10ms}
network: {vmotion: {goodput: 400Mbit}}
migration: {policy: {name: vmotion, downtime_goal: 2s}}
"""
"""Switches over after round 1, with some time of stop-and-copy in which a fault finds it."""
CONNECTIONS = 24


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    (tmp_path / "faults.yaml").write_text(SCENARIO)
    return str(tmp_path / "faults.yaml")


def await_end(process: psutil.Process) -> None:
    """Until it has ended, though the run has not asked for its exit code yet."""
    deadline = monotonic() + 60
    while not has_ended(process.pid):
        assert monotonic() < deadline
        sleep(0.001)


def services(run: Launched) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in run.migration["services"]}


def test_a_guest_that_dies_after_its_migration_makes_it_invalid(tmp_path: Path, scenario: str) -> None:
    with launch(tmp_path / "run", scenario) as run:
        run.wait_for("round 1")
        agent = run.child("migration.agent", '"role": "destination"')
        guest = run.child("guest_agent", '"role": "destination"')
        await_end(agent)  # its last act is the last announcement: the guest runs there, and the run waits
        guest.send_signal(signal.SIGKILL)
        assert run.end() == 1
        found = run.migration
        assert (found["outcome"], found["valid"]) == ("completed", False)
        assert "the guest at the destination was dead at the end (killed by signal 9)" in found["invalid_reasons"]
        assert found["guest"]["fault"] in found["invalid_reasons"] and found["guest"]["errors"] is None
        assert found["memory"]["match"] is True
        assert found["guest_gap_s"] > 0 and found["client_blackout_s"] > 0
        assert found["identity"]["announcements"] == 4


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("role", ["source", "destination"])
def test_a_fault_in_the_switchover_loses_nothing_and_leaves_one_runner(
    tmp_path: Path, scenario: str, role: str, number: signal.Signals
) -> None:
    """Wherever in the switchover it strikes: what was acknowledged is there once, at the host where the guest is."""
    with launch(tmp_path / "run", scenario) as run:
        run.wait_for("round 1")
        victim = run.child("migration.agent", f'"role": "{role}"')
        run.wait_for("switchover")
        os.kill(victim.pid, number)
        run.end(120)
        found, there = run.migration, run.migration["outcome"] == "completed"
        assert found["outcome"] in ("completed", "aborted", "failed")
        assert found["guest"]["fault"] is None, found["invalid_reasons"]
        assert found["guest"]["rate_after"] == pytest.approx(4e6 / 4096, rel=0.2)
        assert found["identity"]["forwarding_after"] == ("esx2" if there else "esx1")
        for name, each in services(run).items():
            assert (each["verified"], each["lost"], each["doubled"]) == (True, 0, 0), (name, each["findings"])
            assert each["rate_after"] > 0 and each["reconnects"] == 0, name
        if there:
            assert found["memory"]["match"]
        if found["connections"]:
            assert found["connections"]["reconnects"] == 0
