"""A peer that lies: no figure of its is believed that cannot be, nothing it says reaches a terminal as it is, and there
is one runner.
"""

from time import monotonic, monotonic_ns

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testbed.core.errors import InDoubt, RemoteProtocolError, TestbedError
from testbed.migration.destination import DestinationAgent
from testbed.migration.precopy import CommitRefused
from testbed.wire.messages import Abandon, Commit, Failed, Prepared, Running, Type, Welcome, decode, encode
from testbed.wire.running import contradiction
from tests.unit.loopback import Coming, Leaving, Loopback, MemoryGuest, a_connection

PAGES = 64
U64 = 2**64 - 1


def lab_of(monkeypatch: pytest.MonkeyPatch, answer: Running | None = None, **more: object) -> Loopback:
    """A destination that runs the guest and answers a commit so."""

    def on_commit(self: DestinationAgent, _commit: Commit) -> None:
        self._guest.run()
        self.runs_here = self._done = True
        assert answer is not None
        self._channel.send(answer)

    if answer is not None:
        monkeypatch.setattr(DestinationAgent, "_on_commit", on_commit)
    return Loopback(MemoryGuest(PAGES, fill=b"\x01"), MemoryGuest(PAGES))


NOW = monotonic_ns()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Running(0, 0, 0, U64), "the commit's arrival would lie"),
        (Running(NOW, NOW, NOW, U64), "the commit's arrival would lie"),
        (Running(U64, U64, U64, U64), "the answer would lie"),
        (Running(U64, 1, U64, U64), "the announcement would lie"),
    ],
)
def test_times_that_cannot_be_leave_the_commit_in_doubt(
    answer: Running, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = lab_of(monkeypatch, answer)
    with pytest.raises(InDoubt, match=f"commit was answered with what cannot be: {said}"):
        lab.run()
    stamps = lab.source.stamps
    assert (stamps.downtime(), stamps.phases(), stamps.first_step, stamps.handed) == (None, {}, None, None)
    assert lab.source_guest.did == ["stun"], "nobody resumes it before somebody has looked"


def test_a_first_step_that_was_done_before_leaves_the_commit_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Loopback(MemoryGuest(PAGES, fill=b"\x01"), MemoryGuest(PAGES))
    done = lab.source_guest.operations()
    monkeypatch.setattr(MemoryGuest, "run", lambda _self: (monotonic(), done))
    with pytest.raises(InDoubt, match=f"operation {done}, and {done} were done before"):
        lab.run()


@given(st.lists(st.integers(0, U64), min_size=5, max_size=5), st.integers(0, U64), st.integers(0, U64))
def test_only_what_lies_in_order_is_believed(times: list[int], operation: int, before: int) -> None:
    asked, received, first_step, announced, heard = times
    wrong = contradiction(Running(received, announced, first_step, operation), asked, heard, before)
    assert (wrong is None) == (times == sorted(times) and operation > before)


def test_more_connections_than_were_sent_abort(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Loopback(MemoryGuest(PAGES, fill=b"x"), MemoryGuest(PAGES))
    lab.departure, lab.arrival = Leaving(lab.source_guest, [a_connection(1)]), Coming(lab.destination_guest)
    monkeypatch.setattr(DestinationAgent, "_restore", lambda _self, _announced: 2)
    with pytest.raises(RemoteProtocolError, match="2 connections were made of 1"):
        lab.run()
    assert lab.source_guest.did[-1] == "resume" and "run" not in lab.destination_guest.did


def test_a_welcome_of_another_size_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("testbed.migration.destination.Welcome", lambda size: Welcome(size - 1))
    monkeypatch.setattr("testbed.migration.destination.CONNECT_TIMEOUT_S", 0.0)  # for streams that do not come
    lab = Loopback(MemoryGuest(PAGES, fill=b"x"), MemoryGuest(PAGES))
    with pytest.raises(RemoteProtocolError, match="bytes are reserved there"):
        lab.run()


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=300), st.sampled_from([Abandon, Failed]))
def test_a_reason_of_a_peer_is_printable_when_it_is_read(text: str, kind: type[Abandon] | type[Failed]) -> None:
    read = decode(kind.type, encode(kind(text))[8:])
    assert isinstance(read, Abandon | Failed) and read.reason.isprintable()


def test_a_hostile_reason_reaches_nobody_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def on_commit(self: DestinationAgent, _commit: Commit) -> None:
        raise TestbedError("\x1b[2J\u202e" + "x" * 5000)

    monkeypatch.setattr(DestinationAgent, "_on_commit", on_commit)
    lab = Loopback(MemoryGuest(PAGES, fill=b"x"), MemoryGuest(PAGES))
    with pytest.raises(CommitRefused) as raised:
        lab.run()
    assert str(raised.value).isprintable() and len(str(raised.value)) < 1100
    assert r"\x1b[2J\u202exxx" in str(raised.value)


def test_bytes_of_a_reason_that_are_no_text_are_read_all_the_same() -> None:
    read = decode(Type.FAILED, b"\xff\xfe\x1b[31m\x00")
    assert isinstance(read, Failed) and read.reason.isprintable()
    assert isinstance(decode(Type.PREPARED, encode(Prepared(1))[8:]), Prepared)
