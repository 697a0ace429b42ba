"""A run's summary as it grows, and its folder: what anybody is told has happened is there before they are.

with SummaryWriter(folder, summary, published, asked) as writer:
    writer.begin(1, "hello")      room for its ending is taken
    writer.decided(record)        the migration has ended; nothing is checked yet
    writer.add(record)            it has been checked
"""

from collections.abc import Sequence
from time import monotonic
from types import TracebackType

from testbed.core.errors import Interrupted, TestbedError
from testbed.core.migration_key import MigrationKey
from testbed.core.records.claims import Claim
from testbed.core.records.migration import MigrationRecord, NotMadeRecord, Summary
from testbed.linux.files import owned
from testbed.linux.processes.interrupts import noting
from testbed.runfiles import endings
from testbed.runfiles.folder import RunFolder, release, reserve, write_whole, writing
from testbed.runfiles.published import comparisons

UNDER_WAY = "the run has not ended, or was killed"
SHARE = 20
"""The summary is written again when this many times as long has passed as writing it took: of a run of a thousand short
migrations it would otherwise be most of the work. What is not in it is in ``endings``."""


class SummaryWriter:
    """A context manager: leaving it writes the summary for good, whatever happened. ``asked`` is
    every migration that is to be made. Every method raises ``TestbedError`` when the folder cannot be written.
    """

    def __init__(
        self,
        folder: RunFolder,
        summary: Summary,
        published: Sequence[Claim] = (),
        asked: Sequence[MigrationKey] = (),
    ) -> None:
        self.folder, self.summary, self._published = folder, summary, published
        self._left = list(asked)
        self._file = folder.endings / endings.name(1, "")
        self._open: MigrationRecord | None = None
        self._next = 0.0

    def __enter__(self) -> "SummaryWriter":
        with writing(self.folder.path, self.folder.otherwise):
            owned.make_folder(self.folder.endings)
        self._write(UNDER_WAY)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Not broken off by a signal, which is heard afterwards."""
        release(self._file)
        with noting() as noted:
            if self._open is not None:
                self._take(self._open)
            try:
                self._write(_because(error))
            except TestbedError:
                if not isinstance(error, TestbedError):  # which says more: of what was not kept, too
                    raise
        if noted.why and not isinstance(error, Interrupted):
            raise Interrupted(noted.why)

    def begin(self, number: int, name: str) -> None:
        """Before the migration ``number`` (from 1): a disk without room for its ending is a reason not to begin."""
        self._file = self.folder.endings / endings.name(number, name)
        reserve(self._file, endings.ROOM, self.folder.otherwise)

    def decided(self, record: MigrationRecord) -> None:
        """Its end is on the disk when this returns."""
        self._open = record
        write_whole(self._file, endings.to_json(record), self.folder.otherwise)

    def add(self, record: MigrationRecord) -> None:
        """The record with all that was found out since. One that cannot be written is said, with how it ended."""
        try:
            with noting() as noted:
                self._take(record)
                write_whole(self._file, endings.to_json(record), self.folder.otherwise)
                if monotonic() >= self._next:
                    began = monotonic()
                    self._write(UNDER_WAY)
                    self._next = monotonic() + SHARE * (monotonic() - began)
        except TestbedError as fault:
            raise TestbedError(f"{fault}. Not kept: {record.name} {record.outcome}, {record.reason}") from fault
        if noted.why:
            raise Interrupted(noted.why)

    def _take(self, record: MigrationRecord) -> None:
        self._open = None
        self.summary.migrations.append(record)
        if record.key in self._left:
            self._left.remove(record.key)

    def _write(self, why: str) -> None:
        """``why`` those that are left were not made."""
        self.summary.not_made = [
            NotMadeRecord(name=key.name, repeat=key.repeat, guest=key.guest, reason=why) for key in self._left
        ]
        self.summary.comparisons = comparisons(self._published, self.summary.migrations)
        endings.judge(self.summary)
        self.folder.write_summary(self.summary)


def _because(error: BaseException | None) -> str:
    """Why the migrations that are left are not made, in a line."""
    if error is None:
        return "nobody asked for it any more"
    if isinstance(error, TestbedError | Interrupted):
        return " ".join(str(error).split())
    return f"the run ended by a fault of its own: {type(error).__name__} {' '.join(str(error).split())}".rstrip()
