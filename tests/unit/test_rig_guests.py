"""A guest's process as a run sees it: how it does not start, how it is found at the end, and that nothing is left."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guest_agent.config import GuestConfig
from testbed.core.errors import PrerequisiteMissing, ScenarioError, TestbedError
from testbed.core.plan import GuestPlan
from testbed.findings.evidence import Condition
from testbed.linux.processes import process
from testbed.rig import guests
from testbed.rig.guests import GuestNotStarted, GuestProcess, guest_config, local_guest
from tests.unit.descriptors import nothing_stays
from tests.unit.plans import IDLE, plan

WORK = """\
from dataclasses import dataclass
import numpy as np
from testbed.core.units import ByteRate, Bytes

@dataclass(frozen=True, kw_only=True)
class Mine:
    working_set: Bytes | None = None
    write_rate: ByteRate = 40e6

    def pages(self, operations, random, size):
        print("asked")
        if len(operations) and operations[-1] > 5000:
            # it was tried up to 3,000
            raise ValueError("late")
        return operations % np.uint64(size)
"""
CONFIG = GuestConfig(ram_bytes=4 << 20, workload={"name": "uniform", "write_rate": 10e6})


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path) -> Iterator[None]:
    with nothing_stays():
        yield
        assert not (tmp_path / "guest").exists()


def instead(program: str, folder: Path) -> GuestProcess:
    """A guest whose process does something else."""

    def spawn(_argv: list[str], **more: Any) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, "-c", program], **more)

    return GuestProcess(spawn, CONFIG, folder / "guest")


@pytest.mark.parametrize(
    ("code", "words", "kind"),
    [
        (2, "guest: no workload is called 'unform'", ScenarioError),
        (3, "guest: 8 TiB do not fit; take less", PrerequisiteMissing),
        (1, "guest: broken", TestbedError),
    ],
)
def test_one_that_does_not_start_says_why(tmp_path: Path, code: int, words: str, kind: type[TestbedError]) -> None:
    program = f"import sys; sys.stderr.write({words!r}); sys.exit({code})"
    with instead(program, tmp_path) as broken, pytest.raises(GuestNotStarted) as raised:
        broken.wait_ready()
    assert str(raised.value) == f"the source's guest did not start: {words}"
    assert type(raised.value.cause) is kind and words.removeprefix("guest: ") in str(raised.value.cause)


def test_one_that_hangs_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guests, "READY_S", 0.0)
    mute = "import signal; signal.pause()"
    with instead(mute, tmp_path) as stuck, pytest.raises(GuestNotStarted, match="it said nothing"):
        stuck.wait_ready()


def test_one_that_works_is_found_well_and_rests(tmp_path: Path) -> None:
    with local_guest(CONFIG, tmp_path / "guest") as guest:
        first = guest.client.run()
        while guest.operations() < first.operation:
            pass
        assert guest.conclude() == Condition(errors=0, fault=None)
        times, counts = guest.log()
        assert len(times) == len(counts) > 0


def test_one_that_was_killed_is_found_dead_and_its_operations_can_be_read(tmp_path: Path) -> None:
    with local_guest(CONFIG, tmp_path / "guest") as guest:
        first = guest.client.run()
        os.kill(guest.pid, signal.SIGKILL)
        guest.wait(20)
        condition = guest.conclude()
        assert condition.errors is None and "dead at the end (killed by signal 9)" in str(condition.fault)
        assert guest.operations() >= first.operation - 1
        guest.freeze()
        guest.thaw()


def test_one_whose_own_workload_breaks_later_says_where_and_what_it_prints_is_no_word_of_its(tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text(WORK)
    config = replace(CONFIG, workload={"name": str(tmp_path / "work.py")})
    with local_guest(config, tmp_path / "guest") as guest:
        with suppress(TestbedError):  # it may end before it has answered
            guest.client.run()
        guest.wait(20)
        why = f"guest: {tmp_path}/work.py:14: the workload failed in 'pages': ValueError: late"
        assert guest.last_words() == why
        found = f"the guest at the source was dead at the end (exit code 2): {why.removeprefix('guest: ')}"
        assert guest.conclude() == Condition(errors=None, fault=found)


def test_one_that_is_frozen_stands_until_it_is_thawed(tmp_path: Path) -> None:
    with local_guest(CONFIG, tmp_path / "guest") as guest:
        guest.client.run()
        guest.freeze()
        assert process.is_frozen(guest.pid)
        before = guest.operations()
        guest.thaw()
        while guest.operations() == before:
            pass
        guest.freeze()
        guest.kill()
        assert not guest.alive and not guest.socket.exists()


SERVICES = st.lists(st.sampled_from([{"name": "echo"}, {"name": "oltp"}]), unique_by=lambda spec: spec["name"])


@given(SERVICES, st.integers(0, 2**63 - 1), st.integers(-1, 9), st.sampled_from(["", "10.0.2.100"]))
def test_what_a_plan_asks_for_arrives_at_the_guest(
    services: list[dict[str, Any]], seed: int, disk_fd: int, address: str
) -> None:
    guest = GuestPlan(ram_bytes=1 << 30, workload={"name": "idle"}, services=tuple(services))
    asked = replace(plan(1, IDLE, seed=seed), guest=guest)
    config = guest_config(asked, "destination", address=address, disk_fd=disk_fd)
    assert GuestConfig.parse(config.to_json()) == config
    assert config.services == (services if address else []) and config.role == "destination"
