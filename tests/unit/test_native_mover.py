"""Our agents as a mover: which processes it has, what it can be told, and what it hears of the announcements."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from testbed.core.agents.config import GuestNic
from testbed.core.agents.told import AgentFailed, Announced, Gone, SourceReady
from testbed.core.errors import TestbedError
from testbed.engines.native.mover import NativeMover, NativeStart
from testbed.engines.native.settling import Pair
from testbed.findings.ended import DESTINATION, SOURCE, Ended
from testbed.rig.orders import WORDS
from tests.unit.fake_hosts import FakeLink, a_plan

COMPLETED = Ended(outcome="completed", reason="there", runs_at=DESTINATION)
NIC = GuestNic(interface="eth0", ip="10.0.2.100", prefix=24)


def a_mover(said: Any = None, nic: GuestNic | None = NIC) -> NativeMover:
    """Whose destination agent says that when it is asked for the announcements."""

    def process(pid: int) -> Any:
        return SimpleNamespace(pid=pid, until=lambda _kind, _timeout_s: said)

    pair = Pair(
        source_agent=process(1), destination_agent=process(2), source=process(3), destination=process(4), nic=nic
    )
    return NativeMover(a_plan(), pair, FakeLink(), SourceReady(tracker="soft_dirty", reason="it is there"))


def test_it_names_its_processes_and_its_guests() -> None:
    mover = a_mover()
    assert mover.processes == {"source": 1, "destination": 2, "guest-source": 3, "guest-destination": 4}
    assert [(host, guest.pid) for host, guest in mover.guests.items()] == [(SOURCE, 3), (DESTINATION, 4)]
    assert (mover.tracker, mover.tracker_reason) == ("soft_dirty", "it is there")


def test_it_can_be_told_all_that_is_for_one_migration() -> None:
    assert NativeMover.orders == {*WORDS} - {"stop"}


@pytest.mark.parametrize(
    ("said", "announced", "fault"),
    [
        (Announced(count=4, fault=None), 4, None),
        (Announced(count=1, fault="the link is down"), 1, "the link is down"),
        (None, 0, "the destination agent does not say"),
        (Gone(), 0, f"the destination agent {Gone()} before it said so"),
        (Gone(nonsense="???"), 0, f"the destination agent {Gone(nonsense='???')} before it said so"),
        (AgentFailed(reason="no"), 0, "the destination agent failed before it said so: no"),
    ],
)
def test_how_often_the_guest_was_announced(said: Any, announced: int, fault: str | None) -> None:
    ended = a_mover(said).announced(COMPLETED)
    assert ended == replace(COMPLETED, announced=announced, announce_fault=fault)


@pytest.mark.parametrize("nic", [None, NIC])
def test_where_there_is_nothing_to_announce_nobody_is_asked(nic: GuestNic | None) -> None:
    ended = COMPLETED if nic is None else replace(COMPLETED, outcome="aborted", runs_at=SOURCE)
    assert a_mover(Announced(count=4, fault=None), nic).announced(ended) == ended


def test_hosts_without_a_vmotion_network_are_refused_by_name() -> None:
    fabric: Any = SimpleNamespace(
        plan=SimpleNamespace(topology="mine"), host=lambda _name: SimpleNamespace(vmotion=None)
    )
    with pytest.raises(TestbedError, match="topology 'mine' has no vMotion network at esx2"):
        NativeStart(fabric)._vmotion(DESTINATION)
