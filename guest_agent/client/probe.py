"""Asks the guest's UDP echo every 1.9 ms whether it is there, at as little cost as can be.

    period ──> every sixteenth: read the answers that came, with the kernel's time stamps ──> send ──> sleep

One wake-up a period, and none for an answer: it waits in the socket's queue, and when it really came is the kernel's
word (SO_TIMESTAMPNS, socket(7)), which is of CLOCK_REALTIME and put on CLOCK_MONOTONIC by their difference, measured
anew whenever answers are read: a wall clock that is set meanwhile is no blackout. Most of the cost is the kernel's:
waking up, and carrying the probe to where it goes.
"""

import os
import select
import socket
import struct
import time
from collections.abc import Callable

from guest_agent.client.common import LAST_ANSWERS_S, PATIENCE_S, ClientConfig, is_stop, say
from guest_agent.client.conversation import ClientFinished, ClientReady
from guest_agent.ring import RingWriter
from testbed.core.errors import TestbedError
from testbed.core.network.names import PROBE_PORT

PERIOD_S = 0.0019
_EVERY = 64
"""Periods between two looks at what the parent says."""
_TOGETHER = 16
"""Periods whose answers are read together: reading them all costs little more than reading one."""
_PROBE = struct.Struct("!4sQQ")
_MAGIC = b"prob"
_TIMESPEC = struct.Struct("@ll")
_SO_TIMESTAMPNS = getattr(socket, "SO_TIMESTAMPNS", 35)
_ANCILLARY = socket.CMSG_SPACE(_TIMESPEC.size)


def run(config: ClientConfig) -> bool:
    """Until it is told to stop (``True``) or its parent has died. Raises ``TestbedError`` where nobody answers."""
    probe = Probe(config.address, config.port or PROBE_PORT, config.log())
    if not probe.reach(PATIENCE_S):
        raise TestbedError(f"no answer from {config.address} within {PATIENCE_S:g} s; is the guest running?")
    say(ClientReady())
    parent = _Parent()
    while not parent.says_stop:
        probe.periods(_EVERY)
    if not parent.is_there:
        return False
    probe.finish(LAST_ANSWERS_S)
    say(ClientFinished(sent=probe.sent, answered=probe.answered, errors=probe.errors, reconnects=0))
    return True


class Probe:
    """``sent`` is also the last sequence number. ``errors``: probes that the kernel would not send."""

    def __init__(self, address: str, port: int, log: RingWriter) -> None:
        self._log, self.sent, self.answered, self.errors = log, 0, 0, 0
        self._newest, self._due = 0, time.monotonic()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.connect((address, port))
        self._clock = WallClock()

    def reach(self, seconds: float) -> bool:
        """Probes until the first answer, and forgets what was refused before it."""
        deadline = time.monotonic() + seconds
        while not self.answered and time.monotonic() < deadline:
            self.periods(1)
        self.errors = 0
        return bool(self.answered)

    def periods(self, count: int) -> None:
        """Sends that many, a period apart. What a period is late by is not made up for."""
        for _ in range(count):
            if self.sent % _TOGETHER == 0:
                self.receive()
            self._send()
            now = time.monotonic()
            self._due = max(self._due + PERIOD_S, now)
            time.sleep(self._due - now)

    def finish(self, seconds: float) -> None:
        """Waits for the answer to the last one: those before it that are not here by then were lost."""
        deadline = time.monotonic() + seconds
        self.receive()
        while self._newest < self.sent and (left := deadline - time.monotonic()) > 0:
            select.select([self._socket], [], [], left)
            self.receive()

    def receive(self) -> None:
        """Logs the answers that came; once the last one sent is answered, no others are looked for."""
        self._clock.measure()
        while self._newest < self.sent:
            try:
                data, ancillary, _, _ = self._socket.recvmsg(_PROBE.size, _ANCILLARY)
            except BlockingIOError:
                return
            except OSError:  # the answer was an ICMP message: nobody listens there
                self.errors += 1
                continue
            if len(data) == _PROBE.size and ancillary:
                self._answer(data, ancillary[0][2])

    def _answer(self, data: bytes, stamp: bytes) -> None:
        magic, sequence, sent_ns = _PROBE.unpack(data)
        if magic != _MAGIC:
            return
        seconds, nanoseconds = _TIMESPEC.unpack(stamp)
        came_ns = self._clock.when(seconds * 1_000_000_000 + nanoseconds, sent_ns)
        self._log.append(sent_ns, came_ns, sequence, 0)
        self.answered += 1
        self._newest = max(self._newest, sequence)

    def _send(self) -> None:
        self.sent += 1
        try:
            self._socket.send(_PROBE.pack(_MAGIC, self.sent, time.monotonic_ns()))
        except OSError:
            self.errors += 1


class WallClock:
    """Puts times of CLOCK_REALTIME on CLOCK_MONOTONIC, though the first may be set in between. All in ns."""

    def __init__(self, difference: Callable[[], int] | None = None) -> None:
        """``difference``: CLOCK_REALTIME less CLOCK_MONOTONIC now."""
        self._difference = difference or clock_difference
        self._now = self._before = self._difference()
        self._latest = 0

    def measure(self) -> None:
        """Now, before what came since the last time is put on the other clock."""
        self._before, self._now = self._now, self._difference()

    def when(self, stamp: int, sent: int) -> int:
        """What was stamped since the last but one ``measure``, and cannot have been before it was ``sent``, nor later
        than now: so it tells by itself whether the clock was set before it came, or after. Nor before the one that was
        asked for last: they are read in the order in which they came, and in a burst are closer than one can measure.
        """
        now, least = time.monotonic_ns(), max(sent, self._latest)
        found = (stamp - difference for difference in (self._now, self._before))
        self._latest = next((each for each in found if least <= each <= now), min(max(stamp - self._now, least), now))
        return self._latest


class _Parent:
    """The parent, looked at now and then."""

    def __init__(self) -> None:
        self._said, self.is_there = b"", True

    @property
    def says_stop(self) -> bool:
        """It does, or it has died."""
        if not select.select([0], [], [], 0)[0]:
            return False
        came = os.read(0, 4096)
        self.is_there = bool(came)
        *lines, self._said = (self._said + came).split(b"\n")
        return not came or any(is_stop(line) for line in lines)


def clock_difference(tries: int = 3) -> int:
    """CLOCK_REALTIME less CLOCK_MONOTONIC, ns: of several measurements the one that took the shortest."""
    best = (1 << 63, 0)
    for _ in range(tries):
        before = time.monotonic_ns()
        real = time.time_ns()
        after = time.monotonic_ns()
        best = min(best, (after - before, real - (before + after) // 2))
    return best[1]
