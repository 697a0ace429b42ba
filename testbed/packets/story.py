"""The story of a migration in packets, out of its pcap: what was said, what was carried, who announced what.

     0.000000  source       ▶ destination  Hello: a guest of 256 MB, its pages over 1 stream
     0.000412  source       ▶ destination  RoundBegin 1: 256 MB of pages
     2.290013  source       ▶ destination  pages of round 1: 5,902 packets, 256 MB on 1 stream in 2.3 s
     ...

Times are seconds since the Hello, or since the first packet where none was captured.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from testbed.core.errors import ScenarioError
from testbed.core.network.names import CHANNEL_PORT, CLIENT, STREAM_PORT
from testbed.core.units import in_bytes, in_seconds
from testbed.packets.frames import End, Frame, Tcp, frames
from testbed.packets.overheard import Overheard
from testbed.packets.words import announced, counted, neighbours, words
from testbed.wire import messages as wire

_NS = 1e9
MOST_TOLD = 200_000
"""Messages and announcements of one capture: a ping every 10 ms for half an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryLine:
    """One thing that happened. ``at``: seconds since the Hello."""

    at: float
    sender: str
    receiver: str
    words: str


@dataclass(slots=True, kw_only=True)
class Carried:
    """What the streams carried in a round; 0: before the first, None: whatever was under way when
    the capture began. ``packets`` as the source's host handed them to its link.
    """

    round: int | None
    first: int
    last: int
    packets: int = 0
    size: int = 0
    streams: set[End] = field(default_factory=set)

    def add(self, at: int, segment: Tcp) -> None:
        """A segment with payload."""
        self.first = self.first if self.packets else at
        self.last = at
        self.packets += 1
        self.size += segment.size
        self.streams.add(segment.source)

    def words(self) -> str:
        """What was carried, in how many packets and streams; of a round also in what time."""
        carried = f"{counted(self.packets, 'packet')}, {in_bytes(self.size)} on {counted(len(self.streams), 'stream')}"
        if self.round == 0:
            return f"streams introduce themselves: {carried}"
        what = f"pages of round {self.round}" if self.round else "pages of a round whose beginning was not captured"
        return f"{what}: {carried} in {in_seconds((self.last - self.first) / _NS)}"


@dataclass(frozen=True, slots=True)
class _Told:
    at: int
    sender: str
    receiver: str
    words: str


def story(file: Path, *, every: bool = False) -> list[StoryLine]:
    """Everything in order of time; ``every``: each connection that moved too. Raises ``ScenarioError``."""
    teller = _Teller(every)
    for frame in frames(file):
        teller.add(frame)
    return teller.lines()


def each_packet(file: Path) -> Iterator[StoryLine]:
    """Every packet of the capture in scapy's words. Times are since its first packet."""
    from testbed.packets.dissect import described

    start: int | None = None
    for frame in frames(file):
        start = frame.at if start is None else start
        cut = f", {len(frame.data)} of {frame.length} B kept" if len(frame.data) < frame.length else ""
        sender, receiver, said = described(frame.data)
        yield StoryLine(at=(frame.at - start) / _NS, sender=sender, receiver=receiver, words=said + cut)


