"""What else uses the link, and what holds a stream back: by ratios on real hosts, links and TCP."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from testbed.core.errors import ScenarioError
from testbed.core.plan import CrossTrafficPlan, GuestPlan, LinkPlan, MigrationPlan, NetworkPlan, Plan
from testbed.core.records.migration import AccountingRecord
from testbed.findings.accounting import NO_CROSS, CrossCount, LinkCount, account
from testbed.linux.net.counters import Counters
from testbed.model.link import available
from testbed.network.fabric import Fabric
from testbed.network.links import shape
from testbed.network.traffic.cross_traffic import Crossed, Crossing
from testbed.network.traffic.transfer import transfer

GOODPUT = 300e6
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def fabric() -> Iterator[Fabric]:
    with Fabric(NetworkPlan(vmotion=LinkPlan()), "test-traffic") as up:
        yield up


def planned(rate: float, protocol: str, mtu: int = 1500) -> Plan:
    cross = CrossTrafficPlan(rate=rate, protocol="tcp" if protocol == "tcp" else "udp")
    return Plan(
        name="test",
        network=NetworkPlan(vmotion=LinkPlan(goodput=GOODPUT, mtu=mtu), cross_traffic=cross),
        guest=GuestPlan(ram_bytes=2**30, workload={"name": "idle"}),
        migration=MigrationPlan(policy={"name": "plain"}),
    )


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
@pytest.mark.parametrize("share", [0.34, 0.59])
def test_cross_traffic_gets_its_rate_and_a_migration_the_rest(fabric: Fabric, protocol: str, share: float) -> None:
    plan = planned(GOODPUT * share, protocol)
    shape(fabric, "vmotion", plan.network.vmotion)
    told: list[Crossed] = []
    with Crossing(fabric, plan.network, told.append) as crossing:
        begun = monotonic()
        # Long enough that what TCP loses once, when the transfer first fills the queue, is little of the whole.
        seen = transfer(fabric, congestion="cubic", seconds=3.0, settle_bytes=2**20)
        ended = monotonic()
    assert crossing.rate(begun, ended) == pytest.approx(GOODPUT * share / 8, rel=0.02)
    assert seen.goodput == pytest.approx(available(plan, GOODPUT / 8), rel=0.03)
    assert [crossed.at for crossed in told] == sorted(crossed.at for crossed in told)
    assert not crossing.between(ended + 60, ended + 61).sent_bytes


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
@pytest.mark.parametrize("mtu", [1500, 9000])
def test_the_accounts_add_up_beside_it(fabric: Fabric, protocol: str, mtu: int) -> None:
    plan = planned(GOODPUT * 0.59, protocol, mtu)
    shape(fabric, "vmotion", plan.network.vmotion)
    with Counters(fabric.ends("vmotion")[0].pid, "vmotion") as counters, Crossing(fabric, plan.network) as crossing:
        before, begun = counters.link(), monotonic()
        sent = transfer(fabric, congestion="cubic", size=20_000_000).size
        after, ended = counters.link(), monotonic()
    link = LinkCount(sent_bytes=after.tx_bytes, sent_packets=after.tx_packets) - LinkCount(
        sent_bytes=before.tx_bytes, sent_packets=before.tx_packets
    )

    def held(cross: CrossCount) -> AccountingRecord:
        return account(
            rounds_bytes=sent,
            page_bytes=sent,
            framing_bytes=0,
            channel_bytes=0,
            link=link,
            retransmitted_bytes=0,
            cross=cross,
        )

    payload, slack = crossing.counted(begun, ended)
    assert held(CrossCount(payload=payload, slack=slack)).consistent
    assert held(NO_CROSS).consistent is False


def test_tcp_beside_one_more_yields_and_still_fills_the_link(fabric: Fabric) -> None:
    plan = planned(2 * GOODPUT, "tcp")
    shape(fabric, "vmotion", plan.network.vmotion)
    with Crossing(fabric, plan.network) as crossing:
        begun = monotonic()
        seen = transfer(fabric, congestion="cubic", seconds=3.0, settle_bytes=2**20)
        rate = crossing.rate(begun, monotonic())
    assert rate is not None and 0.03 < seen.goodput / (GOODPUT / 8) < 0.5
    assert rate + seen.goodput == pytest.approx(GOODPUT / 8, rel=0.05)


def test_a_plan_without_cross_traffic_has_none_to_start(fabric: Fabric) -> None:
    with pytest.raises(ScenarioError, match=r"set network\.cross_traffic\.rate"):
        Crossing(fabric, NetworkPlan(vmotion=LinkPlan()))


SINK = """
import selectors, sys, time
from testbed.core.network.names import STREAM_PORT
from testbed.migration.streams.sockets import listen
listener = listen(sys.argv[1], STREAM_PORT, "vmotion", 2)
print("listening", flush=True)
ready, total, begun, clock = selectors.DefaultSelector(), 0, 0.0, time.monotonic
for _ in range(int(sys.argv[2])):
    ready.register(listener.accept()[0], selectors.EVENT_READ)
while ready.get_map():
    for key, _ in ready.select():
        size = len(key.fileobj.recv(1 << 18))
        begun = begun or clock()
        total += size
        if not size:
            ready.unregister(key.fileobj)
print(total / (clock() - begun))
"""
SOURCE = """
import sys, threading
from testbed.migration.cancel import Cancel
from testbed.core.network.names import STREAM_PORT
from testbed.migration.streams.sockets import connect
address, streams, cap, size = sys.argv[1], *map(int, sys.argv[2:])
socks = [connect(address, STREAM_PORT, "vmotion", "cubic", Cancel(), cap or None) for _ in range(streams)]
senders = [threading.Thread(target=sock.sendall, args=(bytes(size),)) for sock in socks]
for sender in senders:
    sender.start()
for sender, sock in zip(senders, socks):
    sender.join()
    sock.close()
"""


def carried(fabric: Fabric, streams: int, cap: int, size: int) -> float:
    """Bytes per second that so many streams, capped at ``cap`` (0: not), carry together; ``size`` bytes each."""
    address = fabric.host("esx2").vmotion
    assert address is not None
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    sink = fabric.spawn(
        "esx2", [sys.executable, "-c", SINK, address.ip, str(streams)], stdout=subprocess.PIPE, env=environment
    )
    assert sink.stdout is not None
    with sink.stdout as lines:
        assert lines.readline() == b"listening\n"
        asked = [address.ip, str(streams), str(cap), str(size)]
        assert fabric.spawn("esx1", [sys.executable, "-c", SOURCE, *asked], env=environment).wait(30) == 0
        rate = float(json.loads(lines.readline()))
    assert sink.wait(10) == 0
    return rate


def test_a_stream_carries_its_cap_and_two_carry_twice_that(fabric: Fabric) -> None:
    shape(fabric, "vmotion", LinkPlan(goodput=GOODPUT))
    cap = round(GOODPUT / 8 * 0.4)
    one, two, free = (carried(fabric, n, limit, 12_000_000) for n, limit in ((1, cap), (2, cap), (1, 0)))
    assert one == pytest.approx(cap, rel=0.03)
    assert two / one == pytest.approx(2, rel=0.03)
    assert free / one == pytest.approx(1 / 0.4, rel=0.03)
