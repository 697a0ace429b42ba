"""The kernel's interfaces as far as they need no privileges: netlink, TCP_INFO, commands, one's own namespace."""

import os
import socket
import struct
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.errors import PrerequisiteMissing
from testbed.linux.net.counters import Counters
from testbed.linux.net.netlink import SOCK_DIAG, Netlink, attribute, attributes
from testbed.linux.net.netns import inode
from testbed.linux.net.tcp_info import ListedConnection, TcpConnections, parse, tcp_info
from testbed.network.commands import CommandFailed, run

HERE = os.getpid()
Pair = tuple[socket.socket, socket.socket, int]


@given(st.dictionaries(st.integers(1, 0x3FFF), st.binary(max_size=50), max_size=10))
def test_attributes_are_read_as_they_were_written(values: dict[int, bytes]) -> None:
    assert attributes(b"".join(attribute(kind, value) for kind, value in values.items())) == values


@given(st.binary(max_size=200))
def test_attributes_of_garbage_end_without_an_error(data: bytes) -> None:
    for value in attributes(data).values():
        assert len(value) <= len(data)


@given(st.binary(max_size=400), st.binary(max_size=20))
def test_tcp_info_of_any_length_is_read(data: bytes, name: bytes) -> None:
    assert parse(data, name).cwnd >= 0


def test_tcp_info_by_its_places() -> None:
    data = bytearray(256)
    for at, value in ((16, 1448), (68, 2_000), (80, 10), (100, 7), (148, 500)):
        struct.pack_into("=I", data, at, value)
    for at, value in ((120, 1 << 40), (160, 125_000_000)):
        struct.pack_into("=Q", data, at, value)
    info = parse(bytes(data), b"cubic\0\0")
    assert (info.mss, info.rtt_s, info.cwnd, info.retransmits, info.min_rtt_s) == (1448, 0.002, 10, 7, 0.0005)
    assert (info.bytes_acked, info.delivery_rate, info.congestion) == (1 << 40, 125e6, "cubic")


@pytest.fixture
def pair() -> Iterator[Pair]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        accepted, _ = server.accept()
    with client, accepted:
        yield client, accepted, port


def _only(connections: TcpConnections, port: int) -> ListedConnection:
    (found,) = connections.to(port)
    return found


def test_a_connection_looks_the_same_from_inside_and_from_outside(pair: Pair) -> None:
    client, accepted, port = pair
    client.sendall(b"x" * 5000)
    assert len(accepted.recv(5000, socket.MSG_WAITALL)) == 5000
    accepted.sendall(b"y")  # its acknowledgement is then there too
    client.recv(1)
    with TcpConnections(HERE) as connections:
        seen = _only(connections, port)
        inside = tcp_info(client)
        assert seen.local_port == client.getsockname()[1]
        assert (
            (seen.info.bytes_sent, seen.info.congestion)
            == (inside.bytes_sent, inside.congestion)
            == (5000, inside.congestion)
        )
        assert seen.info.bytes_acked == 5001  # the SYN counts as one


def test_a_known_connection_is_asked_again_until_it_has_gone(pair: Pair) -> None:
    client, accepted, port = pair
    with TcpConnections(HERE) as connections:
        known = _only(connections, port)
        client.sendall(b"x" * 100)
        accepted.recv(100, socket.MSG_WAITALL)
        again = connections.again(known)
        assert again is not None
        assert again.info.bytes_sent == 100
        used = connections.in_use()
        client.close()
        accepted.close()
        assert connections.again(known) is None
        assert connections.in_use() < used


def test_a_namespace_without_connections_to_a_port_has_none() -> None:
    with TcpConnections(HERE) as connections:
        assert connections.to(1) == []


def test_the_kernels_refusal_is_an_oserror() -> None:
    with Netlink(SOCK_DIAG) as netlink, pytest.raises(OSError, match=r"Invalid|No such|not supported"):
        netlink.ask(20, b"\xff" * 60)


def test_a_dump_that_the_kernel_breaks_off_is_an_oserror_and_not_a_short_list() -> None:
    protocol = 250  # nobody's
    request = struct.pack("=BBBxI48s", socket.AF_INET, protocol, 0, 0xFFF, bytes(48))
    with Netlink(SOCK_DIAG) as netlink, pytest.raises(FileNotFoundError):
        netlink.dump(20, request)


def test_counters_of_loopback_rise_with_what_passes(pair: Pair) -> None:
    client, accepted, _ = pair
    with Counters(HERE, "lo") as counters:
        before = counters.link()
        client.sendall(b"x" * 10_000)
        accepted.recv(10_000, socket.MSG_WAITALL)
        after = counters.link()
        assert after.tx_bytes - before.tx_bytes >= 10_000
        assert after.tx_packets > before.tx_packets
        assert [qdisc.kind for qdisc in counters.qdiscs()] in (["noqueue"], [])


def test_an_interface_that_is_not_there_is_an_oserror() -> None:
    with pytest.raises(OSError, match="interface"):
        Counters(HERE, "nosuch0")


def test_a_namespace_has_an_identity_and_a_missing_process_none() -> None:
    assert inode(HERE) == inode(HERE)
    with pytest.raises(FileNotFoundError):
        inode(2**22 + 1)


def test_work_in_a_namespace_leaves_no_thread() -> None:
    before = threading.active_count()
    with Netlink(SOCK_DIAG):
        assert threading.active_count() == before


def test_a_command_that_fails_is_named_with_the_last_thing_it_said() -> None:
    with pytest.raises(CommandFailed, match=r"'ls /nosuch' failed: .*No such file"):
        run(["ls", "/nosuch"])


def test_a_command_that_is_not_there_comes_with_its_remedy() -> None:
    with pytest.raises(PrerequisiteMissing, match="bootstrap install"):
        run(["no-such-command-at-all"])


def test_of_a_batch_the_reason_is_said_and_not_only_the_line() -> None:
    script = "echo 'RTNETLINK answers: Device or resource busy' >&2; echo 'Command failed -:4' >&2; false"
    with pytest.raises(CommandFailed, match=r"failed: RTNETLINK answers: Device or resource busy$"):
        run(["sh", "-c", script])
