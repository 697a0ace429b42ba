"""The guest on the VM network: its own MAC and IP, at one host at a time, and switch and neighbours that follow it."""

import json
import select
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing

import pytest

from testbed.core.agents.told import Announced
from testbed.core.errors import TestbedError
from testbed.core.network.names import GUEST_INTERFACE
from testbed.core.plan import LinkPlan, NetworkPlan
from testbed.linux.net.interface import Nic
from testbed.linux.net.netns import inode, inside, open_socket
from testbed.migration.identity.announcer import REPEATS_S, Announcer
from testbed.migration.identity.rescue import take_back
from testbed.network.commands import CommandFailed, run_in
from testbed.network.fabric import Fabric
from testbed.network.guest_interface import Identity, attach, forwarding, identity_of
from testbed.packets.announcement import frames
from tests.netns.talking import Talker, guest, talker

ALL = socket.htons(3)


@pytest.fixture(scope="module")
def fabric() -> Iterator[Fabric]:
    with Fabric(NetworkPlan(vmotion=LinkPlan()), "test-identity") as up:
        yield up


@pytest.fixture
def who(fabric: Fabric) -> Identity:
    found = identity_of(fabric)
    assert found is not None
    return found


@pytest.fixture
def here(fabric: Fabric, who: Identity) -> Iterator[Talker]:
    with guest(fabric, "esx1", who, up=True) as started:
        yield started


@pytest.fixture
def there(fabric: Fabric, who: Identity) -> Iterator[Talker]:
    with guest(fabric, "esx2", who, up=False) as started:
        yield started


def answers(fabric: Fabric, who: Identity) -> bool:
    command = ["ping", "-c1", "-W1", who.ip]
    return fabric.spawn("client", command, stdout=subprocess.DEVNULL).wait() == 0


def addresses(pid: int) -> list[str]:
    found = json.loads(run_in(pid, ["ip", "-json", "address", "show", "dev", GUEST_INTERFACE]))
    return [f"{each['family']} {each['local']}/{each['prefixlen']}" for each in found[0]["addr_info"]]


def announce(pid: int, who: Identity) -> None:
    with closing(Announcer(pid, GUEST_INTERFACE, frames(who))) as announcer:
        announcer.announce()


def test_the_identity_is_of_the_vm_network(who: Identity) -> None:
    assert who == Identity(mac="02:00:0a:00:02:64", ip="10.0.2.100", prefix=24)


def test_a_guest_has_a_network_of_its_own_and_answers_in_it(fabric: Fabric, who: Identity, here: Talker) -> None:
    assert inode(here.pid) not in {inode(host.pid) for host in fabric.hosts.values()}
    assert addresses(here.pid) == [f"inet {who.ip}/24"], "IPv4, and no IPv6 at all"
    announce(here.pid, who)
    assert answers(fabric, who)
    assert forwarding(fabric, who.mac) == "esx1"


def test_a_host_reaches_the_guest_of_the_other_host(fabric: Fabric, who: Identity, here: Talker) -> None:
    announce(here.pid, who)
    assert fabric.spawn("esx2", ["ping", "-c1", "-W1", who.ip], stdout=subprocess.DEVNULL).wait() == 0


def test_a_guest_at_its_destination_says_nothing_before_its_time(
    fabric: Fabric, who: Identity, here: Talker, there: Talker
) -> None:
    announce(here.pid, who)
    assert answers(fabric, who)
    assert forwarding(fabric, who.mac) == "esx1"


def test_a_mac_that_was_never_seen_is_behind_no_port(fabric: Fabric) -> None:
    assert forwarding(fabric, "02:00:0a:00:02:65") is None


def test_silence_and_back(fabric: Fabric, who: Identity, here: Talker) -> None:
    announce(here.pid, who)
    with closing(Nic(here.pid, GUEST_INTERFACE, who.ip, who.prefix)) as nic:
        nic.silence()
        nic.silence()
        assert addresses(here.pid) == []
        assert not answers(fabric, who)
        nic.restore()
        nic.restore()
        assert addresses(here.pid) == [f"inet {who.ip}/24"]
        assert answers(fabric, who)


def test_a_ping_is_left_unanswered_and_the_address_stays(fabric: Fabric, who: Identity, here: Talker) -> None:
    announce(here.pid, who)
    with closing(Nic(here.pid, GUEST_INTERFACE, who.ip, who.prefix)) as nic:
        assert answers(fabric, who)
        nic.hush()
        nic.hush()
        assert not answers(fabric, who) and addresses(here.pid) == [f"inet {who.ip}/24"]
        nic.answer()
        assert answers(fabric, who)


