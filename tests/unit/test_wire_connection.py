"""Two ends on a wire of our own: any fragmentation, any crossing, any noise; every row of the table and every gap."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.core.errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from testbed.core.extents import Extents
from testbed.wire import messages as m
from testbed.wire.connection import Connection
from testbed.wire.states import TABLE, Role, State, after
from tests.unit.loopback import a_connection

ID = bytes(range(16))
ENDED = (State.RUNNING, State.ABANDONED, State.FAILED)
EXAMPLES: dict[m.Type, m.Message] = {
    message.type: message
    for message in (
        m.Hello(ID, 1 << 30, 4096, 4),
        m.Welcome(1 << 30),
        m.RoundBegin(1, 1 << 30),
        m.RoundEnd(1, 1 << 30),
        m.RoundReceived(1, 1 << 30),
        m.Prepare(77),
        m.Prepared(77),
        m.Commit(),
        m.Running(1, 2, 3, 78),
        m.Abandon("the user said stop"),
        m.Failed("no memory"),
        m.StreamHello(ID, 0),
        m.Pages(1, Extents.whole(4096)),
        m.GuestConnection(a_connection(5000, received=b"asked", unacknowledged=b"answered", unsent=3)),
    )
}
T = m.Type
GOOD = [
    T.HELLO, T.WELCOME,
    T.ROUND_BEGIN, T.ROUND_END, T.ROUND_RECEIVED,
    T.ROUND_BEGIN, T.ROUND_END, T.ROUND_RECEIVED,
    T.CONNECTION, T.CONNECTION, T.PREPARE, T.PREPARED, T.COMMIT, T.RUNNING,
]  # fmt: skip
SPEAKS = {kind: role for (_, role, kind) in TABLE}


def path_to(goal: State) -> list[tuple[Role, m.Type]]:
    """The shortest way that the table knows to a state."""
    ways: dict[State, list[tuple[Role, m.Type]]] = {State.NEW: []}
    reached = [State.NEW]
    for state in reached:
        for (at, role, kind), following in TABLE.items():
            if at is state and following not in ways:
                ways[following] = [*ways[state], (role, kind)]
                reached.append(following)
    return ways[goal]


def pair_at(state: State) -> dict[Role, Connection]:
    ends = {role: Connection(role) for role in Role}
    for role, kind in path_to(state):
        say(ends, role, kind)
    return ends


def say(ends: dict[Role, Connection], role: Role, kind: m.Type) -> None:
    data = ends[role].send(EXAMPLES[kind])
    other = ends[ends[role].peer]
    other.receive(data)
    heard = other.next_message()
    assert heard is not None and heard.type is kind
    assert other.next_message() is None


def test_every_message_has_an_example() -> None:
    assert set(EXAMPLES) == set(T)


def test_every_state_can_be_reached_and_is_left_or_an_end() -> None:
    for state in State:
        ends = pair_at(state)
        assert ends[Role.SOURCE].state is ends[Role.DESTINATION].state is state
        leaves = {following for (at, _, _), following in TABLE.items() if at is state} - {state}
        assert (not leaves) == (state in ENDED)


def test_a_whole_migration() -> None:
    ends = {role: Connection(role) for role in Role}
    for kind in GOOD:
        say(ends, SPEAKS[kind], kind)
    assert {end.state for end in ends.values()} == {State.RUNNING}


@pytest.mark.parametrize(("state", "role", "kind"), list(itertools.product(State, Role, T)))
def test_the_table_and_nothing_but_the_table(state: State, role: Role, kind: m.Type) -> None:
    ends = pair_at(state)
    speaker, hearer = ends[role], ends[ends[role].peer]
    data = m.encode(EXAMPLES[kind])
    hearer.receive(data)
    following = TABLE.get((state, role, kind))
    if following is not None:
        assert speaker.send(EXAMPLES[kind]) == data
        assert hearer.next_message() is not None
        assert speaker.state is hearer.state is following
        return
    with pytest.raises(LocalProtocolError, match=f"may not say {kind.name}"):
        speaker.send(EXAMPLES[kind])
    for _ in range(2):  # an error stays one
        with pytest.raises(RemoteProtocolError, match=f"may not say {kind.name}"):
            hearer.next_message()
    assert speaker.state is hearer.state is state


def test_what_may_not_be_said_is_refused_from_its_header() -> None:
    end = Connection(Role.DESTINATION)
    end.receive(m.encode(EXAMPLES[T.PREPARE])[: m.HEADER.size])
    with pytest.raises(RemoteProtocolError):
        end.next_message()


def test_stream_messages_are_never_said_on_the_channel() -> None:
    assert not [row for row in TABLE if row[2] in (T.PAGES, T.STREAM_HELLO)]


def test_the_promises_of_the_table() -> None:
    failing = {state for (state, _, kind) in TABLE if kind is T.FAILED and state is not State.ABANDONED}
    assert State.PREPARED not in failing, "after Prepared it may not fail by itself"
    assert State.COMMITTED in failing, "after Commit it may still promise that it never ran"
    abandoning = {state for (state, _, kind) in TABLE if kind is T.ABANDON and state is not State.FAILED}
    assert not abandoning & {State.COMMITTED, State.RUNNING}, "what was given away cannot be taken back"
    assert {after(State.COMMITTED, Role.DESTINATION, kind, LocalProtocolError) for kind in (T.RUNNING, T.FAILED)} == {
        State.RUNNING,
        State.FAILED,
    }


@given(st.randoms(use_true_random=False), st.data())
@settings(max_examples=60)
def test_any_fragmentation(chance: random.Random, data: st.DataObject) -> None:
    """All that the source says while the destination is silent, in pieces of any size."""
    rounds = data.draw(st.integers(0, 4))
    ends = {role: Connection(role) for role in Role}
    kinds = GOOD[:2] + GOOD[2:5] * rounds + GOOD[8:]
    for role, group in itertools.groupby(kinds, SPEAKS.__getitem__):
        expected = [EXAMPLES[kind] for kind in group]
        stream = b"".join(ends[role].send(message) for message in expected)
        other, heard = ends[ends[role].peer], []
        while stream:
            size = chance.randint(1, len(stream))
            other.receive(stream[:size])
            stream = stream[size:]
            while (message := other.next_message()) is not None:
                heard.append(message)
        assert heard == expected
    assert {end.state for end in ends.values()} == {State.RUNNING}


def test_no_bytes_are_no_message() -> None:
    end = Connection(Role.SOURCE)
    end.receive(b"")
    assert end.next_message() is None


CROSSING = [
    (state, kind)
    for (state, role, kind) in TABLE
    if role is Role.DESTINATION and state not in (*ENDED, State.COMMITTED)  # what was given away is not taken back
]


@pytest.mark.parametrize(("state", "kind"), CROSSING)
def test_an_abandon_crosses_whatever_the_destination_says(state: State, kind: m.Type) -> None:
    ends = pair_at(state)
    source, destination = ends[Role.SOURCE], ends[Role.DESTINATION]
    abandon, word = source.send(EXAMPLES[T.ABANDON]), destination.send(EXAMPLES[kind])
    source.receive(word)
    destination.receive(abandon)
    assert source.next_message() == EXAMPLES[kind]
    assert destination.next_message() == EXAMPLES[T.ABANDON]
    assert source.state is State.ABANDONED
    assert destination.state in (State.ABANDONED, State.FAILED)


FAILING = [s for (s, role, kind) in TABLE if kind is T.FAILED and s not in ENDED and s is not State.COMMITTED]


@pytest.mark.parametrize("state", FAILING)
def test_a_failure_crosses_whatever_the_source_goes_on_to_say(state: State) -> None:
    ends = pair_at(state)
    source, destination = ends[Role.SOURCE], ends[Role.DESTINATION]
    failed = destination.send(EXAMPLES[T.FAILED])
    said = 0
    while source.state is not State.ABANDONED:  # all that it may say without an answer, then it gives up
        kinds = [kind for (at, role, kind) in TABLE if at is source.state and role is Role.SOURCE]
        kind = next((kind for kind in kinds if kind is not T.ABANDON), T.ABANDON)
        destination.receive(source.send(EXAMPLES[kind]))
        said += 1
    for _ in range(said):
        assert destination.next_message() is not None
    assert destination.state is State.FAILED
    source.receive(failed)
    assert source.next_message() == EXAMPLES[T.FAILED]
    assert source.state is State.ABANDONED


def drain(end: Connection) -> None:
    while end.next_message() is not None:
        pass


@given(st.sampled_from(Role), st.lists(st.binary(max_size=50), max_size=20))
@settings(max_examples=300)
def test_noise_is_refused_and_never_kept(role: Role, pieces: list[bytes]) -> None:
    end = Connection(role)
    for piece in pieces:
        end.receive(piece)
        try:
            drain(end)
        except RemoteProtocolError:
            return
        assert len(end._buffer) < m.HEADER.size + m.longest(T.CONNECTION)


@given(st.data())
@settings(max_examples=400)
def test_a_valid_stream_with_a_few_bytes_changed(data: st.DataObject) -> None:
    source = Connection(Role.SOURCE)
    stream = bytearray(source.send(EXAMPLES[T.HELLO]))
    for at in data.draw(st.lists(st.integers(0, len(stream) - 1), max_size=4)):
        stream[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(stream)))
    destination = Connection(Role.DESTINATION)
    destination.receive(bytes(stream[:cut]))
    try:
        heard = destination.next_message()
    except RemoteProtocolError:
        assert destination.state is State.NEW
        return
    assert (heard is None) == (cut < len(stream))


@given(st.lists(st.tuples(st.sampled_from(Role), st.sampled_from(T)), max_size=60))
@settings(max_examples=300)
def test_ends_that_hear_all_never_disagree(words: list[tuple[Role, m.Type]]) -> None:
    ends = {role: Connection(role) for role in Role}
    for role, kind in words:
        try:
            say(ends, role, kind)
        except ProtocolError:
            continue
        assert ends[Role.SOURCE].state is ends[Role.DESTINATION].state
