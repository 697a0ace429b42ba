"""The source's side of a migration: the algorithm's verbs, carried out on a real guest, tracker and connections."""

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from time import monotonic, monotonic_ns

from testbed.core.agents.patience import ANSWER_TIMEOUT_S, STUNNED_TIMEOUT_S
from testbed.core.agents.told import ConnectionFacts, StreamFacts
from testbed.core.errors import (
    InDoubt,
    LocalProtocolError,
    MigrationAborted,
    RemoteProtocolError,
    TestbedError,
    in_words,
)
from testbed.core.extents import Extents
from testbed.core.records.stamps import Stamps
from testbed.core.records.switchover import switchover_s
from testbed.core.rounds import EarlyLook, Round, RoundKind, Throttle
from testbed.core.units import PAGE_SIZE
from testbed.dirty import Tracker
from testbed.linux.net.tcp_info import tcp_info
from testbed.migration.cancel import Cancel
from testbed.migration.channel import Channel, PeerFailed
from testbed.migration.digest import digest
from testbed.migration.early_look import Pass
from testbed.migration.guest import Departure, HostedGuest
from testbed.migration.precopy import CommitRefused
from testbed.migration.streams.sending import Memory, SendStreams
from testbed.migration.throttling import Throttling
from testbed.migration.tracked_memory import TrackedMemory
from testbed.throttles.stop_and_continue import StopAndContinue
from testbed.wire.limits import fitting
from testbed.wire.messages import (
    NO_DIGEST,
    Abandon,
    Commit,
    GuestConnection,
    Hello,
    Prepare,
    Prepared,
    RoundBegin,
    RoundEnd,
    RoundReceived,
    Running,
    Welcome,
)
from testbed.wire.running import contradiction

UNMADE = "could not be made at the destination"
Progress = Callable[[int, int, int], None]
"""Called with the round, its page bytes sent so far, and of how many."""


