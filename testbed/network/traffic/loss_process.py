"""Datagrams that are counted where they arrive, by the kernel's counter of the interface: this is who sends them.

Each is one frame, so each is lost or not by itself. What is under way is kept few by this socket's own buffer, so that
no queue on the way overflows. Standard library only, and run by its path, as ``transfer_process`` is.
"""

import json
import socket
import sys
import time

_LOAD = b"\0" * 18
"""As little as an Ethernet frame holds."""
_SO_SNDBUFFORCE = 32
_OF_ONE = 1024
"""What the kernel charges a socket for one that waits: about that, and never less than 500."""


def send(address: str, port: int, packets: int, under_way: int, seconds: float) -> None:
    """Says how many were sent: ``packets``, or fewer where ``seconds`` are over."""
    until = time.monotonic() + seconds
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        room = max(2, under_way) * _OF_ONE // 2  # the kernel doubles it
        try:
            datagrams.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, room)
        except OSError:  # it is root's alone
            datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, room)
        datagrams.connect((address, port))
        sent = 0
        while sent < packets and (sent % 256 or time.monotonic() < until):
            datagrams.send(_LOAD)
            sent += 1
    sys.stdout.write(json.dumps({"sent": sent}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    send(**json.loads(sys.argv[1]))
