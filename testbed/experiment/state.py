"""What a run has started, written down while it does so, so that a killed run's leftovers can be found.

    /run/fast-motion/lock              who holds the machine (``lock``)
    /run/fast-motion/RUN.json          what the run RUN started; gone when it ended by itself
    /run/fast-motion/RUN/              its sockets

A process is known by its number **and** the time it was started at, so that another one that has got the same number
since is never touched. Links and namespaces go with their processes.
"""

import errno
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from testbed.core.errors import PrerequisiteMissing
from testbed.core.text.from_json import built
from testbed.linux.processes.started import Started, started_at

RUNTIME = Path("/run/fast-motion")
"""Everything that a run keeps outside its results' folder. Root's alone to write."""
NEW = ".new"
"""What the name of a state's file ends with until it is whole."""

_RUN_ID = re.compile(r"[0-9A-Za-z-]{1,32}")


@dataclass(slots=True)
class RunState:
    """What a run has started so far, kept in a file. ``with RunState(run_id) as state: state.add(pid)``."""

    run_id: str
    runtime: Path = RUNTIME
    owner: Started = field(default_factory=lambda: Started(os.getpid(), started_at(os.getpid()) or 0))
    processes: list[Started] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not _RUN_ID.fullmatch(self.run_id):
            raise ValueError(f"'{self.run_id}' is no run id")

    @property
    def file(self) -> Path:
        """Where it is kept."""
        return self.runtime / f"{self.run_id}.json"

    @property
    def folder(self) -> Path:
        """The run's own directory."""
        return self.runtime / self.run_id

    def __enter__(self) -> Self:
        self._write()
        return self

    def __exit__(self, *_fault: object) -> None:
        self.forget()

    def add(self, pid: int) -> None:
        """A process of this run: an agent, a guest, the shell of a namespace. One that has ended is passed over."""
        ticks = started_at(pid)
        if ticks is not None:
            self.processes.append(Started(pid, ticks))
            self._write()

    def forget(self) -> None:
        """Removes its file, and one that was being written when the run was killed or the disk was full."""
        for file in (self.file, self.file.with_suffix(NEW)):
            file.unlink(missing_ok=True)

    def _write(self) -> None:
        content = {key: value for key, value in asdict(self).items() if key != "runtime"}
        new = self.file.with_suffix(NEW)
        with writing(self.runtime):
            make_private(self.runtime)
            new.write_text(json.dumps(content))
            new.replace(self.file)


def left_behind(runtime: Path = RUNTIME) -> list[RunState]:
    """The states of runs whose process is no more. A file that is not one of ours is passed over."""
    states = (_read(path, runtime) for path in sorted(runtime.glob("*.json")))
    return [state for state in states if state is not None and not state.owner.alive()]


def make_private(folder: Path) -> None:
    """A directory that is ours and that nobody else may look into. Raises ``OSError``, also where it is another's."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if os.fstat(descriptor).st_uid != os.geteuid():
            raise OSError(errno.EEXIST, "it is another user's", str(folder))
        os.fchmod(descriptor, 0o700)
    finally:
        os.close(descriptor)


@contextmanager
def writing(runtime: Path) -> Iterator[None]:
    """Faults of the file system as one line that says what to do."""
    try:
        yield
    except PermissionError as error:
        raise PrerequisiteMissing(f"only root may write to {runtime}", "run it with sudo") from error
    except OSError as error:
        whose = "root's" if runtime == RUNTIME else "yours, or set XDG_RUNTIME_DIR to one"
        remedy = f"make room and see to it that {runtime} is a directory of {whose}"
        raise PrerequisiteMissing(f"{runtime} cannot be written: {error.strerror}", remedy) from error


def _read(path: Path, runtime: Path) -> RunState | None:
    try:
        kept = built(_Kept, json.loads(path.read_text()))
        if kept.run_id != path.stem:
            return None
        return RunState(run_id=kept.run_id, runtime=runtime, owner=kept.owner, processes=kept.processes)
    except (OSError, ValueError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What a run's file says, as it is read."""

    run_id: str
    owner: Started
    processes: list[Started]
