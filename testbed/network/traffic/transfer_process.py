"""Both ends of a measurement, each a small process in its host: round trips on the idle link, then one bulk transfer.

    receive                                send
    ── port ──▶ (its stdout, our hands) ──▶ connect
       echo  ◀──────── 1 byte ──────────   round trip, timed; again
             ◀──────── b"B" ────────────   that was the last
       count ◀──────── bytes, shutdown ─   bulk
       ─────── JSON on stdout ──────────── JSON on stdout

Requests and results have the fields of ``transfer``'s dataclasses. Standard library only, and run by its path: it is
started for every migration, and must be there in milliseconds.
"""

import json
import os
import socket
import struct
import sys
import time

_CHUNK = 1 << 20
_ECHO, _BULK = b"E", b"B"
_MIN_RTT, _UNKNOWN = 148, 0xFFFFFFFF
"""Where ``tcpi_min_rtt`` is in TCP_INFO (include/uapi/linux/tcp.h), in microseconds."""


def receive(address: str, device: str, congestion: str, settle_bytes: int) -> None:
    """Says goodput in bytes per second by this end's clock, from the first read after ``settle_bytes`` to the last, of
    what came in by that interface.

    What has arrived by then, the bucket's first burst among it, is left out. ``whole`` leaves out nothing.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    listener.bind((address, 0))
    listener.listen(1)
    _choose(listener, congestion)
    _say(port=listener.getsockname()[1])
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while connection.recv(1) == _ECHO:
        connection.send(_ECHO)
    connection.send(_BULK)
    _count(connection, settle_bytes)


def _count(connection: socket.socket, settle_bytes: int) -> None:
    clock = time.monotonic
    buffer = bytearray(_CHUNK)
    view = memoryview(buffer)
    asked = last = clock()
    total = from_bytes = 0
    first = from_time = 0.0
    while size := connection.recv_into(view):
        last = clock()
        total += size
        first = first or last
        if not from_time and total >= settle_bytes:
            from_bytes, from_time = total, last
    goodput = (total - from_bytes) / (last - from_time) if from_time and last > from_time else 0.0
    _say(size=total, goodput=goodput, whole_s=last - asked, first_s=first - asked)


def send(address: str, port: int, congestion: str, size: int, seconds: float, trips: int) -> None:
    """Says round trip times in seconds; then ``size`` bytes, or as many as go in ``seconds`` when ``size`` is 0."""
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    _choose(connection, congestion)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.connect((address, port))
    times = _round_trips(connection, trips)
    least = _least_rtt(connection)
    connection.send(_BULK)
    connection.recv(1)
    started = time.monotonic()
    _bulk(connection, size, seconds)
    connection.shutdown(socket.SHUT_WR)
    connection.recv(1)  # the other end has counted everything and closed
    _say(round_trips=times, least_rtt_s=least, whole_s=time.monotonic() - started)


def _round_trips(connection: socket.socket, count: int, limit_s: float = 0.3) -> list[float]:
    """At least five, then as many of ``count`` as fit into ``limit_s``."""
    clock = time.monotonic
    times: list[float] = []
    end = clock() + limit_s
    while len(times) < count and (len(times) < 5 or clock() < end):
        started = clock()
        connection.send(_ECHO)
        connection.recv(1)
        times.append(clock() - started)
    return times


def _least_rtt(connection: socket.socket) -> float:
    """By the kernel's own account, the handshake included: no process has to wake up for that. 0: not known."""
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _MIN_RTT + 4)
    (least,) = struct.unpack_from("=I", info, _MIN_RTT) if len(info) >= _MIN_RTT + 4 else (0,)
    return 0.0 if least == _UNKNOWN else least / 1e6


def _bulk(connection: socket.socket, size: int, seconds: float) -> None:
    """From a memfd by sendfile, as a migration sends."""
    source = os.memfd_create("transfer")
    os.ftruncate(source, _CHUNK * 4)
    os.posix_fallocate(source, 0, _CHUNK * 4)
    end = time.monotonic() + seconds
    sent = 0
    while sent < size if size else time.monotonic() < end:
        sent += os.sendfile(connection.fileno(), source, 0, min(_CHUNK * 4, size - sent) if size else _CHUNK)


def _choose(connection: socket.socket, congestion: str) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, congestion.encode())


def _say(**what: float | list[float]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    request = json.loads(sys.argv[1])
    if "settle_bytes" in request:
        receive(**request)
    else:
        send(port=int(sys.stdin.readline()), **request)
