"""A capture's process as the run sees it: whatever it says, or does not say, ends in a value or in one sentence."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.errors import TestbedError
from testbed.core.text.from_json import built
from testbed.packets.capture import Capture, Kept
from testbed.packets.capture_process import EVENTS, CaptureConfig, CaptureFailed, CaptureFinished, CaptureReady

COUNT = st.integers(0, 10**18)


class Hosts:
    """Starts what a test says, whatever was asked for: the stand-in of a ``Fabric``."""

    def __init__(self, *says: bytes, then: str = "import sys; sys.stdin.read()") -> None:
        self._program = f"import sys\nfor line in {says!r}:\n    sys.stdout.buffer.write(line); sys.stdout.flush()\n"
        self._then, self.argv = then, [""]

    def host(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(pid=len(name))

    def spawn(self, _host: str, argv: list[str], **more: Any) -> "subprocess.Popen[bytes]":
        self.argv = argv
        return subprocess.Popen([sys.executable, "-c", self._program + self._then], **more)


def capture(folder: Path, hosts: Any) -> Capture:
    return Capture(hosts, folder / "a.pcap")


READY = EVENTS.line(CaptureReady())
FINISH = f"sys.stdin.read(); sys.stdout.buffer.write({EVENTS.line(CaptureFinished(packets=7, dropped=2))!r})"


def test_what_it_kept_and_lost_is_known_at_its_end(tmp_path: Path) -> None:
    hosts = Hosts(READY, then=FINISH)
    with capture(tmp_path, hosts) as watch:
        assert watch.stop() == watch.stop() == Kept(packets=7, dropped=2)
    assert watch.process.returncode == 0
    config = built(CaptureConfig, json.loads(hosts.argv[-1]))
    assert config.taps == [
        (len("esx1"), "vmotion", "esx1 vmotion"),
        (len("client"), "vm", "client vm"),
    ] and config.whole_ports == [8000]
    assert not os.path.exists(f"/proc/self/fd/{config.file}")


def test_leaving_asks_for_its_end_and_an_exception_does_not(tmp_path: Path) -> None:
    with capture(tmp_path, Hosts(READY, then=FINISH)) as watch:
        pass
    assert watch.kept == Kept(packets=7, dropped=2)
    with pytest.raises(RuntimeError), Capture(Hosts(READY, then=FINISH), tmp_path / "b.pcap") as broken:  # type: ignore[arg-type]
        raise RuntimeError("as if the migration had broken")
    assert broken.kept is None and broken.process.returncode == 0


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ((EVENTS.line(CaptureFailed(reason="No such device")),), "No such device"),
        ((b"nonsense\n",), "its process ended or hangs"),
        ((EVENTS.line(CaptureFinished(packets=1, dropped=1)),), "its process ended or hangs"),
        ((READY[:-1],), "its process ended or hangs"),
        ((), "its process ended or hangs"),
    ],
)
def test_one_that_does_not_begin_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, says: tuple[bytes, ...], words: str
) -> None:
    with pytest.raises(TestbedError, match=rf"cannot be kept in .*a\.pcap: {words}"):
        capture(tmp_path, Hosts(*says, then="")).__enter__()
    assert psutil.Process().children() == []


def test_one_that_was_killed_is_a_value(tmp_path: Path) -> None:
    with capture(tmp_path, Hosts(READY)) as watch:
        os.kill(watch.pid, signal.SIGKILL)
        assert "its process ended" in watch.stop().complaint
    assert psutil.Process().children() == []


def test_a_file_that_is_there_is_left_alone_and_no_process_is_started(tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(b"kept")
    with pytest.raises(TestbedError, match="File exists"):
        capture(tmp_path, Hosts(READY)).__enter__()
    assert (tmp_path / "a.pcap").read_bytes() == b"kept"


@given(st.builds(CaptureFinished, packets=COUNT, dropped=COUNT) | st.just(CaptureReady()))
def test_what_it_says_is_heard(said: CaptureFinished | CaptureReady) -> None:
    assert EVENTS.read(EVENTS.line(said)) == said
