"""A policy out of a file that the user wrote.

Only a path that the user gave is ever opened, and opening it runs it: it is the user's own program.
"""

import hashlib
import importlib.util
import sys
from dataclasses import is_dataclass
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from testbed.core.errors import ScenarioError
from testbed.policies.decisions import place_in, told
from testbed.policies.policy import Policy


def from_file(path: str) -> type[Policy]:
    """The one policy that a file defines. Raises ``ScenarioError`` when there is none, or the file does not run."""
    module = _module(path_of(path), path)
    found = [thing for thing in vars(module).values() if _is_policy(thing) and thing.__module__ == module.__name__]
    if len(found) != 1:
        raise ScenarioError(_not_one(found, module), where=path)
    policy: type[Policy] = found[0]
    return policy


def broken(policy: type, fault: BaseException) -> str:
    """How one broke while it was made: ``file:line: it cannot be made, ...``, the place in the policy's own file."""
    file = getattr(sys.modules.get(policy.__module__), "__file__", None)
    place = place_in(file, fault.__traceback__) if file else None
    return f"{place}: it cannot be made, {told(fault)}" if place else f"it cannot be made, {told(fault)}"


def path_of(name: str) -> Path:
    """The file that a policy's name means, if it means one."""
    return Path(name).expanduser().resolve()


def _is_policy(thing: Any) -> bool:
    return _decides(thing) and is_dataclass(thing)


def _decides(thing: Any) -> bool:
    return isinstance(thing, type) and callable(getattr(thing, "decide", None))


def _not_one(found: list[type], module: ModuleType) -> str:
    """Which policies there are, or what there is that is nearly one."""
    said = f"expected one policy in it (a dataclass with a method 'decide'), found {len(found)}"
    if found:
        return f"{said}: {', '.join(_class_at(each) for each in found)}"
    own = [each for each in vars(module).values() if isinstance(each, type) and each.__module__ == module.__name__]
    nearly = [f"{_class_at(each)} is no dataclass" for each in own if _decides(each)]
    nearly += [f"{_class_at(each)} has no method 'decide'" for each in own if is_dataclass(each) and not _decides(each)]
    return f"{said}; {'; '.join(nearly)}" if nearly else said


def _class_at(found: type) -> str:
    """``Mine (line 8)``; without a line if none of its methods tells one."""
    file = getattr(sys.modules.get(found.__module__), "__file__", None)
    codes = [each.__code__ for each in vars(found).values() if hasattr(each, "__code__")]
    lines = [code.co_firstlineno for code in codes if code.co_filename == file]
    return f"{found.__name__} (near line {min(lines)})" if lines else found.__name__


def _module(file: Path, path: str) -> ModuleType:
    """The file as a module, run once however often it is named. Its name is that of no other file."""
    name = f"testbed_policy_{hashlib.sha256(str(file).encode()).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise ScenarioError("there is no such file to load a policy from", where=path)
    return _run(spec, spec.loader, path)


def _run(spec: ModuleSpec, loader: Loader, path: str) -> ModuleType:
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    beside = str(Path(spec.origin or path).parent)
    sys.path.append(beside)  # last, so that what lies beside it can be imported and yet passes for nothing else
    try:
        loader.exec_module(module)
    except (Exception, SystemExit) as fault:
        del sys.modules[spec.name]
        line = _line(spec.origin or "", fault)
        where = path if line is None else f"{path}:{line}"
        raise ScenarioError(f"the policy in it does not run: {told(fault)}", where) from fault
    finally:
        sys.path.remove(beside)
    return module


def _line(file: str, fault: BaseException) -> str | None:
    """Where in the file it broke. What cannot be parsed was never run."""
    if isinstance(fault, SyntaxError) and fault.filename == file:
        return str(fault.lineno)
    place = place_in(file, fault.__traceback__)
    return None if place is None else place.rpartition(":")[2]
