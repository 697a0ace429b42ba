"""Two guests stopped and one of them let run: what is done to processes and networks, when any of them may be gone."""

from typing import Any

import pytest

from testbed.core.agents.config import GuestNic
from testbed.core.agents.told import Unaccepted
from testbed.core.errors import TestbedError
from testbed.engines.native import settling
from testbed.engines.native.deeds import Frozen
from testbed.engines.native.settling import Pair, drop, freeze, go_on_at_destination, go_on_at_source

NIC = GuestNic(interface="eth0", ip="10.0.2.100", prefix=24)
FRAMES = (b"arp", b"rarp")


class Guest:
    """Writes what is done to it into ``did``. ``stuck``: it cannot be stopped."""

    def __init__(self, name: str, pid: int, did: list[str], done: int) -> None:
        self.name, self.pid, self.done, self.alive, self.stuck = name, pid, done, True, False
        self._did = did

    def freeze(self) -> None:
        self._did.append(f"freeze {self.name}")
        if self.stuck:
            raise TimeoutError(f"{self.name} did not stop")

    def thaw(self) -> None:
        self._did.append(f"thaw {self.name}")

    def kill(self) -> None:
        self._did.append(f"kill {self.name}")
        self.alive = False

    def operations(self) -> int:
        return self.done


class Two:
    """Both guests, and the networks of their processes; ``faults``: why a network could not be put right."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, nic: GuestNic | None = NIC) -> None:
        self.did: list[str] = []
        self.faults: dict[str, Exception] = {}
        self.source, self.destination = Guest("source", 7, self.did, 10), Guest("destination", 8, self.did, 4)
        anything: Any = None
        source: Any = self.source
        destination: Any = self.destination
        self.pair = Pair(
            source_agent=anything, destination_agent=anything, source=source, destination=destination,
            nic=nic, frames=FRAMES,
        )  # fmt: skip
        monkeypatch.setattr(settling, "Nic", self.nic)
        monkeypatch.setattr(settling, "bring_up", self.network("bring up"))
        monkeypatch.setattr(settling, "take_back", self.network("take back"))

    def network(self, what: str) -> Any:
        def put_right(pid: int, interface: str, ip: str, prefix: int, **more: Any) -> None:
            assert GuestNic(interface=interface, ip=ip, prefix=prefix) == NIC and more.pop("frames") == FRAMES
            self.did.append(f"{what} {pid}" + (f" {more['unaccepted']}" if more.get("unaccepted") else ""))
            if what in self.faults:
                raise self.faults[what]

        return put_right

    def nic(self, pid: int, *_: object) -> Any:
        if "nic" in self.faults:
            raise self.faults["nic"]
        two = self

        class Silencing:
            def silence(self) -> None:
                two.did.append(f"silence {pid}")

            def close(self) -> None:
                two.did.append(f"let go of {pid}")

        return Silencing()


def test_both_are_stopped_before_their_counts_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    two = Two(monkeypatch)
    assert freeze(two.pair) == Frozen(source_operations=10, destination_operations=4, source_alive=True)
    assert two.did == ["freeze source", "freeze destination"]


@pytest.mark.parametrize("stuck", ["source", "destination"])
def test_of_one_that_cannot_be_stopped_the_other_is(monkeypatch: pytest.MonkeyPatch, stuck: str) -> None:
    two = Two(monkeypatch)
    getattr(two, stuck).stuck = True
    with pytest.raises(TimeoutError, match=stuck):
        freeze(two.pair)
    assert two.did == ["freeze source", "freeze destination"]


def test_a_dead_source_is_seen_to_be_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    two = Two(monkeypatch)
    two.source.alive = False
    assert not freeze(two.pair).source_alive


def test_who_never_ran_is_silenced_before_it_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    two = Two(monkeypatch)
    drop(two.pair)
    assert two.did == ["silence 8", "let go of 8", "kill destination"]


@pytest.mark.parametrize("why", ["no network", "dead", "its namespace is gone"])
def test_who_cannot_be_silenced_is_ended_all_the_same(monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    two = Two(monkeypatch, nic=None if why == "no network" else NIC)
    two.destination.alive = why != "dead"
    two.faults = {"nic": OSError(why)}
    drop(two.pair)
    assert two.did == ["kill destination"]


def test_at_the_destination_the_network_comes_before_the_guest(monkeypatch: pytest.MonkeyPatch) -> None:
    two = Two(monkeypatch)
    go_on_at_destination(two.pair)
    assert two.did == ["bring up 8", "thaw destination"]


def test_one_that_cannot_be_reached_at_the_destination_runs_there_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    two = Two(monkeypatch)
    two.faults = {"bring up": TestbedError("no link")}
    go_on_at_destination(two.pair)
    assert two.did == ["bring up 8", "thaw destination"]


def test_at_the_source_remote_ends_that_were_not_accepted_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    two = Two(monkeypatch)
    unaccepted: Any = (Unaccepted,)
    assert go_on_at_source(two.pair, unaccepted) == ""
    assert two.did == [f"take back 7 {unaccepted}", "thaw source"]


def test_what_could_not_be_put_right_at_the_source_is_said_and_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    two = Two(monkeypatch)
    two.faults = {"take back": TestbedError("its address is gone")}
    assert go_on_at_source(two.pair, ()) == ", but its address is gone"
    assert two.did[-1] == "thaw source"


@pytest.mark.parametrize("nic", [None, NIC])
def test_the_dead_and_those_without_a_network_have_none_put_right(
    monkeypatch: pytest.MonkeyPatch, nic: GuestNic | None
) -> None:
    two = Two(monkeypatch, nic=nic)
    two.source.alive = two.destination.alive = nic is None
    go_on_at_destination(two.pair)
    assert go_on_at_source(two.pair, ()) == ""
    assert two.did == ["thaw destination", "thaw source"]
