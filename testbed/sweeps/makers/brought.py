"""What goes between a sweep and its workers: points there, whole runs back as the bytes of their files."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from testbed.core.errors import MachineBusy, PrerequisiteMissing, ScenarioError, TestbedError
from testbed.core.version import __version__
from testbed.linux.files.scratch import scratch
from testbed.runfiles.folder import put, writing
from testbed.sweeps.ended import PointMade
from testbed.sweeps.folder import PointRecord
from testbed.sweeps.makers.carried import at_hand
from testbed.sweeps.making import machine_name, record_of, refused, run_made, told
from testbed.sweeps.points import PointWanted

MOST_FILES, MOST_BYTES = 4_000, 1 << 30
"""Of one run: more is none that a point makes."""
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._=+-]*(/[A-Za-z0-9_][A-Za-z0-9._=+-]*){0,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PointBrought:
    """What a worker answers: how the point ended, and the files of its run by their paths in its folder; or why this
    machine could not make it: it ``lacks`` something, or is ``busy``, in words.
    """

    machine: str
    made: PointMade | None = None
    record: PointRecord | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    lacks: str = ""
    busy: str = ""


def brought(wanted: PointWanted) -> PointBrought:
    """Makes a point on a worker, in a folder that is gone when it is over."""
    machine = machine_name()
    if wanted.version != __version__:
        return PointBrought(machine=machine, lacks=f"version {__version__} is here, and {wanted.version} is asked")
    with scratch("point") as above:
        try:
            with writing(above), at_hand(wanted.code, above / "code"):
                run = run_made(wanted, above / wanted.id, _unheard)
        except MachineBusy as busy:
            return PointBrought(machine=machine, busy=str(busy))
        except PrerequisiteMissing as lack:
            return PointBrought(machine=machine, lacks=str(lack))
        except ScenarioError as fault:
            return PointBrought(machine=machine, made=refused(wanted, machine, fault))
        except TestbedError as fault:  # of this machine: its disk is full, its process was killed
            return PointBrought(machine=machine, lacks=str(fault))
        record = record_of(wanted, machine)
        return PointBrought(
            machine=machine,
            made=told(wanted.number, record, run.summary, canary=wanted.canary, run_s=run.seconds),
            record=record,
            files=dict(_files(above / wanted.id)),
        )


def lay(files: dict[str, bytes], folder: Path) -> None:
    """Writes what was brought into a new folder. Raises ``ScenarioError`` for names that lead elsewhere, or are no
    run's; ``TestbedError`` where it cannot be written.
    """
    if len(files) > MOST_FILES or sum(map(len, files.values())) > MOST_BYTES:
        raise ScenarioError("a worker sent more than a run has")
    for name in files:
        if not NAME.fullmatch(name):
            raise ScenarioError(f"a worker sent a file of the name {name!r:.80}")
    for name, content in files.items():
        put(folder / name, content)


def _files(folder: Path) -> list[tuple[str, bytes]]:
    return [
        (str(Path(above, name).relative_to(folder)), Path(above, name).read_bytes())
        for above, _, names in os.walk(folder)
        for name in names
    ]


def _unheard(_line: str) -> None:
    """A worker's own lines are nobody's."""
