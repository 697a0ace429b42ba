"""Packets of real hosts and links: whole where they are to be, cut elsewhere, none missed, in order of time."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from testbed.core.errors import TestbedError
from testbed.core.network.names import CHANNEL_PORT, STREAM_PORT
from testbed.core.plan import LinkPlan, NetworkPlan
from testbed.linux.net.netns import open_socket
from testbed.network.fabric import Fabric
from testbed.network.links import shape
from testbed.network.traffic.transfer import transfer
from testbed.packets.capture import Capture, capture_file
from testbed.packets.capture_process import HEADERS, PROBE_BYTES
from testbed.packets.frames import RARP, Frame, frames

SIZE = 20_000


@pytest.fixture(scope="module")
def fabric() -> Iterator[Fabric]:
    with Fabric(NetworkPlan(vmotion=LinkPlan()), "test-capture") as up:
        yield up


def _send(fabric: Fabric, port: int, payload: bytes) -> None:
    """Over the vMotion link, and back once it is all there."""
    with open_socket(fabric.host("esx2").pid, socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("10.0.1.2", port))
        listener.listen()
        with open_socket(fabric.host("esx1").pid, socket.AF_INET, socket.SOCK_STREAM) as sender:
            sender.connect(("10.0.1.2", port))
            accepted, _ = listener.accept()
            with accepted:
                sender.sendall(payload)
                assert accepted.recv(len(payload), socket.MSG_WAITALL) == payload


def _probe(fabric: Fabric, port: int, payload: bytes) -> None:
    with open_socket(fabric.host("esx2").pid, socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("10.0.2.2", port))
        with open_socket(fabric.host("client").pid, socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(payload, ("10.0.2.2", port))
            assert server.recv(len(payload)) == payload


def _payload(found: list[Frame], port: int) -> int:
    return sum(frame.tcp.size for frame in found if frame.tcp and frame.tcp.destination[1] == port)


def test_the_channel_is_whole_and_page_streams_are_cut(fabric: Fabric, tmp_path: Path) -> None:
    file = capture_file(tmp_path, number=3, repeat=2)
    assert file.relative_to(tmp_path) == Path("packets/03-2.pcapng")
    with Capture(fabric, file) as capture:
        _send(fabric, CHANNEL_PORT, bytes(SIZE))
        _send(fabric, STREAM_PORT, bytes(SIZE))
        _probe(fabric, 7, bytes(1000))
        _probe(fabric, 9, bytes(1000))
        kept = capture.stop()
    found = list(frames(file))
    assert kept.packets == len(found)
    assert kept.dropped == 0
    assert [frame.at for frame in found] == sorted(frame.at for frame in found)
    assert _payload(found, CHANNEL_PORT) == _payload(found, STREAM_PORT) == SIZE
    for frame in found:
        if frame.tcp and CHANNEL_PORT in (frame.tcp.source[1], frame.tcp.destination[1]):
            assert len(frame.data) == frame.length
        else:
            assert len(frame.data) <= HEADERS
    probes = sorted(len(frame.data) for frame in found if frame.length == 1042)
    assert probes == [PROBE_BYTES, HEADERS]


def test_broadcasts_of_another_host_are_seen_at_the_client(fabric: Fabric, tmp_path: Path) -> None:
    """As an announcement of the guest is: RARP, 60 bytes to everybody."""
    rarp = bytes.fromhex("ffffffffffff02000a0002648035") + bytes(46)
    with (
        Capture(fabric, tmp_path / "a.pcap"),
        open_socket(fabric.host("esx2").pid, socket.AF_PACKET, socket.SOCK_RAW) as sock,
    ):
        sock.bind(("vm", 0))
        sock.send(rarp)
    assert [frame.data for frame in frames(tmp_path / "a.pcap") if frame.kind == RARP] == [rarp]


def test_tcpdump_reads_it(fabric: Fabric, tmp_path: Path) -> None:
    file = tmp_path / "a.pcap"
    with Capture(fabric, file):
        _send(fabric, CHANNEL_PORT, b"hello")
    # As root it would become another user, whom a machine of one's own does not know: so it is not told that it is. And
    # under sudo the file is the caller's, who is nobody to it then: so the file is opened here.
    argv = ["unshare", "--user", "tcpdump", "-r", "-", "-nn", "-tt", "tcp port 8000 and greater 71"]
    with file.open("rb") as opened:
        said = subprocess.run(argv, stdin=opened, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    assert "10.0.1.2.8000: Flags [P.]" in said.stdout
    assert "length 5" in said.stdout
    assert "nanosecond" in said.stderr or "EN10MB" in said.stderr


def test_a_page_stream_loses_nothing_and_its_watcher_has_little_to_do(fabric: Fabric, tmp_path: Path) -> None:
    shape(fabric, "vmotion", LinkPlan(rate=1e9))
    with Capture(fabric, tmp_path / "a.pcap") as capture:
        watcher = psutil.Process(capture.pid)
        before = watcher.cpu_times()
        seen = transfer(fabric, congestion="cubic", size=50_000_000)
        after = watcher.cpu_times()
        kept = capture.stop()
    assert kept.dropped == 0
    used = after.user + after.system - before.user - before.system
    assert used < 0.1 * seen.size / seen.whole
    received = sum(frame.tcp.size for frame in frames(tmp_path / "a.pcap") if frame.tcp)
    assert received >= 50_000_000


def test_what_cannot_be_kept_is_one_line(fabric: Fabric, tmp_path: Path) -> None:
    (tmp_path / "a.pcap").touch()
    with (
        pytest.raises(TestbedError, match=r"cannot be kept in .*a\.pcap: File exists"),
        Capture(fabric, tmp_path / "a.pcap"),
    ):
        pass
    with (
        pytest.raises(TestbedError, match="No such device"),
        Capture(fabric, tmp_path / "b.pcap", taps=[("esx1", "nowhere")]),
    ):
        pass


def test_a_disk_that_is_full_is_one_line(fabric: Fabric) -> None:
    with pytest.raises(TestbedError, match="cannot be kept"), Capture(fabric, Path("/dev/full")):
        pass


def test_a_process_that_was_ended_is_told_as_a_value_and_its_file_can_be_read(fabric: Fabric, tmp_path: Path) -> None:
    file = tmp_path / "a.pcapng"
    with Capture(fabric, file) as capture:
        _send(fabric, CHANNEL_PORT, bytes(SIZE))
        while not list(frames(file)):
            _send(fabric, CHANNEL_PORT, b"hello")
        psutil.Process(capture.pid).kill()
        assert "its process ended" in capture.stop().complaint
    assert _payload(list(frames(file)), CHANNEL_PORT) >= SIZE


def test_its_end_leaves_no_process(fabric: Fabric, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), Capture(fabric, tmp_path / "a.pcap") as capture:
        pid = capture.pid
        raise RuntimeError("as if the migration had broken")
    assert not psutil.pid_exists(pid)
    assert list(frames(tmp_path / "a.pcap")) == []