def test_a_guest_that_is_taken_back_answers_again(fabric: Fabric, who: Identity, here: Talker) -> None:
    with closing(Nic(here.pid, GUEST_INTERFACE, who.ip, who.prefix)) as nic:
        nic.hush()
        nic.silence()
    take_back(here.pid, GUEST_INTERFACE, who.ip, who.prefix, frames=frames(who))
    assert answers(fabric, who)


def test_down_and_up(fabric: Fabric, who: Identity, here: Talker) -> None:
    announce(here.pid, who)
    with closing(Nic(here.pid, GUEST_INTERFACE, who.ip, who.prefix)) as nic:
        nic.down()
        assert not answers(fabric, who)
        nic.up()
        nic.up()
        announce(here.pid, who)
        assert answers(fabric, who)


def test_the_first_announcement_moves_the_switch_and_the_neighbours(
    fabric: Fabric, who: Identity, here: Talker, there: Talker
) -> None:
    announce(here.pid, who)
    assert answers(fabric, who)
    assert forwarding(fabric, who.mac) == "esx1"
    with (
        closing(Nic(here.pid, GUEST_INTERFACE, who.ip, who.prefix)) as leaving,
        closing(Nic(there.pid, GUEST_INTERFACE, who.ip, who.prefix)) as coming,
        closing(Announcer(there.pid, GUEST_INTERFACE, frames(who))) as announcer,
    ):
        leaving.silence()
        coming.up()
        announcer.announce()
        assert forwarding(fabric, who.mac) == "esx2"
        assert answers(fabric, who)


def test_what_is_announced_is_rarp_and_two_arps_four_times(fabric: Fabric, who: Identity, there: Talker) -> None:
    said: list[Announced] = []
    client = fabric.host("client").pid
    with (
        closing(open_socket(client, socket.AF_PACKET, socket.SOCK_RAW, ALL)) as heard,
        closing(Nic(there.pid, GUEST_INTERFACE, who.ip, who.prefix)) as coming,
        closing(Announcer(there.pid, GUEST_INTERFACE, frames(who))) as announcer,
    ):
        coming.up()
        announcer.announce()
        announcer.repeat(said.append)
        seen = []
        while select.select([heard], [], [], 0.5)[0]:
            frame, (_, _, kind, *_) = heard.recvfrom(2048)
            if kind != socket.PACKET_OUTGOING and frame[6:12].hex(":") == who.mac and frame[12:14] in (RARP, ARP):
                seen.append((frame[12:14], frame[21]))
    times = 1 + len(REPEATS_S)
    assert said == [Announced(count=times, fault=None)]
    assert seen[: 3 * times] == [(RARP, 3), (ARP, 1), (ARP, 2)] * times


RARP, ARP = b"\x80\x35", b"\x08\x06"


def test_an_announcer_that_lost_its_link_says_so(who: Identity, there: Talker) -> None:
    said: list[Announced] = []
    with closing(Announcer(there.pid, GUEST_INTERFACE, frames(who))) as announcer:
        with pytest.raises(OSError, match="down"):
            announcer.announce()
        announcer.repeat(said.append)
        assert announcer.count == 0
    assert said and "down" in str(said[0].fault)


def test_the_frames(who: Identity) -> None:
    rarp, request, reply = frames(who)
    mac, ip = bytes.fromhex(who.mac.replace(":", "")), socket.inet_aton(who.ip)
    assert rarp[:14] == b"\xff" * 6 + mac + RARP
    assert rarp[20:42] == b"\0\x03" + mac + bytes(4) + mac + bytes(4)
    assert request[:22] == b"\xff" * 6 + mac + ARP + bytes.fromhex("0001080006040001")
    assert request[22:42] == mac + ip + bytes(6) + ip
    assert reply[20:42] == b"\0\x02" + mac + ip + b"\xff" * 6 + ip
    assert {len(frame) for frame in (rarp, request, reply)} == {60}


def test_a_process_in_the_hosts_network_is_no_guest(
    fabric: Fabric, who: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("testbed.network.guest_interface._TIMEOUT_S", 0.05)
    with talker(fabric, "esx1", "guest", who.ip) as started, pytest.raises(TestbedError, match="own_network"):
        attach(fabric, "esx1", started.pid, who, up=True)


def test_a_guest_is_attached_once(fabric: Fabric, who: Identity, here: Talker) -> None:
    with pytest.raises(CommandFailed):
        attach(fabric, "esx1", here.pid, who, up=True)


def test_the_interface_goes_with_the_guest(fabric: Fabric, who: Identity) -> None:
    with guest(fabric, "esx1", who, up=True) as started:
        assert GUEST_INTERFACE in inside(started.pid, lambda: [name for _, name in socket.if_nameindex()])
    assert GUEST_INTERFACE not in inside(fabric.host("esx1").pid, lambda: [name for _, name in socket.if_nameindex()])
