"""The packets of one migration, kept in a pcap while a context lasts; ``capture_process`` does it.

    with Capture(fabric, capture_file(folder, number=1, repeat=1)) as capture:
        ...
    capture.kept.packets, capture.kept.dropped

Whole: the channel, ARP, RARP, ICMP. Of everything else, page streams above all, the headers.
"""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from testbed.core.errors import TestbedError
from testbed.linux.files import owned
from testbed.linux.processes.module import module
from testbed.linux.processes.waiting import readable
from testbed.network.fabric import Fabric
from testbed.packets.capture_process import PROBE_PORT

CHANNEL_PORT = 8000
"""What is said there is kept whole."""
TAPS = (("esx1", "vmotion"), ("client", "vm"))
"""All of the vMotion link; and of the VM network what the client says and hears, broadcasts among it."""
FOLDER = "packets"
_PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How many packets are in the file, how many came while no room was left for them, and what went wrong, if it did.

    That is a value and no exception: the migration that was watched is as good as it was.
    """

    packets: int = 0
    dropped: int = 0
    fault: str = ""

    @property
    def complaint(self) -> str:
        """One line about what is missing in the file; empty when nothing is."""
        lost = f"{self.dropped:,} packets came faster than they were kept" if self.dropped else ""
        return self.fault or lost


def capture_file(folder: Path, *, number: int, repeat: int) -> Path:
    """Where in a run's folder the packets of its migration ``number`` (from 1) are."""
    return folder / FOLDER / f"{number:02d}-{repeat}.pcap"


class Capture:
    """Once entered, nothing passes the taps unseen until ``stop``, or the end of the context.

    Entering raises ``TestbedError`` when there is no such interface, the file is there already or cannot be written.
    """

    def __init__(
        self,
        fabric: Fabric,
        file: Path,
        *,
        taps: Sequence[tuple[str, str]] = TAPS,
        whole_ports: Sequence[int] = (CHANNEL_PORT,),
        log: IO[bytes] | None = None,
    ) -> None:
        self.file = file
        self.kept: Kept | None = None
        self._fabric, self._taps, self._log = fabric, taps, log
        self._whole_ports = list(whole_ports)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process that writes. Raises ``ValueError`` when the context was not entered."""
        return self._running().pid

    def __enter__(self) -> "Capture":
        try:
            owned.make_folder(self.file.parent)
            kept = owned.create(self.file)
        except OSError as error:
            raise TestbedError(f"packets cannot be kept in {self.file}: {error.strerror}") from error
        with kept:
            self._start(kept.fileno())
        try:
            self._hear("ready")
        except BaseException:
            self._end()
            raise
        return self

    def _start(self, descriptor: int) -> None:
        config = {
            "file": descriptor,
            "taps": [(self._fabric.host(host).pid, interface) for host, interface in self._taps],
            "whole_ports": self._whole_ports,
            "probe_port": PROBE_PORT,
        }
        pipe = subprocess.PIPE
        argv = module("testbed.packets.capture_process", json.dumps(config))
        host = self._taps[0][0]
        self._process = self._fabric.spawn(
            host, argv, stdin=pipe, stdout=pipe, stderr=self._log, pass_fds=(descriptor,)
        )

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.stop()
        finally:
            self._end()

    def stop(self) -> Kept:
        """Ends it once all that passed so far is in the file; takes 0.2 s. What it says again is the same."""
        if self.kept is None:
            _pipe(self._running().stdin).close()
            try:
                done = self._hear("finished")
                self.kept = Kept(packets=done["packets"], dropped=done["dropped"])
            except TestbedError as error:  # a full disk, or somebody ended the process
                self.kept = Kept(fault=str(error))
        return self.kept

    def _hear(self, event: str) -> dict[str, Any]:
        said = _pipe(self._running().stdout)
        line = said.readline() if readable([said], _PATIENCE_S) else b""
        heard: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {"reason": "its process ended or hangs"}
        if heard.get("event") != event:
            raise TestbedError(f"packets cannot be kept in {self.file}: {heard.get('reason')}")
        return heard

    def _end(self) -> None:
        """Also what was not finished is a pcap: it only lacks its last packets."""
        process = self._running()
        _pipe(process.stdin).close()
        try:
            process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _pipe(process.stdout).close()

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            raise ValueError("the capture has not begun")
        return self._process


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("the process was started without this pipe")
    return stream
