"""A sweep's folder: whole run folders by the ids of their points, and what was found out from them.

    OUT/points/ID/         a run's folder, and in it point.json: renamed into place, so whole or not there
    OUT/points/.new-XXXX/  what somebody is making; whose maker is no more is taken away by the next who comes
    OUT/canaries/          runs that tell whether a machine is still the same
    OUT/damaged/           what lay in points/ and is no such run (a power cut): it is made again
    OUT/sweep.json, results.csv, results.parquet, sweep.html

What is there is done: there is no other state.
"""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from testbed.core.errors import MachineBusy, ScenarioError
from testbed.core.records.migration import Summary
from testbed.core.settings import Settings
from testbed.core.text.from_json import built
from testbed.linux.files import owned
from testbed.linux.files.held import hold, take_away
from testbed.runfiles import files, summary_reader
from testbed.runfiles.folder import OTHERWISE, put, writing

POINT = "point.json"
NEW = ".new-"
TOLD = ("sweep.json", "results.csv", "results.parquet", "sweep.html")
"""What tells of all points, and is written again each time."""
MOST_POINT = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PointRecord:
    """``point.json``: which point of a grid a run is, and on which machine it was made."""

    id: str
    number: int
    arm: str
    settings: Settings
    repeat: int
    engine: str
    seed: int
    version: str
    machine: str
    schema: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPoint:
    """A point that is done: its run's folder, which point it is, and what came of it."""

    path: Path
    record: PointRecord
    summary: Summary


class SweepFolder:
    """The folder of one sweep. Every method raises ``TestbedError`` where it cannot be written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.points, self.canaries, self.damaged = path / summary_reader.POINTS, path / "canaries", path / "damaged"

    def file(self, name: str) -> Path:
        """Where a file of the whole sweep is."""
        return self.path / name

    def check_own(self) -> None:
        """Raises ``ScenarioError`` where no sweep was before and something lies that one would write over, or a run."""
        if not (self.points.is_dir() or self.canaries.is_dir()):
            for name in (*TOLD, summary_reader.SUMMARY):
                if os.path.lexists(self.file(name)):
                    raise ScenarioError(
                        f"{self.path} is no sweep's, and holds a {name}; {OTHERWISE}, or move that away"
                    )

    def prepare(self) -> None:
        """Makes what is not there; what killed makers left is taken away."""
        with writing(self.path):
            owned.make_folder(self.canaries)
            for name in owned.make_folder(self.points):
                if name.startswith(NEW):
                    take_away(self.points / name)

    @contextmanager
    def conducted(self) -> Iterator[None]:
        """While this lasts nobody else conducts a sweep in this folder. Raises ``MachineBusy``."""
        with writing(self.path), owned.folder(self.path) as here:
            try:
                fcntl.flock(here, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise MachineBusy(f"another sweep is under way in {self.path}; wait for its end") from error
            yield

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A folder in which points are made, taken away at the end; the kernel knows that its maker lives."""
        with writing(self.path):
            path, held = self._new()
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)
            os.close(held)

    def _new(self) -> tuple[Path, int]:
        """One that is held; between the making and the holding of it somebody may have taken it away."""
        while True:
            path = self.points / f"{NEW}{secrets.token_hex(8)}"
            owned.new_folder(path)
            if (held := hold(path)) is not None:
                return path, held

    def keep(self, made: Path, record: PointRecord) -> bool:
        """Puts a whole run into place as that point; False where somebody else has done so before: theirs stays."""
        return self._put(made, self.points / record.id, record)

    def keep_canary(self, made: Path, record: PointRecord) -> bool:
        """Puts a canary's run where those are."""
        return self._put(made, self.canaries / f"{record.machine}-{record.number:04d}", record)

    def _put(self, made: Path, target: Path, record: PointRecord) -> bool:
        text = json.dumps(asdict(record), allow_nan=False) + "\n"
        with writing(self.path):
            owned.write(made / POINT, text.encode())
            try:
                made.rename(target)
            except OSError:
                if not target.is_dir():
                    raise
                shutil.rmtree(made, ignore_errors=True)
                return False
        return True

    def there(self, id: str, say: Callable[[str], None] = lambda _line: None) -> "KeptPoint | None":
        """A point that is done; None for one that is not. What is there and is no whole run, as after a
        power cut, is put aside.
        """
        folder = self.points / id
        if not folder.is_dir():
            return None
        try:
            return self._read(folder, id)
        except ScenarioError as fault:
            with writing(self.path):
                owned.make_folder(self.damaged)
                folder.rename(self.damaged / f"{id}-{secrets.token_hex(2)}")
            say(f"{fault}: put aside into {self.damaged}; it is made again")
            return None

    def kept_canaries(self) -> "Iterator[KeptPoint]":
        """Those that are there, by their machines and in their order; damaged ones are passed over."""
        with suppress(OSError):
            for name in sorted(os.listdir(self.canaries)):
                with suppress(ScenarioError):
                    yield self._read(self.canaries / name, None)

    def write(self, name: str, content: bytes) -> None:
        """A file of the whole sweep, whole or not at all."""
        put(self.file(name), content)

    def _read(self, folder: Path, id: str | None) -> "KeptPoint":
        summary = summary_reader.as_written(folder)
        content = files.parsed(folder / POINT, MOST_POINT)
        try:
            record = built(PointRecord, content)
        except ValueError as error:
            raise ScenarioError(f"is no record of a point: {error}", str(folder / POINT)) from error
        if record.schema != 1 or id not in (None, record.id):
            raise ScenarioError("is the record of another point", str(folder / POINT))
        return KeptPoint(path=folder, record=record, summary=summary)
