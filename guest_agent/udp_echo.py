"""The guest's answer to "are you there?": UDP echo (RFC 862) on port 7, from whoever asks, as long as the guest runs.

A guest that waits is silent, though its port is taken early: an answer would say that it runs.
It keeps nothing, so it needs no gate and no place in RAM: a datagram that was read and not yet answered at the stun is
lost, as datagrams are.
"""

import socket

from guest_agent.loop import GuestLoop
from testbed.core.errors import TestbedError
from testbed.core.network.names import PROBE_PORT

_MOST, _LARGEST = 64, 2048
"""Datagrams of one turn, and bytes of one."""
_FREEBIND = 15
"""``IP_FREEBIND`` (linux/in.h): the address need not be there yet, nor all the time."""


class ProbeResponder:
    """Answers while the loop turns, from ``begin`` on."""

    def __init__(self, loop: GuestLoop, address: str) -> None:
        """Raises ``TestbedError`` where the address cannot be bound."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.IPPROTO_IP, _FREEBIND, 1)
        try:
            self._socket.bind((address, PROBE_PORT))
        except OSError as error:
            self._socket.close()
            raise TestbedError(f"the guest cannot answer probes at {address} port {PROBE_PORT}: {error}") from error
        self._loop = loop

    def begin(self) -> None:
        """The guest runs, and so its probes are answered."""
        self._loop.serve(self._socket.fileno(), self._answer)

    def _answer(self) -> None:
        for _ in range(_MOST):
            try:
                data, sender = self._socket.recvfrom(_LARGEST)
                self._socket.sendto(data, sender)
            except BlockingIOError:
                return
            except OSError:  # an asker that has gone, or cannot be reached now: it asks again
                continue
