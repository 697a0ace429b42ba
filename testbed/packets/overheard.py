"""What was said on the channel, put together again from TCP segments.

segments   [ Hel ][ lo | RoundBe ][ RoundBe ][ gin ]      split, joined, sent twice, out of order
messages   Hello      RoundBegin
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush

from testbed.core.errors import ProtocolError, ScenarioError
from testbed.packets.frames import SYN, End, Tcp
from testbed.wire.messages import HEADER, Message, decode, header

MOST_EARLY = 4096
"""Segments kept that came before one that is missing; it was not captured, if so many did."""
_MODULUS, _HALF = 1 << 32, 1 << 31


@dataclass(slots=True)
class Direction:
    """One direction of one connection: bytes in order out of segments in any. ``known``: how many bytes are in order so
    far; ``early``: by their place among all of them, those that came before one that is missing, which take ``waiting``
    bytes; ``places``: these places as a heap, since a hostile capture can let thousands of them wait.
    """

    expected: int | None = None
    known: int = 0
    early: dict[int, bytes] = field(default_factory=dict)
    places: list[int] = field(default_factory=list)
    waiting: int = 0
    ready: bytearray = field(default_factory=bytearray)

    def add(self, segment: Tcp) -> None:
        """Takes in a segment; what is known already is passed over."""
        if segment.flags & SYN:
            self.expected, self.early, self.ready = (segment.sequence + 1) % _MODULUS, {}, bytearray()
            self.known, self.places, self.waiting = 0, [], 0
            return
        if not segment.payload:
            return
        if self.expected is None:
            self.expected = segment.sequence
        if len(self.early) >= MOST_EARLY:
            return
        self._keep(self.known + _ahead(segment.sequence, self.expected), segment.payload)
        while self.places and self.places[0] <= self.known:
            self._take(heappop(self.places))

    @property
    def missing(self) -> bool:
        """Something was not captured, so that what came after it cannot be read."""
        return bool(self.early)

    def _keep(self, place: int, payload: bytes) -> None:
        held = self.early.get(place)
        if held is None:
            heappush(self.places, place)
        if held is None or len(held) < len(payload):
            self.early[place] = payload
            self.waiting += len(payload) - len(held or b"")

    def _take(self, place: int) -> None:
        payload = self.early.pop(place)
        self.waiting -= len(payload)
        new = payload[self.known - place :]
        self.ready += new
        self.known += len(new)
        self.expected = ((self.expected or 0) + len(new)) % _MODULUS


def _ahead(sequence: int, expected: int) -> int:
    """How many bytes are missing before that one, below 0 if it is known; sequence numbers wrap around."""
    return (sequence - expected + _HALF) % _MODULUS - _HALF


class Overheard:
    """The messages of all connections on a port, as segments are given to it."""

    def __init__(self) -> None:
        self._directions: dict[tuple[End, End], Direction] = {}

    @property
    def missing(self) -> bool:
        """A part of what was said was not captured."""
        return any(direction.missing for direction in self._directions.values())

    @property
    def held(self) -> int:
        """Bytes of messages that are not whole yet."""
        return sum(len(each.ready) + each.waiting for each in self._directions.values())

    def add(self, segment: Tcp) -> Iterator[Message]:
        """The messages that this segment completes. Raises ``ScenarioError`` for bytes that are none."""
        direction = self._directions.setdefault((segment.source, segment.destination), Direction())
        direction.add(segment)
        try:
            while (message := _message(direction.ready)) is not None:
                yield message
        except ProtocolError as error:
            raise ScenarioError(f"what was captured on the channel cannot be read: {error}") from error


def _message(ready: bytearray) -> Message | None:
    """Takes the first whole message off."""
    if len(ready) < HEADER.size:
        return None
    kind, length = header(bytes(ready[: HEADER.size]))
    end = HEADER.size + length
    if len(ready) < end:
        return None
    message = decode(kind, bytes(ready[HEADER.size : end]))
    del ready[:end]
    return message
