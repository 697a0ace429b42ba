"""Both agents over real TCP: memory arrives, and every fault leaves exactly one guest running."""

import random
from typing import Any, Literal

import pytest

from testbed.core.agents.told import ConnectionFacts
from testbed.core.connection import TcpConnection
from testbed.core.errors import InDoubt, MigrationAborted, RemoteProtocolError, TestbedError
from testbed.core.records.stamps import PHASES
from testbed.core.units import PAGE_SIZE
from testbed.migration.cancel import MigrationCancelled
from testbed.migration.precopy import CommitRefused, GuestStopped
from testbed.migration.source import UNMADE
from testbed.wire.messages import MAX_PAGES_BYTES
from tests.unit.loopback import Coming, Leaving, Loopback, MemoryGuest, Script, a_connection

PAGES = 3 * MAX_PAGES_BYTES // PAGE_SIZE // 2


def pair(*, fails_to_run: bool = False) -> tuple[MemoryGuest, MemoryGuest]:
    return MemoryGuest(PAGES, fill=bytes(range(1, 250))), MemoryGuest(PAGES, fails_to_run=fails_to_run)


def scatter(guest: MemoryGuest, seed: int, count: int) -> None:
    chance = random.Random(seed)
    for _ in range(count):
        guest.write(chance.randrange(1, guest.pages), chance.randbytes(64))


@pytest.mark.parametrize("streams", [1, 2, 16])
def test_memory_arrives_whole(streams: int) -> None:
    source, destination = pair()
    steps = [lambda: scatter(source, 1, 3000), lambda: scatter(source, 2, 500), lambda: scatter(source, 3, 1)]
    lab = Loopback(source, destination, streams=streams)
    done = lab.run(Script(steps))
    assert destination.memory[:] == source.memory[:]
    assert (source.did, destination.did) == (["stun"], ["run", "resume"])
    assert [finished.index for finished in done.rounds] == [1, 2, 3, 4, 5]
    assert done.rounds[0].sent_bytes == PAGES * PAGE_SIZE
    assert lab.tracker.closed
    assert sum(stream.page_bytes for stream in lab.facts) == sum(each.sent_bytes for each in done.rounds)


def test_what_is_written_after_the_last_scan_is_sent_while_stunned() -> None:
    source, destination = pair()
    script = Script([lambda: scatter(source, 1, 10)])
    original = script.decide

    def decide_and_write(history):  # type: ignore[no-untyped-def]
        decision = original(history)
        source.write(7, b"between the scan and the stun")
        return decision

    script.decide = decide_and_write  # type: ignore[method-assign]
    done = Loopback(source, destination).run(script)
    assert destination.memory[:] == source.memory[:]
    assert done.rounds[-1].sent_bytes >= PAGE_SIZE


def test_each_round_says_what_the_guest_had_done_by_its_end() -> None:
    source, destination = MemoryGuest(PAGES), MemoryGuest(PAGES)
    steps = [lambda done=done: source.write(0, done.to_bytes(8, "little")) for done in (5, 70)]
    done = Loopback(source, destination).run(Script(steps))
    assert [each.operations for each in done.rounds] == [0, 5, 70, 70]


def test_phases_add_up_to_the_downtime() -> None:
    lab = Loopback(*pair())
    lab.run()
    downtime = lab.source.stamps.downtime()
    phases = lab.source.stamps.phases()
    assert downtime is not None
    assert list(phases) == list(PHASES)
    assert sum(phases.values()) == pytest.approx(downtime, abs=1e-6)
    assert min(phases.values()) >= 0


def test_another_size_is_refused_and_the_guest_runs_on() -> None:
    source = MemoryGuest(PAGES, fill=b"x")
    lab = Loopback(source, MemoryGuest(PAGES + 1))
    with pytest.raises(RemoteProtocolError, match="are reserved"):
        lab.run()
    assert "stun" not in source.did


