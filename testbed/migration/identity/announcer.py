"""Telling switch and neighbours where the guest is now: prepared frames, at once and a few times more.

    link up ── first ────── +50 ms ────────── +150 ms ────────────────── +300 ms          one may be lost, all hardly

The frames come ready from the run (``packets.announcement``), so that no agent has to know how they are made.
"""

import socket
import threading
from collections.abc import Callable, Sequence
from time import monotonic, monotonic_ns

from testbed.core.agents.told import Announced
from testbed.linux.net.netns import inside

REPEATS_S = (0.05, 0.15, 0.3)
"""After the first one; vSphere's Notify Switches repeats as well."""


class Announcer:
    """Frames on the interface of a guest's namespace. Opened before the link is up, since opening takes time.

    Raises ``OSError``. ``count`` is how many times all frames were sent, ``fault`` what was in the way before. Without
    frames nobody is told, and nothing counts.
    """

    def __init__(self, pid: int, interface: str, frames: Sequence[bytes]) -> None:
        self._socket = inside(pid, lambda: _open(interface))
        self._frames = frames
        self._enough = threading.Event()
        self.count = 0
        self.fault: str | None = None

    def announce(self) -> int:
        """Sends them all. When that was done (CLOCK_MONOTONIC, ns). Raises ``OSError``."""
        for frame in self._frames:
            self._socket.send(frame)
        self.count += bool(self._frames)
        return monotonic_ns()

    def repeat(self, say: Callable[[Announced], None]) -> None:
        """At ``REPEATS_S`` from now; then says how often, and the fault if one ended it."""
        begun, fault = monotonic(), self.fault
        try:
            for after_s in REPEATS_S if self._frames else ():
                self._enough.wait(max(0.0, begun + after_s - monotonic()))
                if self._enough.is_set():
                    break
                self.announce()
        except OSError as error:  # the guest has gone, or its link was cut
            fault = fault or str(error)
        say(Announced(count=self.count, fault=fault))

    def close(self) -> None:
        """No more of them."""
        self._enough.set()
        self._socket.close()


def _open(interface: str) -> socket.socket:
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)  # protocol 0: it receives nothing
    try:
        sock.bind((interface, 0))
    except OSError:
        sock.close()
        raise
    return sock
