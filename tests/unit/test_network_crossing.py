"""Cross traffic without hosts: its two processes over the loopback, and the counting between instants."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import pytest

from testbed.core.plan import CrossTrafficPlan, LinkPlan, NetworkPlan
from testbed.network import cross_traffic_process
from testbed.network.cross_traffic import TCP_HEADERS, UDP_HEADERS, Crossed, Crossing
from testbed.network.fabric import Fabric

RATE = 4e6


def crossing(*seen: Crossed, protocol: str = "udp") -> Crossing:
    traffic = CrossTrafficPlan(rate=8 * RATE, protocol="tcp" if protocol == "tcp" else "udp")
    plan = NetworkPlan(vmotion=LinkPlan(goodput=1e9), cross_traffic=traffic)
    made = Crossing(Fabric(plan, "never-entered"), plan)
    made._seen.extend(seen)
    return made


def arrived(at: float, sent_bytes: int, packets: int) -> Crossed:
    return Crossed(at=at, sent_bytes=sent_bytes, packets=packets)


def test_between_two_counts_it_flows_evenly() -> None:
    made = crossing(arrived(10, 1000, 10), arrived(12, 3000, 20), arrived(13, 9000, 50))
    assert made.between(10.5, 12.5) == arrived(12.5, 6000 - 1500, 35 - 12)
    assert made.rate(10, 12) == 1000
    assert made.rate(12, 12) is None


def test_before_the_first_and_after_the_last_nothing_is_known_to_flow() -> None:
    made = crossing(arrived(10, 1000, 10), arrived(12, 3000, 20))
    assert made.between(0, 100) == arrived(100, 2000, 10)
    assert crossing().between(0, 1).sent_bytes == 0


def test_a_count_that_takes_tcps_headers_off_sees_less_of_udp() -> None:
    seen = (arrived(10, 0, 0), arrived(12, 3000, 20))
    assert crossing(*seen).payload(10, 12) == 3000 - 20 * (TCP_HEADERS - UDP_HEADERS)
    assert crossing(*seen, protocol="tcp").payload(10, 12) == 3000


@contextmanager
def end(**request: object) -> Iterator["subprocess.Popen[str]"]:
    argv = [sys.executable, "-I", "-S", cross_traffic_process.__file__, json.dumps({"address": "127.0.0.1", **request})]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.mark.parametrize(
    "sending",
    [
        {"protocol": "udp", "rate": RATE, "mtu": 1500, "segment": 1},
        {"protocol": "udp", "rate": 10 * RATE, "mtu": 9000, "segment": 65536},
        {"protocol": "tcp", "rate": 20 * RATE, "congestion": "reno"},
    ],
    ids=["datagrams", "segments", "tcp"],
)
def test_what_arrives_is_counted_and_at_the_rate_asked(sending: dict[str, Any]) -> None:
    with (
        end(end="receive", device="lo", protocol=sending["protocol"]) as receiver,
        end(end="send", **sending) as sender,
    ):
        assert receiver.stdout and sender.stdin
        sender.stdin.write(f"{json.loads(receiver.stdout.readline())['port']}\n")
        sender.stdin.flush()
        counts = [json.loads(line) for line in islice(receiver.stdout, 25)]
    first, last = counts[5], counts[-1]
    assert [row["at"] for row in counts] == sorted(row["at"] for row in counts)
    assert last["packets"] > first["packets"] > 0
    assert (last["bytes"] - first["bytes"]) / (last["at"] - first["at"]) == pytest.approx(sending["rate"], rel=0.1)
