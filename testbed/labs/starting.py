"""A student's folder, made: the lab's files with their numbers in them, a form for the answers, and the lock."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testbed.core.errors import ScenarioError, TestbedError
from testbed.labs.answers import ANSWERS, form
from testbed.labs.catalogue import README, LabFolder, shipped
from testbed.labs.definition.draw import identity
from testbed.labs.definition.spec import NAME, NAME_IN_WORDS
from testbed.labs.workbook import LOCK, Lock, lock_text
from testbed.linux.files import owned


def start(lab: LabFolder, student: str, course: str = "", to: Path | None = None) -> Path:
    """The folder of a lab for a student: ``to``, or one that is called as the lab. Raises ``ScenarioError`` where there
    is something already, and for what cannot be filled in, before anything is made.
    """
    student = identity(student)
    parameters = lab.drawn(course, student)
    lock = Lock(course=course, student=student, lab=lab.name, version=lab.spec.version, digest=lab.digest)
    made = {README: lab.readme(parameters).encode()}
    made |= {run.scenario: lab.filled(run.scenario, parameters).encode() for run in lab.spec.runs.values()}
    made |= dict(lab.starters(parameters))
    made |= {
        ANSWERS: form(lab.spec, f"Lab '{lab.name}', {lab.spec.title}: the answers of {student}").encode(),
        LOCK: lock_text(lock, parameters).encode(),
    }
    folder = to or Path(lab.name)
    with _new(folder):
        for name, content in made.items():
            owned.write(folder / name, content)
    return folder


SKELETON = "_skeleton"


def new(name: str, to: Path) -> Path:
    """The beginning of a lab of one's own, in a new folder ``to``/``name``. Raises ``ScenarioError``."""
    if not re.fullmatch(NAME, name):
        raise ScenarioError(f"a lab's name {NAME_IN_WORDS}, unlike '{name:.40}'")
    folder, skeleton = to / name, shipped() / SKELETON
    with _new(folder):
        for file in sorted(each for each in skeleton.rglob("*") if each.is_file() and each.suffix != ".pyc"):
            target = folder / file.relative_to(skeleton)
            owned.make_folder(target.parent)
            owned.write(target, file.read_bytes().replace(b"lab: mine", f"lab: {name}".encode()))
    return folder


def prune(folder: Path, names: list[str]) -> None:
    """Takes away folders of runs, by name, from the folder that they lie in."""
    with owned.folder(folder) as here:
        for name in names:
            shutil.rmtree(name, ignore_errors=True, dir_fd=here)


@contextmanager
def _new(folder: Path) -> Iterator[None]:
    """A folder that was not there, into which all is written that belongs into it; or none."""
    try:
        if folder.name in ("", ".."):  # '.', '..', '/': it has no name by which it could be made
            raise FileExistsError
        owned.new_folder(folder)
        try:
            yield
        except BaseException:
            prune(folder.parent, [folder.name])
            raise
    except FileExistsError:
        raise ScenarioError("is there already; go into it, or choose another with --to", str(folder)) from None
    except OSError as error:
        raise TestbedError(f"{folder} cannot be made: {error.strerror}") from error
