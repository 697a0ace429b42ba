"""The sampler on real links and streams: what it has written is what was sent."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testbed.core.plan import LinkPlan, NetworkPlan
from testbed.linux.net.tcp_info import TcpConnections
from testbed.metrics.host import ProcessSource
from testbed.metrics.link import LinkSource
from testbed.metrics.sampler import Sampler
from testbed.metrics.tcp import TcpSource
from testbed.network.fabric import Fabric
from testbed.network.links import shape

SIZE = 40 * 10**6
PORT = 7400
STREAMS = 3
SINK = f"""
import socket
with socket.create_server(("10.0.1.2", {PORT})) as server:
    print("listening", flush=True)
    connections = [server.accept()[0] for _ in range({STREAMS})]
    for connection in connections:
        left = {SIZE // STREAMS}
        while left:
            left -= len(connection.recv(1 << 20))
        connection.sendall(b"all")
    for connection in connections:
        connection.recv(1)  # its end
"""
SENDER = f"""
import socket, sys, threading
sys.stdin.readline()
connections = [socket.create_connection(("10.0.1.2", {PORT})) for _ in range({STREAMS})]
def send(connection):
    connection.sendall(bytes({SIZE // STREAMS}))
    connection.recv(3)
threads = [threading.Thread(target=send, args=(connection,)) for connection in connections]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print("sent", flush=True)
sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def fabric() -> Iterator[Fabric]:
    plan = LinkPlan(rate=1e9)
    with Fabric(NetworkPlan(vmotion=plan), "test-metrics") as up:
        shape(up, "vmotion", plan)
        yield up


@pytest.fixture(scope="module")
def rows(fabric: Fabric, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Of one transfer over three streams, sampled from before it began until after it ended."""
    path = tmp_path_factory.mktemp("metrics") / "samples.jsonl"
    _transfer(fabric, path)
    return [json.loads(line) for line in path.read_text().splitlines()]


def _transfer(fabric: Fabric, path: Path) -> None:
    pipe = subprocess.PIPE
    sink = fabric.spawn("esx2", [sys.executable, "-c", SINK], stdout=pipe)
    sender = fabric.spawn("esx1", [sys.executable, "-c", SENDER], stdin=pipe, stdout=pipe)
    assert sink.stdout is not None
    assert sender.stdout is not None
    assert sender.stdin is not None
    sink.stdout.readline()
    esx1, esx2 = fabric.host("esx1"), fabric.host("esx2")
    sources = (
        LinkSource("esx1", esx1.pid, "vmotion"),
        LinkSource("esx2", esx2.pid, "vmotion"),
        TcpSource("esx1", esx1.pid, PORT),
        ProcessSource({"source": sender.pid, "destination": sink.pid}),
    )
    with Sampler(path, sources) as sampler:
        sampler.event("started", streams=STREAMS)
        sender.stdin.write(b"\n")
        sender.stdin.flush()
        sender.stdout.readline()
        seen = sampler.taken
        while sampler.taken < seen + 2:  # so that the last counters are those of the end
            threading.Event().wait(0.005)
    sender.communicate(b"\n")
    sink.communicate()


def _of(rows: list[dict[str, Any]], kind: str, host: str | None = None) -> list[dict[str, Any]]:
    return [row for row in rows if row["kind"] == kind and host in (None, row.get("host"))]


def test_both_ends_and_their_qdiscs_are_in_every_tick(rows: list[dict[str, Any]]) -> None:
    counts = {len(_of(rows, kind, host)) for kind in ("link", "qdisc") for host in ("esx1", "esx2")}
    assert len(counts) == 1
    assert counts.pop() > 10


def test_what_one_end_sent_the_other_received(rows: list[dict[str, Any]]) -> None:
    sent, received = (_of(rows, "link", host) for host in ("esx1", "esx2"))
    assert sent[-1]["tx_bytes"] - sent[0]["tx_bytes"] >= SIZE
    assert sent[-1]["tx_bytes"] == received[-1]["rx_bytes"]
    assert sent[-1]["rx_bytes"] == received[-1]["tx_bytes"]


def test_the_qdisc_shapes_and_drops_nothing(rows: list[dict[str, Any]]) -> None:
    qdisc = _of(rows, "qdisc", "esx1")
    assert {row["qdisc"] for row in qdisc} == {"tbf"}
    assert qdisc[-1]["drops"] == 0
    assert qdisc[-1]["overlimits"] > 0
    assert max(row["backlog"] for row in qdisc) > 0


def test_every_stream_is_seen_from_outside(rows: list[dict[str, Any]]) -> None:
    streams: dict[int, list[dict[str, Any]]] = {}
    for row in _of(rows, "tcp"):
        streams.setdefault(row["port"], []).append(row)
    assert len(streams) == STREAMS
    for samples in streams.values():
        acked = [row["bytes_acked"] for row in samples]
        assert acked == sorted(acked)
        assert acked[-1] >= SIZE // STREAMS
        assert all(row["rtt_s"] > 0 and row["cwnd"] > 0 and row["congestion"] for row in samples)


def test_the_processes_are_there_with_their_names(rows: list[dict[str, Any]]) -> None:
    assert {row["name"] for row in _of(rows, "process")} == {"source", "destination"}
    cpu = [row["cpu_s"] for row in _of(rows, "process") if row["name"] == "source"]
    assert cpu == sorted(cpu)


def test_events_and_samples_are_on_one_clock(rows: list[dict[str, Any]]) -> None:
    (event,) = [row for row in rows if row.get("event") == "started"]
    assert event["streams"] == STREAMS
    links = _of(rows, "link", "esx1")
    assert links[0]["t"] - 1 < event["t"] < links[-1]["t"]


def test_connections_of_one_host_are_not_those_of_another(fabric: Fabric) -> None:
    with TcpConnections(fabric.host("client").pid) as connections:
        assert connections.all() == []
        assert connections.in_use() == 0
