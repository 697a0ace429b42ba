"""A class out of a file that the user wrote: a policy, a workload, a dirty tracker.

Only a path that the user gave is ever opened, and opening it runs it: it is the user's own program.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from testbed.core.errors import ScenarioError
from testbed.core.own.beside import name_of, reached
from testbed.core.own.running import digest, kept
from testbed.core.own.words import place_in, told


@dataclass(frozen=True, slots=True)
class OwnFile:
    """What the one class in a file is to be, of which ``kind``: it has these ``methods``, and ``parameters`` as the
    fields of a dataclass. ``checked`` may refuse it, or give another class in its place.
    """

    kind: str
    methods: tuple[str, ...]
    parameters: bool = True
    checked: Callable[[type], type] = lambda found: found

    def load(self, path: str) -> type:
        """The one class of that kind that the file defines. Raises ``ScenarioError`` when there is none, or when the
        file does not run.
        """
        module = self.module(path_of(path), path)
        own = [each for each in vars(module).values() if isinstance(each, type) and each.__module__ == module.__name__]
        found = [each for each in own if self._works(each) and self._is_made_so(each)]
        if len(found) != 1:
            raise ScenarioError(self._not_one(found, own), where=path)
        return self.checked(found[0])

    def module(self, file: Path, path: str) -> ModuleType:
        """The file as a module, run once however often it is named, and anew where it has changed. Its name is that of
        no other file. Raises ``ScenarioError`` when there is none, or when it does not run.
        """
        name = name_of("own", file)
        absent, broken = f"there is no such file to load a {self.kind} from", f"the {self.kind} in it does not run"
        return kept(name, file, path, absent=absent, broken=broken)

    def _works(self, found: type) -> bool:
        return all(callable(getattr(found, method, None)) for method in self.methods)

    def _is_made_so(self, found: type) -> bool:
        return is_dataclass(found) or not self.parameters

    def _not_one(self, found: list[type], own: list[type]) -> str:
        """Which classes there are, or what there is that is nearly one."""
        a_class, named = "a dataclass" if self.parameters else "a class", [f"'{each}'" for each in self.methods]
        methods = f"a method {named[0]}" if len(named) == 1 else f"methods {' and '.join(named)}"
        said = f"expected one {self.kind} in it ({a_class} with {methods}), found {len(found)}"
        if found:
            return f"{said}: {', '.join(_class_at(each) for each in found)}"
        nearly = [f"{_class_at(each)} is no dataclass" for each in own if self._works(each)]
        for each in own if self.parameters or len(own) == 1 else ():
            lacks = next((method for method in self.methods if not callable(getattr(each, method, None))), None)
            if lacks and self._is_made_so(each):
                nearly.append(f"{_class_at(each)} has no method '{lacks}'")
        return f"{said}; {'; '.join(nearly)}" if nearly else said


def at_home(name: str) -> Path:
    """The path, with ``~`` and ``~user`` for homes: as it stands where there is no such user, or no home of theirs."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        return Path(name)


def path_of(name: str) -> Path:
    """The file that a name means, if it means one, without links but for those that lead to themselves."""
    path = at_home(name).absolute()
    try:
        return path.resolve()
    except RuntimeError:  # of such links; since Python 3.13 they are nothing that is raised
        return path


def digests_of(name: str) -> dict[str, str]:
    """The SHA-256, in hexadecimal, of the file that a name means, and of what it imports from beside it; none of those
    that cannot be read. Each by its user's name for it; what lies beside a file that a link leads to by its path.
    Nothing of it is run.
    """
    own, *beside = reached(path_of(name))
    folder = Path(name).parent if path_of(str(Path(name).parent)) == own.parent else own.parent
    named = {name: own} | {str(folder / each.relative_to(own.parent)): each for each in beside}
    return {each: known for each, path in named.items() if (known := digest(path)) is not None}


def check_unchanged(own_code: Mapping[str, str]) -> None:
    """Raises ``ScenarioError`` with the first name that means another file here than that of its SHA-256: what would be
    run is not what would be recorded.
    """
    for name, known in own_code.items():
        if digest(path_of(name)) != known:
            raise ScenarioError("is not there, or not the file that it was when this was asked for", where=name)


def broken(own: type, fault: BaseException) -> str:
    """How one broke while it was made: ``file:line: it cannot be made, ...``, the place in its own file."""
    file = getattr(sys.modules.get(own.__module__), "__file__", None)
    place = place_in(file, fault.__traceback__) if file else None
    return f"{place}: it cannot be made, {told(fault)}" if place else f"it cannot be made, {told(fault)}"


def _class_at(found: type) -> str:
    """``Mine (near line 8)``; without a line if none of its methods tells one."""
    file = getattr(sys.modules.get(found.__module__), "__file__", None)
    codes: list[Any] = [each.__code__ for each in vars(found).values() if hasattr(each, "__code__")]
    lines = [code.co_firstlineno for code in codes if code.co_filename == file]
    return f"{found.__name__} (near line {min(lines)})" if lines else found.__name__
