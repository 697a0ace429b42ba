"""Datagrams that are counted where they arrive, by the kernel's counter of the interface: this is who sends them.

Each is one frame, so each is lost or not by itself. What is under way is kept few, so that no queue on the way
overflows: by this socket's own buffer, and on a link with a delay by a pace, since netem takes what it delays off its
socket's account. Standard library only, and run by its path, as ``transfer_process`` is.
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
_AT_ONCE = 64


def send(address: str, port: int, packets: int, under_way: int, pace: float | None, seconds: float) -> None:
    """Says how many were sent: ``packets``, or fewer where ``seconds`` are over. ``pace``: frames a second at most."""
    due = time.monotonic()
    until = due + seconds
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        room = max(2, under_way) * _OF_ONE // 2  # the kernel doubles it
        try:
            datagrams.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, room)
        except OSError:  # it is root's alone
            datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, room)
        datagrams.connect((address, port))
        sent = 0
        while sent < packets and time.monotonic() < until:
            time.sleep(max(0.0, due - time.monotonic()))
            for _ in range(min(_AT_ONCE, packets - sent)):
                datagrams.send(_LOAD)
                sent += 1
            if pace:  # who was late does not catch up
                due = max(due, time.monotonic()) + _AT_ONCE / pace
    sys.stdout.write(json.dumps({"sent": sent}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    send(**json.loads(sys.argv[1]))
