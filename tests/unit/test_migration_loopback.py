"""Both agents over real TCP: memory arrives, and every fault leaves exactly one guest running."""

import random

import pytest

from testbed.core.errors import InDoubt, MigrationAborted, RemoteProtocolError, TestbedError
from testbed.core.units import PAGE_SIZE
from testbed.migration.cancel import MigrationCancelled
from testbed.migration.precopy import CommitRefused
from testbed.wire.messages import MAX_PAGES_BYTES
from tests.unit.loopback import Loopback, MemoryGuest, Script

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
    assert (source.did, destination.did) == (["pause"], ["run"])
    assert [finished.index for finished in done.rounds] == [1, 2, 3, 4, 5]
    assert done.rounds[0].sent_bytes == PAGES * PAGE_SIZE
    assert lab.tracker.closed
    assert sum(int(stream["page_bytes"]) for stream in lab.facts) == sum(each.sent_bytes for each in done.rounds)


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


def test_phases_add_up_to_the_downtime() -> None:
    lab = Loopback(*pair())
    lab.run()
    downtime = lab.source.stamps.downtime()
    phases = lab.source.stamps.phases()
    assert downtime is not None
    assert list(phases) == ["pause", "last_scan", "last_round", "prepare", "commit", "resume"]
    assert sum(phases.values()) == pytest.approx(downtime, abs=1e-6)
    assert min(phases.values()) >= 0


def test_another_size_is_refused_and_the_guest_runs_on() -> None:
    source = MemoryGuest(PAGES, fill=b"x")
    lab = Loopback(source, MemoryGuest(PAGES + 1))
    with pytest.raises(RemoteProtocolError, match="are reserved"):
        lab.run()
    assert "pause" not in source.did


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
    assert source.did == ["pause", "resume"]


def test_different_memory_is_found_before_commit_in_strict_mode() -> None:
    source, destination = pair()
    lab = Loopback(source, destination)

    def spoil() -> None:
        destination.memory[5 * PAGE_SIZE] ^= 1

    with pytest.raises(TestbedError, match="memory differs"):
        lab.run(Script([spoil]))
    assert source.did == ["pause", "resume"]
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
    assert source.did == ["resume"]
    assert destination.did == []
    assert lab.destination_fault is not None


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
    assert source.did == ["pause"]


def test_nothing_is_aborted_by_a_cancel_that_comes_too_late() -> None:
    source, destination = pair()
    lab = Loopback(source, destination)
    run = destination.run

    def cancel_and_run() -> tuple[float, int]:
        lab.cancel.ask()
        return run()

    destination.run = cancel_and_run  # type: ignore[method-assign]
    lab.run()
    assert destination.did == ["run"]


def test_a_policy_that_gives_up_resumes() -> None:
    source, destination = pair()

    def give_up() -> None:
        raise MigrationAborted("never")

    with pytest.raises(MigrationAborted, match="never"):
        Loopback(source, destination).run(Script([give_up]))
    assert source.did == ["resume"]
