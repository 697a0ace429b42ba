"""What was said on the channel, put together again from TCP segments.

segments   [ Hel ][ lo | RoundBe ][ RoundBe ][ gin ]      split, joined, sent twice, out of order
messages   Hello      RoundBegin
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from testbed.core.errors import ProtocolError, ScenarioError
from testbed.packets.frames import SYN, End, Tcp
from testbed.wire.messages import HEADER, Message, decode, header

MOST_EARLY = 4096
"""Segments kept that came before one that is missing; it was not captured, if so many did."""
_MODULUS, _HALF = 1 << 32, 1 << 31


@dataclass(slots=True)
class Direction:
    """One direction of one connection: bytes in order out of segments in any."""

    expected: int | None = None
    early: dict[int, bytes] = field(default_factory=dict)
    ready: bytearray = field(default_factory=bytearray)

    def add(self, segment: Tcp) -> None:
        """Takes in a segment; what is known already is passed over."""
        if segment.flags & SYN:
            self.expected, self.early, self.ready = (segment.sequence + 1) % _MODULUS, {}, bytearray()
            return
        if not segment.payload:
            return
        if self.expected is None:
            self.expected = segment.sequence
        if len(self.early) >= MOST_EARLY:
            return
        held = self.early.get(segment.sequence, b"")
        self.early[segment.sequence] = max(held, segment.payload, key=len)
        while (sequence := self._next()) is not None:
            self._take(sequence, self.early.pop(sequence))

    @property
    def missing(self) -> bool:
        """Something was not captured, so that what came after it cannot be read."""
        return bool(self.early)

    def _next(self) -> int | None:
        """A segment that begins where the bytes end so far, or before."""
        return next((sequence for sequence in self.early if self._known(sequence) >= 0), None)

    def _known(self, sequence: int) -> int:
        """How many bytes from there are known already; sequence numbers wrap around."""
        assert self.expected is not None  # noqa: S101 - set with the first segment
        return (self.expected - sequence + _HALF) % _MODULUS - _HALF

    def _take(self, sequence: int, payload: bytes) -> None:
        new = payload[self._known(sequence) :]
        self.ready += new
        self.expected = ((self.expected or 0) + len(new)) % _MODULUS


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
        return sum(len(each.ready) + sum(map(len, each.early.values())) for each in self._directions.values())

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
