"""From what a scenario says to a policy object: by name, or out of a file that the user wrote.

Only a path that the user gave is ever opened, and opening it runs it: it is the user's own program.
"""

import hashlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from testbed.core.errors import ScenarioError
from testbed.core.registry import nearest
from testbed.policies import Policy, registry


def load(spec: str | Mapping[str, Any]) -> Policy:
    """The policy of ``{name: ..., parameter: ...}`` in base units, or of a name alone; the name may be a path.

    Raises ``ScenarioError`` for a name, a parameter or a value that cannot be.
    """
    given = {"name": spec} if isinstance(spec, str) else dict(spec)
    name = str(given.pop("name", ""))
    policy: Any = registry.get(name)
    known = [field.name for field in fields(policy)]
    for key in given:
        if key not in known:
            raise ScenarioError(f"policy '{name}' has no parameter '{key}'; {nearest(key, known)}")
    try:
        built: Policy = policy(**given)
    except (TypeError, ValueError) as fault:
        raise ScenarioError(f"policy '{name}': {fault}") from fault
    return built


def from_file(path: str) -> type[Policy]:
    """The one policy that a file defines. Raises ``ScenarioError`` when there is none, or the file does not run."""
    registry.items()  # ours come first, so that it is the user's file that is told when it takes one of their names
    module = _module(path_of(path), path)
    found = [thing for thing in vars(module).values() if _is_policy(thing) and thing.__module__ == module.__name__]
    if len(found) != 1:
        raise ScenarioError(
            f"expected one policy in it (a dataclass with a method 'decide'), found {len(found)}", where=path
        )
    policy: type[Policy] = found[0]
    return policy


def path_of(name: str) -> Path:
    """The file that a policy's name means, if it means one."""
    return Path(name).expanduser().resolve()


def _is_policy(thing: Any) -> bool:
    return isinstance(thing, type) and callable(getattr(thing, "decide", None)) and is_dataclass(thing)


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
        first = str(fault).split("\n")[0]
        raise ScenarioError(f"the policy in it does not run: {type(fault).__name__}: {first}", where=path) from fault
    finally:
        sys.path.remove(beside)
    return module