def test_cancel_between_rounds_resumes_and_tells() -> None:
    source, destination = pair()
    lab = Loopback(source, destination)
    with pytest.raises(MigrationCancelled):
        lab.run(Script([lab.cancel.ask]))
    assert source.did == ["resume"]
    assert destination.did == []


def test_a_guest_that_cannot_run_there_runs_on_here() -> None:
    source, destination = pair(fails_to_run=True)
    lab = Loopback(source, destination)
    with pytest.raises(CommitRefused, match="it cannot run here"):
        lab.run()
    assert source.did == ["stun", "resume"]


def test_different_memory_is_found_before_commit_in_strict_mode() -> None:
    source, destination = pair()
    lab = Loopback(source, destination)

    def spoil() -> None:
        destination.memory[5 * PAGE_SIZE] ^= 1

    with pytest.raises(TestbedError, match="memory differs"):
        lab.run(Script([spoil]))
    assert source.did == ["stun", "resume"]
    assert destination.did == []


@pytest.mark.parametrize("streams", [1, 4])
def test_a_stream_that_breaks_aborts(streams: int) -> None:
    source, destination = pair()
    lab = Loopback(source, destination, streams=streams)

    def break_one() -> None:
        scatter(source, 1, 3000)
        lab.stream_sockets[0].shutdown(2)

    with pytest.raises(TestbedError):
        lab.run(Script([break_one]))
    assert source.did in (["resume"], ["stun", "resume"]), "heard before the stun, or just after it"
    assert destination.did == []
    assert lab.agent.abandoned, "whoever noticed first, the destination knows why"


def test_a_destination_that_dies_before_commit_aborts() -> None:
    source, destination = pair()
    lab = Loopback(source, destination)
    with pytest.raises(TestbedError):
        lab.run(Script([lambda: lab.agent_socket().shutdown(2)]))
    assert source.did == ["resume"]


def test_no_answer_to_commit_is_in_doubt_and_nobody_resumes() -> None:
    source, destination = pair()
    lab = Loopback(source, destination)

    def cut() -> tuple[float, int]:
        lab.agent_socket().shutdown(2)
        destination.did.append("run")
        return 0.0, 1

    destination.run = cut  # type: ignore[method-assign]
    with pytest.raises(InDoubt):
        lab.run()
    assert source.did == ["stun"]


def test_nothing_is_aborted_by_a_cancel_that_comes_too_late() -> None:
    source, destination = pair()
    lab = Loopback(source, destination)
    run = destination.run

    def cancel_and_run() -> tuple[float, int]:
        lab.cancel.ask()
        return run()

    destination.run = cancel_and_run  # type: ignore[method-assign]
    lab.run()
    assert destination.did == ["run", "resume"]


def test_a_policy_that_gives_up_resumes() -> None:
    source, destination = pair()

    def give_up() -> None:
        raise MigrationAborted("never")

    with pytest.raises(MigrationAborted, match="never"):
        Loopback(source, destination).run(Script([give_up]))
    assert source.did == ["resume"]


# ---- A guest with a network ------------------------------------------------------------------------------------------


def with_network(source: MemoryGuest, destination: MemoryGuest, *ports: int) -> tuple[Loopback, Leaving]:
    lab = Loopback(source, destination)
    leaving = lab.departure = Leaving(source, [a_connection(port) for port in ports])
    lab.arrival = Coming(destination)
    return lab, leaving


def facts(mechanism: Literal["tcp_repair", "reset"] = "tcp_repair", **more: Any) -> ConnectionFacts:
    return ConnectionFacts(mechanism=mechanism, **more)


def test_connections_move_between_the_last_round_and_commit() -> None:
    source, destination = pair()
    lab, leaving = with_network(source, destination, *range(1000, 1500))
    lab.run()
    assert source.did == ["stun", "hush", "leave"]
    assert destination.did == ["restore", "adopt", "run", "appear", "resume", "hand_over"]
    assert destination.adopted == leaving.leaving
    assert lab.connections == facts(moved=500)
    assert lab.source.stamps.phases()["announce"] >= 0