class _Teller:
    """Takes frames in order of time."""

    def __init__(self, every: bool) -> None:
        self._every = every
        self._channel = Overheard()
        self._told: list[_Told] = []
        self._carried: Carried | None = None
        self._moved: list[tuple[int, wire.GuestConnection]] = []
        self._heard: dict[str, list[int]] = {}
        self._peers: dict[str, set[str]] = {}
        self._names: dict[str, str] = {}
        self._start: int | None = None
        self._from_the_hello = False
        self._commit: int | None = None

    def add(self, frame: Frame) -> None:
        """One frame."""
        self._start = frame.at if self._start is None else self._start
        if (known := neighbours(frame)) is not None:
            self._tell(frame.at, *known)
            for address in announced(frame) or ():
                self._names[address] = "guest"
            return
        segment = frame.tcp
        if segment is None:
            self._hear(frame)
        elif CHANNEL_PORT in (segment.source[1], segment.destination[1]):
            self._listen(frame.at, segment)
        elif segment.destination[1] == STREAM_PORT:
            self._carry(frame.at, segment)
        elif segment.source[1] != STREAM_PORT:
            self._hear(frame)

    def lines(self) -> list[StoryLine]:
        """All that was told, in order of time."""
        self._close_round()
        self._tell_moved()
        self._tell_silence()
        if self._channel.missing:
            self._tell(self._latest(), "", "", "a part of the channel was not captured: what followed is not told")
        if not self._told:
            self._tell(self._latest(), "", "", "nothing of a migration is in it")
        start = self._start or 0
        return [
            StoryLine(
                at=(told.at - start) / _NS,
                sender=self._names.get(told.sender, told.sender),
                receiver=self._names.get(told.receiver, told.receiver),
                words=told.words,
            )
            for told in sorted(self._told, key=lambda told: told.at)
        ]

    def _listen(self, at: int, segment: Tcp) -> None:
        for message in self._channel.add(segment):
            self._note(at, segment, message)
            if isinstance(message, wire.GuestConnection) and not self._every:
                self._moved.append((at, message))
                self._count()
            else:
                self._tell(at, segment.source[0], segment.destination[0], words(message))

    def _note(self, at: int, segment: Tcp, message: wire.Message) -> None:
        """What a message means for what comes after it."""
        match message:
            case wire.Hello():
                self._start, self._from_the_hello = at, True
                self._names |= {segment.source[0]: "source", segment.destination[0]: "destination"}
            case wire.RoundBegin():
                self._close_round()
                self._carried = Carried(round=message.index, first=at, last=at)
            case wire.Prepare():
                self._close_round()
                self._tell_moved()
            case wire.Commit():
                self._commit = at

    def _carry(self, at: int, segment: Tcp) -> None:
        if segment.size:
            if self._carried is None:
                self._carried = Carried(round=0 if self._from_the_hello else None, first=at, last=at)
            self._carried.add(at, segment)
            self._carrier = (segment.source[0], segment.destination[0])
            self._names = dict(zip(self._carrier, ("source", "destination"), strict=True)) | self._names

    def _close_round(self) -> None:
        if self._carried is not None and self._carried.packets:
            self._tell(self._carried.last, *self._carrier, self._carried.words())
        self._carried = None

    def _tell_moved(self) -> None:
        """Hundreds of connections are one line."""
        if self._moved:
            all_of = [message.connection for _, message in self._moved]
            unread, waiting = (
                sum(len(queue) for queue in queues)
                for queues in ([each.received for each in all_of], [each.unacknowledged for each in all_of])
            )
            queued = f"{in_bytes(unread)} unread and {in_bytes(waiting)} unacknowledged in them"
            self._tell(self._moved[-1][0], "source", "destination", f"{len(all_of):,} × Connection: {queued}")
        self._moved = []

    def _hear(self, frame: Frame) -> None:
        """The guest's own traffic and its clients', by who sent it: only when, and to whom, is kept."""
        if frame.address is not None:
            self._heard.setdefault(frame.address, []).append(frame.at)
            self._peers.setdefault(frame.address, set()).add(frame.destination)

    def _tell_silence(self) -> None:
        """The switchover as a client sees it: the guest's last packet before Commit, and its first one after."""
        guest = next((ip for ip, name in self._names.items() if name == "guest" and ip in self._heard), None)
        if guest is None or self._commit is None:
            return
        self._names |= dict.fromkeys(self._peers[guest], CLIENT)
        times = self._heard.get(guest, [])
        cut = bisect_left(times, self._commit)
        if cut:
            self._tell(times[cut - 1], guest, CLIENT, f"the guest's last packet from the source, of {cut:,}")
        if cut and cut < len(times):
            silent = in_seconds((times[cut] - times[cut - 1]) / _NS)
            self._tell(times[cut], guest, CLIENT, f"its first from the destination, after {silent}")

    def _tell(self, at: int, sender: str, receiver: str, what: str) -> None:
        self._told.append(_Told(at, sender, receiver, what))
        self._count()

    def _count(self) -> None:
        """Anybody may have made the capture, and a message takes eight bytes there, and here much more."""
        if len(self._told) + len(self._moved) > MOST_TOLD:
            raise ScenarioError(f"holds more than {MOST_TOLD:,} messages, which no migration has")

    def _latest(self) -> int:
        return max((told.at for told in self._told), default=self._start or 0)
