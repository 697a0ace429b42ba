"""A real guest as the agents reach it: stunned with nothing under way, or not at all."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from guest_agent.config import GuestConfig
from guest_agent.journal import BUSY, HOLD, words
from guest_agent.ring import Rows
from testbed.core.errors import MigrationAborted
from testbed.linux.processes import process
from testbed.migration.agents.attached import AttachedGuest
from testbed.rig.guests import GuestProcess, local_guest


@pytest.fixture
def guest(tmp_path: Path) -> Iterator[GuestProcess]:
    config = GuestConfig(ram_bytes=4 << 20, workload={"name": "idle"})
    with local_guest(config, tmp_path / "guest") as started:
        yield started


@pytest.fixture
def attached(guest: GuestProcess) -> Iterator[AttachedGuest]:
    with AttachedGuest(str(guest.socket)) as reached:
        yield reached


@pytest.fixture
def shared(guest: GuestProcess) -> Rows:
    ports = guest.client.ports()
    os.close(ports.ram_fd)
    found: Rows = words(ports.journal_fd)
    os.close(ports.journal_fd)
    return found


def test_a_stun_shuts_the_gate_until_a_resume(guest: GuestProcess, attached: AttachedGuest, shared: Rows) -> None:
    attached.stun()
    assert process.is_frozen(guest.pid) and shared[HOLD] == 1
    attached.resume()
    assert not process.is_frozen(guest.pid) and shared[HOLD] == 0
    attached.resume()


def test_a_freeze_leaves_the_gate_open(guest: GuestProcess, attached: AttachedGuest, shared: Rows) -> None:
    attached.freeze()
    assert process.is_frozen(guest.pid) and shared[HOLD] == 0
    attached.resume()


def test_a_stun_waits_until_nothing_is_under_way(guest: GuestProcess, attached: AttachedGuest, shared: Rows) -> None:
    shared[BUSY] = np.uint64(1)
    stun = threading.Thread(target=attached.stun)
    stun.start()
    while not shared[HOLD] or process.is_frozen(guest.pid):  # it lets the guest go on, to finish what it does
        stun.join(0.001)
    assert stun.is_alive()
    shared[BUSY] = np.uint64(0)
    stun.join(20)
    assert not stun.is_alive() and process.is_frozen(guest.pid)
    attached.resume()


def test_a_disk_that_never_answers_aborts_and_the_guest_goes_on(
    guest: GuestProcess, attached: AttachedGuest, shared: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("testbed.migration.agents.attached.DRAIN_S", 0.05)
    shared[BUSY] = np.uint64(1)
    with pytest.raises(MigrationAborted, match="disk operations were not done"):
        attached.stun()
    attached.resume()
    assert not process.is_frozen(guest.pid) and shared[HOLD] == 0
    assert guest.client.status().errors == 0


def test_a_guest_that_died_cannot_be_stunned(guest: GuestProcess, attached: AttachedGuest) -> None:
    guest.close_input()
    guest.wait(10)
    with pytest.raises(MigrationAborted, match="could not be stunned"):
        attached.stun()
