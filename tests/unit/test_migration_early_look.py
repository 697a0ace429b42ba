"""Early looks on real memory and sockets: what is left of a round joins what was dirtied, and no byte is lost."""

import os
import random
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.extents import Extents
from testbed.core.rounds import Action, Decision, EarlyLook, Round
from testbed.core.units import PAGE_SIZE
from testbed.dirty.checksum import Checksum
from testbed.migration.early_look import Pass
from testbed.migration.streams.sockets import unacknowledged
from tests.unit.loopback import Loopback, MemoryGuest

PAGES = 2048
AT_ONCE = EarlyLook(within=1e9, every=1e-9)
"""Due before every batch, so a round sends one batch and no more."""
NEVER = EarlyLook(within=0.0, every=1e-9)


def page_list(part: Extents) -> list[int]:
    return [page for offset, length in part for page in range(offset // PAGE_SIZE, (offset + length) // PAGE_SIZE)]


bitmaps = st.lists(st.booleans(), min_size=1, max_size=90)


@given(bitmaps, st.integers(0, 95), st.integers(0, 90))
def test_a_pass_goes_round_from_its_cursor_and_its_parts_are_the_whole(
    bits: list[bool], start: int, taken: int
) -> None:
    pending = Extents.of_bitmap(np.array(bits, bool))
    order = sorted(page_list(pending), key=lambda page: (page < start, page))
    todo = Pass(pending, start * PAGE_SIZE)
    given_out = [page for batch, _ in zip(_one_by_one(todo), range(taken), strict=False) for page in page_list(batch)]
    # zip takes one batch more from the first of its two before it sees that the second has ended
    count = min(len(order), taken + 1)
    assert given_out == order[: min(taken, len(order))]
    assert page_list(todo.sent) == sorted(order[:count]) and page_list(todo.unsent) == sorted(order[count:])
    assert todo.cursor == (order[count] * PAGE_SIZE if count < len(order) else 0)
    assert todo.size == pending.size


def _one_by_one(todo: Pass):  # type: ignore[no-untyped-def]
    return todo.batches(PAGE_SIZE, 1, None, lambda: 0)


def test_a_look_finds_what_is_left_at_the_bandwidth_so_far() -> None:
    """Nothing has arrived yet, so there is no bandwidth, and no look is due however little is left."""
    everything = Extents.whole(64 * PAGE_SIZE)
    for look, buffered, batches in ((AT_ONCE, 0, 2), (AT_ONCE, 1 << 30, 64), (NEVER, 0, 64), (None, 0, 64)):
        todo = Pass(everything, 0)
        seen = list(todo.batches(PAGE_SIZE, 1, look, lambda held=buffered: held))  # type: ignore[misc]
        assert len(seen) <= batches if look is AT_ONCE and not buffered else len(seen) == batches


def test_what_tcp_holds_is_known_until_the_peer_has_it() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    sender = socket.create_connection(listener.getsockname())
    receiver, _ = listener.accept()
    with listener, sender, receiver:
        sender.setblocking(False)
        try:
            while True:
                sender.send(bytes(1 << 16))
        except BlockingIOError:
            assert unacknowledged(sender) > 0
        assert unacknowledged(receiver) == 0


@dataclass
class Looking:
    """Looks as told; writes after each round what a test says, and switches over when no step is left."""

    steps: Sequence[Callable[[], None]]
    early_look: EarlyLook = AT_ONCE
    seen: list[Round] = field(default_factory=list)

    def decide(self, history: Sequence[Round]) -> Decision:
        self.seen = list(history)
        over = len(history) > len(self.steps)
        if not over:
            self.steps[len(history) - 1]()
        return Decision(action=Action.SWITCH_OVER if over else Action.GO_ON, reason="as the test says")


def scatter(guest: MemoryGuest, seed: int, count: int) -> None:
    chance = random.Random(seed)
    for _ in range(count):
        guest.write(chance.randrange(1, guest.pages), chance.randbytes(64))


@pytest.mark.parametrize("streams", [1, 4])
@pytest.mark.parametrize("tracked_by", ["set", "checksum"])
def test_memory_arrives_whole_though_no_round_is_sent_whole(
    streams: int, tracked_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tracker that sends from copies has to keep those of what was not sent."""
    source, destination = MemoryGuest(PAGES, fill=bytes(range(1, 250))), MemoryGuest(PAGES)
    if tracked_by == "checksum":
        monkeypatch.setattr("tests.unit.loopback.SetTracker", _checksum)
    policy = Looking([lambda seed=seed: scatter(source, seed, 40) for seed in range(12)])  # type: ignore[misc]
    done = Loopback(source, destination, streams=streams).run(policy)
    assert destination.memory[:] == source.memory[:]
    rounds = done.rounds
    assert any(each.unsent_bytes for each in rounds[:-1]), "some were ended early"
    for before, after in pairwise(rounds[:-1]):
        assert after.sent_bytes + after.unsent_bytes == before.dirtied_bytes
    assert rounds[-1].unsent_bytes == 0 and rounds[-1].sent_bytes >= rounds[-2].dirtied_bytes


def _checksum(ports, guest: MemoryGuest) -> Checksum:  # type: ignore[no-untyped-def]
    """It asks whether its guest's process lives, which here is this one."""
    tracker = Checksum(replace(ports, pid=os.getpid()))
    tracker.closed = False  # type: ignore[attr-defined]
    return tracker


def test_a_policy_that_never_finds_little_enough_sends_every_round_whole() -> None:
    source, destination = MemoryGuest(PAGES, fill=b"x"), MemoryGuest(PAGES)
    policy = Looking([lambda: scatter(source, 1, 500), lambda: scatter(source, 2, 50)], early_look=NEVER)
    done = Loopback(source, destination).run(policy)
    assert destination.memory[:] == source.memory[:]
    assert [each.unsent_bytes for each in done.rounds] == [0, 0, 0, 0]


def test_what_is_dirtied_anew_before_it_was_sent_is_sent_once() -> None:
    source, destination = MemoryGuest(PAGES, fill=b"x"), MemoryGuest(PAGES)
    last = PAGES - 1
    steps = [lambda: source.write(last, b"again")] * 3
    done = Loopback(source, destination).run(Looking(steps))
    assert destination.memory[:] == source.memory[:]
    assert done.rounds[1].newly_dirtied_bytes == 0, "the last page is among what round 1 left"