class SourceAgent:
    """The ``Source`` of ``testbed.migration.precopy``, over a real guest, tracker and channel."""

    def __init__(
        self,
        *,
        guest: HostedGuest,
        tracker: Tracker,
        channel: Channel,
        cancel: Cancel,
        strict: bool,
        progress: Progress,
        departure: Departure | None = None,
    ) -> None:
        self._guest, self._channel, self._cancel = guest, channel, cancel
        self._departure = departure
        self._dumped = self._sent = self._restored = self._operations = 0
        self.foreseen: Counter[str] = Counter()
        self._strict, self._progress = strict, progress
        self.ram_bytes = guest.ports().ram_bytes
        time = StopAndContinue(guest)
        self.memory = TrackedMemory(guest, tracker, time.freezing)
        self.throttling = Throttling(time, self.memory)
        self._streams: SendStreams | None = None
        self._cursor = 0
        self._started = self._dirty_rate = 0.0
        self.stamps = Stamps()
        self.traffic: list[tuple[int, Extents, Extents]] = []
        """Of each round: its index, what it sent, what it left."""

    def greet(self, migration_id: bytes, streams: int, open_streams: Callable[[], SendStreams]) -> None:
        """Offer the guest; on a welcome open the streams and protect all of its memory: round 1 is everything."""
        self._started = monotonic()
        self._channel.send(Hello(migration_id, self.ram_bytes, PAGE_SIZE, streams, int(self._strict)))
        welcome = self._channel.receive(Welcome)
        if welcome.ram_bytes != self.ram_bytes:
            raise RemoteProtocolError(f"{welcome.ram_bytes} bytes are reserved there, the guest has {self.ram_bytes}")
        self._streams = open_streams()
        self.memory.start()

    def copy_round(self, index: int, kind: RoundKind, look: EarlyLook | None = None) -> Round:
        """See ``Source``. What is dirty is protected again before it is read, so that no write is lost."""
        stunned = kind is RoundKind.STOP_AND_COPY
        if stunned:
            self.memory.collect_last()
            self.stamps.scanned = monotonic()
        begun, todo = monotonic(), Pass(self.memory.dirty, 0 if stunned else self._cursor)
        self.throttling.begin_round()
        # A tracker may keep what it collected elsewhere, until it collects again; RAM that stands still is final.
        self._transfer(index, todo, self.memory.ram if stunned else self.memory.pages, look, stunned=stunned)
        received, unsent, left = monotonic(), todo.unsent, Extents.none()
        if stunned:
            self.stamps.received = received
        else:
            left, self._cursor = self.memory.collect(unsent), todo.cursor
        ended, sent = monotonic(), todo.sent
        self._dirty_rate = (left.size - unsent.size) / (ended - begun)
        self.traffic.append((index, sent, left))
        return Round(
            index=index,
            kind=kind,
            started_s=begun - self._started,
            duration_s=ended - begun,
            scan_s=ended - received,
            sent_bytes=sent.size,
            dirtied_bytes=left.size,
            unsent_bytes=unsent.size,
            throttle=0.0 if stunned else self.throttling.taken(),
            switchover_s=0.0 if stunned else self._known_cost(ended - received),
            operations=self._guest.operations(),
        )

    def throttle(self, throttle: Throttle | None) -> None:
        """As a policy asks; None releases the guest of that at once."""
        if throttle is None:
            self.throttling.release()
        else:
            self.throttling.apply(throttle, self._dirty_rate)

    def stun_guest(self) -> None:
        """Stun: its disks are at rest, and no thread of it runs. Held, it dirties only what it has begun to: to delay
        that would lengthen the downtime, and nothing else.
        """
        self._cancel.check()
        self.throttling.stop_taking_time()
        if self._departure:
            self.foreseen = self._departure.foresee()
        self.stamps.asked = monotonic()
        self._guest.hold()
        self.throttling.release()
        self._guest.stun()
        if self._departure:
            self._departure.hush()
        self.stamps.paused = monotonic()

    def resume_guest(self) -> None:
        """Run here again, and be heard: its connections are let go of first, so that none answers wrongly. That is a
        migration's end, so no hand slows the guest any more.
        """
        try:
            if self._departure:
                self._departure.stay()
                self._dumped = self._restored = 0
        finally:
            self.throttling.stop_taking_time()
            self._guest.resume()

    def prepare(self) -> None:
        """The guest's state is in RAM, but for its connections; its progress and, in strict mode, a digest are said."""
        self._send_connections()
        operations = self._operations = self._guest.operations()
        mine = digest(self._guest.ports().ram_fd, self.ram_bytes) if self._strict else NO_DIGEST
        self._channel.send(Prepare(operations, mine, self._sent))
        answer = self._channel.receive(Prepared, STUNNED_TIMEOUT_S)
        if (answer.operations, answer.digest) != (operations, mine):
            raise MigrationAborted(f"the destination's memory differs: it holds {answer.operations} operations")
        if answer.connections > self._sent:
            raise RemoteProtocolError(f"{answer.connections} connections were made of {self._sent}")
        self._restored = answer.connections
        self._cancel.seal()
        self.stamps.prepared = monotonic()

    def commit(self) -> None:
        """Give it away. After the first byte is sent, only ``Failed`` says that the guest does not run there. An answer
        that cannot be true is none: whoever can look at the destination has to.
        """
        asked_ns = monotonic_ns()
        try:
            self._channel.send(Commit())
            answer = self._channel.receive(Running, STUNNED_TIMEOUT_S)
        except PeerFailed as fault:
            raise CommitRefused(f"the destination refused the guest: {in_words(fault)}") from fault
        except TestbedError as fault:
            raise InDoubt(f"commit was sent and not answered: {in_words(fault)}") from fault
        if wrong := contradiction(answer, asked_ns, monotonic_ns(), self._operations):
            raise InDoubt(f"commit was answered with what cannot be: {wrong}")
        self.stamps.handed = answer.commit_received_ns / 1e9
        self.stamps.announced = answer.announced_ns / 1e9
        self.stamps.first_step = answer.first_step_ns / 1e9

    def abandon(self, reason: str) -> None:
        """Tell, if there is still anybody to be told."""
        with suppress(TestbedError):  # the peer has gone, or has failed itself: it knows
            self._channel.send(Abandon(reason))

    def stream_facts(self) -> tuple[StreamFacts, ...]:
        """What each stream carried, and how its TCP fared."""
        return self._streams.facts() if self._streams else ()

    def connection_facts(self) -> ConnectionFacts | None:
        """How its TCP connections fared; None for a guest without a network."""
        if self._departure is None:
            return None
        reason = self._departure.reset_because
        refusals = self._departure.refusals + Counter({UNMADE: self._dumped - self._restored})
        return ConnectionFacts(
            mechanism="tcp_repair" if reason is None else "reset",
            reason=reason or "",
            moved=self._restored,
            refused=refusals.total(),
            refusals=dict(refusals),
            foreseen=dict(self.foreseen),
        )

    def close(self, *, gone: bool = False) -> None:
        """Untrack the guest and end all connections. ``gone``: it runs at the destination."""
        with ExitStack() as steps:  # the last first, and each whatever those before it raised
            steps.callback(self.memory.close)
            steps.callback(self._channel.sock.close)
            if self._streams:
                steps.callback(self._streams.close)
            steps.callback(self.memory.untrack)
            steps.callback(self.throttling.stop_taking_time)
            if self._departure:
                steps.callback(self._departure.close, gone=gone)

    def _send_connections(self) -> None:
        if self._departure:
            left = self._departure.leave()
            sent = [GuestConnection(each) for each in fitting(left)]
            self._dumped, self._sent = len(left), len(sent)
            self._channel.send_all(sent)
        self.stamps.sent = monotonic()

    def _known_cost(self, scan_s: float) -> float:
        """Seconds of a switchover now, beside its bytes."""
        connections = self._departure.connections() if self._departure else 0
        rtt_s = tcp_info(self._channel.sock).min_rtt_s
        return switchover_s(scan_s=scan_s, rtt_s=rtt_s, connections=connections)

    def _transfer(self, index: int, todo: Pass, memory: Memory, look: EarlyLook | None, *, stunned: bool) -> None:
        """Announce, send, and wait until the destination has in memory what was sent."""
        if self._streams is None:
            raise LocalProtocolError("the peers have not greeted each other")
        streams, size = self._streams, todo.size
        before = streams.page_bytes

        def told() -> None:
            self._progress(index, streams.page_bytes - before, size)

        def held_by_tcp() -> int:
            told()  # else the run, which hears nothing meanwhile, would take it for a source that hangs
            return streams.unacknowledged()

        self._channel.send(RoundBegin(index, size, int(stunned)))
        streams.send(index, todo, memory, told, look)
        sent = streams.page_bytes - before
        self._channel.send(RoundEnd(index, sent))
        # What TCP still holds arrives at the link's pace: as long as it gets less, the destination is slow, not silent.
        answer = self._channel.receive(RoundReceived, STUNNED_TIMEOUT_S if stunned else ANSWER_TIMEOUT_S, held_by_tcp)
        if (answer.index, answer.page_bytes) != (index, sent):
            raise MigrationAborted(f"the destination got {answer.page_bytes} of {sent} bytes in round {index}")
