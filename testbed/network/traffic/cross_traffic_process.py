"""Other traffic at a set rate: both ends, each a small process in its host. ``cross_traffic.py`` starts and hears them.

    receive                                  send
    ── {"port": ...} ──▶ our hands ────────▶ first line of its stdin
       count ◀──────── paced payload ──────  until it is ended
    ── {"at": ..., "sent_bytes": ..., "packets": ...} ──▶ stdout, every 20 ms, by CLOCK_MONOTONIC

UDP is sent by a schedule: what is due by now is sent, in datagrams that fill a frame, as many at a time as one segment
of the link holds (UDP_SEGMENT, UDP_GRO), so that the kernel has as few packets to handle as of TCP. It does not yield:
whoever shares the queue with it does. TCP is paced by the kernel (SO_MAX_PACING_RATE), whose pacing counts payload.
Measured beside a migration's stream, at 34 % and 59 % of links of 300 Mbit/s to 1.2 Gbit/s: both within 0.2 % of their
rate, the stream within 0.2 % of the rest, no drops.

Standard library only. Sources: include/uapi/linux/udp.h; include/uapi/asm-generic/socket.h.
"""

import contextlib
import ctypes
import json
import selectors
import socket
import struct
import sys
import time

SO_MAX_PACING_RATE, UDP_SEGMENT, UDP_GRO = 47, 103, 104
PR_SET_TIMERSLACK = 29
UDP_IP_BYTES = 28
REPORT_S = 0.02
LATE_S = 0.02
"""What was not sent when this late is left out: made up for at once, it would overflow the link's queue."""
_CHUNK = 1 << 18
_RECEIVE_BUFFER = 8 << 20


def receive(address: str, device: str, protocol: str, connections: int) -> None:
    """Counts payload and the packets that it came in by that interface, until it is ended."""
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    sock = socket.socket(socket.AF_INET, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    sock.bind((address, 0))
    if protocol == "udp":
        with contextlib.suppress(OSError):  # a kernel before 5.0 gives datagrams one by one, and is counted so
            sock.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
        _say(port=sock.getsockname()[1])
        _count([sock])
        return
    sock.listen(connections)
    _say(port=sock.getsockname()[1])
    _count([sock.accept()[0] for _ in range(connections)])


def _count(socks: list[socket.socket]) -> None:
    view = memoryview(bytearray(_CHUNK))
    total = packets = 0
    spoke = time.monotonic()
    with selectors.DefaultSelector() as ready:
        for sock in socks:
            ready.register(sock, selectors.EVENT_READ, sock)
        while ready.get_map():
            for key, _ in ready.select():
                size = key.data.recv_into(view)
                if not size:
                    ready.unregister(key.fileobj)
                total += size
                packets += 1
            if (now := time.monotonic()) - spoke >= REPORT_S:
                spoke = now
                _say(at=now, sent_bytes=total, packets=packets)


def send_udp(address: str, port: int, rate: float, mtu: int, segment: int) -> None:
    """``rate`` in bytes per second of payload; ``segment`` is the largest packet that the link takes whole."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((address, port))
    datagram = mtu - UDP_IP_BYTES
    together = max(1, min(segment, 60_000) // datagram)
    if together > 1:
        sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, datagram)
    payload = bytes(datagram * together)
    _exact_sleep()
    due, every = time.monotonic(), len(payload) / rate
    while True:
        now = time.monotonic()
        due = max(due, now - LATE_S)
        while due <= now:
            with contextlib.suppress(ConnectionRefusedError, BlockingIOError):  # nobody listens yet
                sock.send(payload)
            due += every
        time.sleep(due - now)


def send_tcp(address: str, port: int, rate: float, congestion: str, connections: int) -> None:
    """Sends ``rate`` bytes per second of payload by the kernel's own pacing, or as much of it as it gets: a single
    connection would get half of the link at most, for in a queue each has the same share.
    """
    socks = [_paced(address, port, rate / connections, congestion) for _ in range(connections)]
    payload = bytes(_CHUNK)
    with selectors.DefaultSelector() as ready:
        for sock in socks:
            ready.register(sock, selectors.EVENT_WRITE, sock)
        while True:
            for key, _ in ready.select():
                key.data.send(payload)


def _paced(address: str, port: int, rate: float, congestion: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, congestion.encode())
    sock.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, struct.pack("@L", max(1, round(rate))))
    sock.connect((address, port))
    sock.setblocking(False)
    return sock


def _exact_sleep() -> None:
    """A sleep ends 50 us late by default."""
    ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0)


def _say(**what: float) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Either end, as the one argument says: JSON with the fields of ``crossing``'s requests."""
    request = json.loads(sys.argv[1])
    end, protocol = request.pop("end"), request.pop("protocol")
    if end == "receive":
        receive(protocol=protocol, **request)
        return
    port = int(sys.stdin.readline())
    if protocol == "udp":
        send_udp(port=port, **request)
    else:
        send_tcp(port=port, **request)


if __name__ == "__main__":
    with contextlib.suppress(OSError, KeyboardInterrupt):  # the other end, or who hears us, has gone
        main()
