"""The destination's side: receives rounds into the waiting guest's memory, and runs it when it is handed over."""

from collections.abc import Callable
from contextlib import suppress
from time import monotonic_ns

from testbed.core.agents.patience import CONNECT_TIMEOUT_S, PAGES_TIMEOUT_S, QUIET_S
from testbed.core.connection import TcpConnection
from testbed.core.errors import LocalProtocolError, MigrationAborted, RemoteProtocolError, TestbedError, in_words
from testbed.core.units import PAGE_SIZE
from testbed.migration.admission import Admission
from testbed.migration.channel import Channel
from testbed.migration.digest import digest
from testbed.migration.guest import Arrival, HostedGuest
from testbed.migration.streams.receiving import ReceiveStream, RoundCounter
from testbed.wire.messages import (
    NO_DIGEST,
    Abandon,
    Commit,
    Failed,
    GuestConnection,
    Hello,
    Message,
    Prepare,
    Prepared,
    RoundBegin,
    RoundEnd,
    RoundReceived,
    Running,
    StreamHello,
    Welcome,
)


class DestinationAgent:
    """Serves one migration. ``abandoned`` says whether it ended before commit, and why."""

    def __init__(
        self,
        *,
        guest: HostedGuest,
        memory: memoryview,
        channel: Channel,
        admission: Admission[StreamHello],
        arrival: Arrival | None = None,
    ) -> None:
        self._guest, self._memory, self._channel, self._admission = guest, memory, channel, admission
        self._arrival = arrival
        self._streams: dict[int, ReceiveStream] = {}
        self._connections: list[TcpConnection] = []
        self._counter = RoundCounter(len(memory))
        self._strict = False
        self.abandoned: str | None = None
        self.runs_here = False
        self._handlers: dict[type, Callable[..., None]] = {
            Hello: self._on_hello,
            RoundBegin: self._on_round_begin,
            RoundEnd: self._on_round_end,
            GuestConnection: self._on_connection,
            Prepare: self._on_prepare,
            Commit: self._on_commit,
            Abandon: self._on_abandon,
        }
        self._done = False

    def serve(self) -> None:
        """Until the guest runs here or the source abandons. On a fault of ours the source is told ``Failed``."""
        try:
            while not self._done:
                message = self._channel.next_message(QUIET_S, self._counter.came)
                self._handle(message)
        except TestbedError as fault:
            self.abandoned = str(fault)
            self._forget()
            self._tell(str(fault))
            raise

    def close(self) -> None:
        """Ends the streams: after this nothing of them touches the memory."""
        for stream in self._streams.values():
            stream.end()
        self._streams.clear()

    def _handle(self, message: Message) -> None:
        self._handlers[type(message)](message)

    def _forget(self) -> None:
        """Before the source hears that the guest is its own: two hosts never speak for it."""
        if self._arrival and not self.runs_here:
            self._arrival.forget()

    def _tell(self, reason: str) -> None:
        # Too late in the protocol to say so, or nobody is there: the closed connection says it.
        with suppress(LocalProtocolError, RemoteProtocolError):
            self._channel.send(Failed(reason))

    def _on_hello(self, hello: Hello) -> None:
        if (hello.ram_bytes, hello.page_size) != (len(self._memory), PAGE_SIZE):
            raise RemoteProtocolError(
                f"the guest has {hello.ram_bytes} bytes in pages of {hello.page_size}, "
                f"{len(self._memory)} in pages of {PAGE_SIZE} are reserved"
            )
        if not 1 <= hello.streams <= 16:
            raise RemoteProtocolError(f"{hello.streams} streams were asked, 1 to 16 are possible")
        self._strict = bool(hello.strict)
        self._channel.send(Welcome(len(self._memory)))
        for _ in range(hello.streams):
            self._admit_stream(hello.streams)
        self._admission.close()

    def _admit_stream(self, announced: int) -> None:
        try:
            sock, _, hello = self._admission.admit(CONNECT_TIMEOUT_S)
        except MigrationAborted as fault:
            raise RemoteProtocolError(f"a stream was announced and did not come: {in_words(fault)}") from fault
        if hello.index in self._streams or hello.index >= announced:
            sock.close()
            raise RemoteProtocolError(f"stream {hello.index} of {announced} came twice, or is none of them")
        stream = self._streams[hello.index] = ReceiveStream(sock, self._memory, self._counter)
        stream.start()

    def _on_round_begin(self, begin: RoundBegin) -> None:
        """Nothing to do: pages say themselves which round they are of."""

    def _on_round_end(self, end: RoundEnd) -> None:
        self._counter.wait(end.index, end.page_bytes, PAGES_TIMEOUT_S)
        self._channel.send(RoundReceived(end.index, end.page_bytes))

    def _on_prepare(self, prepare: Prepare) -> None:
        self._counter.seal()  # whatever a stream still says, the guest is going to run in this memory
        operations = self._guest.operations()
        mine = digest(self._guest.ports().ram_fd, len(self._memory)) if self._strict else NO_DIGEST
        if (operations, mine) != (prepare.operations, prepare.digest):
            raise RemoteProtocolError(
                f"memory differs: {operations} operations here, {prepare.operations} at the source; "
                f"digest {mine.hex()} here, {prepare.digest.hex()} at the source"
            )
        self._channel.send(Prepared(operations, mine, self._restore(prepare.connections)))

    def _on_connection(self, message: GuestConnection) -> None:
        if self._arrival is None:
            raise RemoteProtocolError("a connection came for a guest without a network")
        self._connections.append(message.connection)

    def _restore(self, announced: int) -> int:
        """Makes the connections that came and gives them to the waiting guest: how many could be made."""
        if len(self._connections) != announced:
            raise RemoteProtocolError(f"{len(self._connections)} connections came, {announced} were sent")
        if self._arrival is None or not announced:
            return 0
        made = self._arrival.restore(self._connections)
        self._guest.adopt([each for each in made if not each[0].closed])
        self._connections = []
        return len(made)

    def _on_commit(self, _commit: Commit) -> None:
        """The first step is the last that may fail, so nobody hears of the guest before it. Its services begin when
        it is heard.
        """
        received_ns = monotonic_ns()
        self._guest.hold()
        first_step, operation = self._guest.run()
        self.runs_here = True
        announced_ns = self._arrival.appear() if self._arrival else monotonic_ns()
        self._guest.resume()
        try:
            self._channel.send(Running(received_ns, announced_ns, round(first_step * 1e9), operation))
        finally:
            if self._arrival:
                self._arrival.hand_over()
        self._done = True

    def _on_abandon(self, abandon: Abandon) -> None:
        self.abandoned = self._counter.fault or abandon.reason  # what broke here explains what the source saw
        self._forget()
        self._done = True
