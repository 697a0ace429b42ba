"""The packets of one migration, kept in a pcapng while a context lasts; ``capture_process`` does it.

    with Capture(fabric, capture_file(folder, number=1, repeat=1)) as capture:
        ...
    capture.kept.packets, capture.kept.dropped

Whole: the channel, ARP, RARP, ICMP. Of everything else, page streams above all, the headers.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TypeVar

from testbed.core.errors import TestbedError
from testbed.core.network.names import CHANNEL_PORT, CLIENT, ESX1, VM, VMOTION
from testbed.core.text.json_lines import argument
from testbed.linux.files import owned
from testbed.linux.processes.child import Child
from testbed.linux.processes.module import module
from testbed.network.fabric import Fabric
from testbed.packets.capture_process import EVENTS, CaptureConfig, CaptureFailed, CaptureFinished, CaptureReady

"""What is said there is kept whole."""
TAPS = ((ESX1, VMOTION), (CLIENT, VM))
"""All of the vMotion link; and of the VM network what the client says and hears, broadcasts among it."""
FOLDER, OLDER = "packets", ".pcap"
_PATIENCE_S = 20.0
T = TypeVar("T", CaptureReady, CaptureFinished)


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
    return folder / FOLDER / f"{number:02d}-{repeat}.pcapng"


def kept_capture(folder: Path, *, number: int, repeat: int) -> Path:
    """Where they are in a folder that is there: until they had comments they were a pcap."""
    file = capture_file(folder, number=number, repeat=repeat)
    older = file.with_suffix(OLDER)
    return older if older.is_file() and not file.exists() else file


class Capture(Child):
    """Once entered, nothing passes the taps unseen until ``stop``, or the end of the context.

    Entering raises ``TestbedError`` when there is no such interface, the file is there already or cannot be written.
    Also what was not finished is a pcapng: it only lacks its last packets.
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
        super().__init__(partial(fabric.spawn, taps[0][0]), (), log)
        self.file = file
        self.kept: Kept | None = None
        self._fabric, self._taps, self._whole_ports = fabric, taps, list(whole_ports)

    def start(self) -> None:
        """Makes the file, and the process that writes it."""
        try:
            owned.make_folder(self.file.parent)
            kept = owned.create(self.file)
        except OSError as error:
            raise TestbedError(f"packets cannot be kept in {self.file}: {error.strerror}") from error
        with kept:
            taps = [(self._fabric.host(host).pid, interface, f"{host} {interface}") for host, interface in self._taps]
            config = CaptureConfig(file=kept.fileno(), taps=taps, whole_ports=self._whole_ports)
            self.argv = module("testbed.packets.capture_process", argument(config))
            self.pass_fds = (kept.fileno(),)
            super().start()

    def begin(self) -> None:
        """Nothing passes unseen from here on."""
        self._event(CaptureReady)

    def leave(self, error: BaseException | None) -> None:
        """Where nothing went wrong, all that passed is in the file."""
        if error is None:
            self.stop()

    def end(self, grace_s: float = _PATIENCE_S) -> None:
        """Ends the process, which first has ``grace_s`` seconds to write what it holds."""
        super().end(grace_s)

    def stop(self) -> Kept:
        """Ends it once all that passed so far is in the file; takes 0.2 s. What it says again is the same."""
        if self.kept is None:
            self.close_input()
            try:
                finished = self._event(CaptureFinished)
                self.kept = Kept(packets=finished.packets, dropped=finished.dropped)
            except TestbedError as error:  # a full disk, or somebody ended the process
                self.kept = Kept(fault=str(error))
        return self.kept

    def _event(self, kind: type[T]) -> T:
        reason = "its process ended or hangs"
        with suppress(ValueError):
            event = EVENTS.read(self.hear(_PATIENCE_S) or b"")
            if isinstance(event, kind):
                return event
            reason = event.reason if isinstance(event, CaptureFailed) else reason
        raise TestbedError(f"packets cannot be kept in {self.file}: {reason}")
