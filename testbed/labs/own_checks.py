"""The checks of a lab, out of its own ``checks.py``: its teacher's program, and never a student's.

Loading it runs it. Only the folder of a lab that ships with the testbed, or that ``--from`` named, is ever loaded from.
"""

import sys
from pathlib import Path
from types import ModuleType

from testbed.core.errors import ScenarioError
from testbed.core.own.beside import name_of
from testbed.core.own.running import run
from testbed.core.own.words import place_in, told
from testbed.labs.catalogue import CHECKS, LabFolder
from testbed.labs.check import LabCheck, own


def checks(lab: LabFolder) -> list[LabCheck]:
    """``own``, and the lab's in the order in which they stand. Raises ``ScenarioError`` where they do not run."""
    found = [own]
    for name, thing in vars(_module(lab.path / CHECKS)).items():
        if isinstance(thing, LabCheck) and thing is not own and not name.startswith("_"):
            found.append(thing)
    _refuse(lab, found)
    return found


def points(lab: LabFolder) -> int:
    """All that can be earned in a lab, a teacher's points among them."""
    return sum(each.points for each in checks(lab)) + sum(each.points for each in lab.spec.answers.values())


def _refuse(lab: LabFolder, found: list[LabCheck]) -> None:
    """What cannot be: a gate that stands after what it gates, a run that the lab has not, two of a name in a result."""
    where = str(lab.path / CHECKS)
    read = [name for name, question in lab.spec.answers.items() if question.read_by]
    for index, each in enumerate(found):
        if each.name in read:
            raise ScenarioError(f"check '{each.name}' is called as a question that a teacher reads; rename one", where)
        if each.name in [other.name for other in found[:index]]:
            raise ScenarioError(f"there are two checks that are called '{each.name}'; rename one", where)
        if each.run and each.run not in lab.spec.runs:
            raise ScenarioError(f"check '{each.name}' is of a run '{each.run:.40}', which the lab has not", where)
        late = [gate.name for gate in each.after if gate not in found[:index]]
        if late:
            raise ScenarioError(f"check '{each.name}' is after '{late[0]}', which has to stand before it", where)


def broken_at(lab: LabFolder, fault: BaseException) -> str:
    """How a check broke: ``checks.py:12: KeyError: 'x'``."""
    place = place_in(str((lab.path / CHECKS).resolve()), fault.__traceback__)
    return f"{Path(place).name if place else CHECKS}: {told(fault)}"


def _module(file: Path) -> ModuleType:
    """The file as a module, run anew each time: a teacher is at work on it."""
    path = file.resolve()
    name = name_of("lab", path)
    absent, broken = "is not there; a lab has its checks in it", "the checks in it do not run"
    module = run(name, path, str(file), absent=absent, broken=broken)
    del sys.modules[name]
    return module