def test_connections_that_are_refused_are_counted_and_stop_nothing() -> None:
    source, destination = pair()
    lab, leaving = with_network(source, destination, 1, 2, 3)
    leaving.refusals["as foreseen"] = 2
    lab.arrival = Coming(destination, refuses=[2])
    lab.run()
    assert [each.remote_port for each in destination.adopted] == [1, 3]
    assert lab.connections == facts(
        moved=2, refused=3, refusals={"as foreseen": 2, UNMADE: 1}, foreseen={"as foreseen": 2}
    )


def test_a_reset_moves_the_identity_alone() -> None:
    source, destination = pair()
    lab, _ = with_network(source, destination)
    lab.departure = Leaving(source, [a_connection(1)], reset_because="asked for")
    lab.run()
    assert (source.did, destination.did) == (["stun", "hush", "leave"], ["run", "appear", "resume", "hand_over"])
    assert lab.connections == facts(mechanism="reset", reason="asked for")


def test_a_refused_guest_is_forgotten_there_and_heard_here() -> None:
    source, destination = pair(fails_to_run=True)
    lab, _ = with_network(source, destination, 1)
    with pytest.raises(CommitRefused, match="it cannot run here"):
        lab.run()
    assert source.did == ["stun", "hush", "leave", "stay", "resume"]
    assert lab.connections == facts(), "none of them moved"
    assert destination.did == ["restore", "adopt", "forget"], "nobody may have heard of it"


def test_what_the_guest_has_closed_is_made_there_and_not_given_to_it() -> None:
    source, destination = pair()
    lab = Loopback(source, destination)
    lab.departure = Leaving(source, [a_connection(1), a_connection(2, finished=True, closed=True)])
    lab.arrival = Coming(destination)
    lab.run()
    assert [each.remote_port for each in destination.adopted] == [1]
    assert lab.connections == facts(moved=2)


def test_an_abandon_after_connections_were_made_drops_them() -> None:
    source, destination = pair()
    lab, _ = with_network(source, destination, 1)
    adopt = destination.adopt

    def cancel_and_adopt(moved):  # type: ignore[no-untyped-def]
        lab.cancel.ask()
        adopt(moved)

    destination.adopt = cancel_and_adopt  # type: ignore[method-assign]
    with pytest.raises(MigrationCancelled):
        lab.run()
    assert source.did == ["stun", "hush", "leave", "stay", "resume"]
    assert destination.did == ["restore", "adopt", "forget"]


def test_a_guest_that_cannot_be_silenced_is_resumed_all_the_same() -> None:
    source, destination = pair()
    lab, leaving = with_network(source, destination, 1)

    def fail() -> list[TcpConnection]:
        raise MigrationAborted("no address to take")

    leaving.leave = fail  # type: ignore[method-assign]
    with pytest.raises(MigrationAborted, match="no address to take"):
        lab.run()
    assert source.did == ["stun", "hush", "stay", "resume"]
    assert "run" not in destination.did


def test_a_guest_is_resumed_though_its_network_cannot_be_put_back() -> None:
    source, destination = pair(fails_to_run=True)
    lab, leaving = with_network(source, destination, 1)

    def fail() -> None:
        raise MigrationAborted("no address to give")

    leaving.stay = fail  # type: ignore[method-assign]
    with pytest.raises(GuestStopped, match="no address to give"):
        lab.run()
    assert source.did == ["stun", "hush", "leave", "resume", "resume"]


def test_connections_for_a_guest_without_a_network_are_refused() -> None:
    source, destination = pair()
    lab, _ = with_network(source, destination, 1)
    lab.arrival = None
    with pytest.raises(TestbedError):
        lab.run()
    assert source.did == ["stun", "hush", "leave", "stay", "resume"]
    assert "without a network" in str(lab.destination_fault)
