"""Cross traffic without hosts: its two processes over the loopback, and the counting between instants."""

import inspect
import os
import subprocess
import threading
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, Literal

import pytest

from testbed.core.errors import TestbedError
from testbed.core.plan import CrossTrafficPlan, LinkPlan, NetworkPlan
from testbed.network.fabric import Fabric
from testbed.network.hosts import Host, Interface
from testbed.network.traffic import cross_traffic_process
from testbed.network.traffic.cross_traffic import (
    TCP_HEADERS,
    UDP_HEADERS,
    Crossed,
    Crossing,
    CrossReceiver,
    CrossTcpSender,
    CrossUdpSender,
)

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


class Here:
    """Starts processes on this machine itself: the stand-in of a ``Fabric``."""

    def __init__(self, interface: Interface | None = None) -> None:
        self._interface = interface
        self.started: list[subprocess.Popen[bytes]] = []

    def host(self, name: str) -> Host:
        return Host(name=name, pid=os.getpid(), vmotion=self._interface, vm=None)

    def spawn(self, _host: str, argv: list[str], **more: Any) -> "subprocess.Popen[bytes]":
        self.started.append(subprocess.Popen(argv, **more))
        return self.started[-1]


LOOPBACK = Interface(name="lo", ip="127.0.0.1", prefix=8, mac="00:00:00:00:00:00")


@pytest.mark.parametrize(
    ("protocol", "link", "rate"),
    [
        ("udp", LinkPlan(rate=1e7), RATE),
        ("udp", LinkPlan(goodput=1e9, mtu=9000), 10 * RATE),
        ("tcp", LinkPlan(goodput=1e9, congestion="reno"), 20 * RATE),
    ],
    ids=["datagrams", "segments", "tcp"],
)
def test_what_arrives_is_counted_and_at_the_rate_asked(
    protocol: Literal["udp", "tcp"], link: LinkPlan, rate: float
) -> None:
    plan = NetworkPlan(vmotion=link, cross_traffic=CrossTrafficPlan(rate=8 * rate, protocol=protocol))
    counts, enough, hosts = list[Crossed](), threading.Event(), Here(LOOPBACK)

    def count(crossed: Crossed) -> None:
        counts.append(crossed)
        if len(counts) == 25:
            enough.set()

    with Crossing(hosts, plan, count) as running:  # type: ignore[arg-type]
        assert enough.wait(20)
    first, last = counts[5], counts[24]
    assert [row.at for row in counts] == sorted(row.at for row in counts)
    assert last.packets > first.packets > 0
    reached = running.rate(first.at, last.at)
    assert reached == pytest.approx(rate, rel=0.1)
    assert all(process.returncode is not None for process in hosts.started) and len(hosts.started) == 2


def test_a_receiver_that_does_not_start_is_one_sentence() -> None:
    plan = NetworkPlan(vmotion=LinkPlan(goodput=1e9), cross_traffic=CrossTrafficPlan(rate=8 * RATE))
    hosts = Here(replace(LOOPBACK, name="nowhere"))
    with pytest.raises(TestbedError, match="receiver did not start"), Crossing(hosts, plan):  # type: ignore[arg-type]
        raise AssertionError("nothing can arrive")
    assert [process.returncode is not None for process in hosts.started] == [True]


def test_both_ends_know_the_same_requests() -> None:
    """``cross`` cannot import them: it is started without anything but Python's own library."""
    taken: dict[type[Any], Callable[..., None]]
    taken = {
        CrossReceiver: cross_traffic_process.receive,
        CrossUdpSender: cross_traffic_process.send_udp,
        CrossTcpSender: cross_traffic_process.send_tcp,
    }
    for request, function in taken.items():
        parameters = inspect.signature(function).parameters.keys() - {"port", "protocol"}
        assert parameters == {field.name for field in fields(request)} - {"end", "protocol"}
