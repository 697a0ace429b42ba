"""A table of names. One extension is one small file that puts itself in."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeAlias, TypeVar

from testbed.core.errors import ScenarioError
from testbed.core.names import by_name
from testbed.core.own.file import OwnFile, broken
from testbed.core.parameters import Parameter, parameters_of, value_for
from testbed.core.text.nearest import nearest
from testbed.core.text.printable import printable, said_by

T = TypeVar("T")
C = TypeVar("C", bound=type)
Read: TypeAlias = Callable[[Parameter, object], object]
"""A parameter's value, from what a spec gives for it. Raises ``ValueError``."""


def is_path(name: str) -> bool:
    """Whether a name means a user's own file, where there may be one."""
    return name.endswith(".py")


class Registry(Generic[T]):
    """Names to entries of one kind.

    An entry is a module of ``package`` that registers itself, or a folder with a module called as the kind that does.
    One that is called as its entry is imported when that is asked for; all of them when there is none of that name, or
    all are wanted.

    @registry.register("plain")
    class Plain: ...

    With ``own``, a name that ends in ``.py`` is the path of a user's own file with such a class in it, which may raise
    anything. ``read`` is asked for each value of a spec; without it they are taken as they are.
    """

    def __init__(
        self,
        kind: str,
        package: str,
        *,
        read: Read = lambda _parameter, value: value,
        own: OwnFile | None = None,
    ) -> None:
        self.kind, self.package, self._read, self._own = kind, package, read, own
        self._entries: dict[str, type[T]] = {}
        self._loaded = False

    @property
    def takes_files(self) -> bool:
        """Whether a name may be the path of a user's own file."""
        return self._own is not None

    def register(self, name: str) -> Callable[[C], C]:
        """A class decorator: puts the class in under ``name``. Two of one name are our bug (``ValueError``); one that
        is put in again is of a user's file, which has changed.
        """

        def put(entry: C) -> C:
            there = self._entries.get(name, entry)
            if (there.__module__, there.__qualname__) != (entry.__module__, entry.__qualname__):
                raise ValueError(f"two {self.kind}s are called '{name}'")
            self._entries[name] = entry
            return entry

        return put

    def get(self, name: str) -> type[T]:
        """The class of that name, or in that file. Raises ``ScenarioError`` with the nearest right name."""
        if self._own and is_path(name):
            self._load()  # ours come first, so that it is the user's file that is told when it takes one of their names
            return self._own.load(name)
        if name not in self._entries:
            self._load_one(name)
        if name not in self._entries:
            self._load()
        if name not in self._entries:
            raise ScenarioError(f"no {self.kind} is called '{name}'; {nearest(name, list(self._entries))}")
        return self._entries[name]

    def build(self, spec: str | Mapping[str, Any]) -> T:
        """What ``{"name": ..., parameter: ...}`` says, or a name alone; a word may be parted by ``-`` or ``_``.

        Raises ``ScenarioError`` for a name or a parameter that there is not, and for a value that cannot be.
        """
        given = {"name": spec} if isinstance(spec, str) else dict(spec)
        name = str(given.pop("name", ""))
        entry = self.get(name)
        known, values = self._known(name, entry), {key.replace("-", "_"): value for key, value in given.items()}
        for key in values:
            if key not in known:
                raise ScenarioError(self.no_parameter(name, key))
        try:
            return entry(**{key: value_for(known[key], self._read(known[key], values[key])) for key in values})
        except (TypeError, ValueError, ScenarioError) as fault:
            raise ScenarioError(f"{self.kind} '{name}': {printable(said_by(fault))}") from fault
        except (Exception, SystemExit) as fault:
            if self._own is None:
                raise
            raise ScenarioError(f"{self.kind} '{name}': {broken(entry, fault)}") from fault

    def parameters(self, name: str) -> dict[str, Parameter]:
        """Those of the entry ``name``. Raises ``ScenarioError`` when there is none, or its fields are no parameters."""
        return self._known(name, self.get(name))

    def no_parameter(self, name: str, key: str) -> str:
        """A sentence: the entry ``name`` has no parameter ``key``, and which it has."""
        words = [*self.parameters(name)] or ["none"]
        return f"{self.kind} '{name}' has no parameter '{key:.60}'; {nearest(key[:60], words)}"

    def items(self) -> dict[str, type[T]]:
        """All entries by name, in alphabetical order."""
        self._load()
        return dict(sorted(self._entries.items()))

    def _known(self, name: str, entry: type[T]) -> dict[str, Parameter]:
        try:
            return parameters_of(entry)
        except ScenarioError as fault:
            raise ScenarioError(f"{self.kind} '{name}': {fault}") from fault

    def _load_one(self, name: str) -> None:
        """The module called as the entry, if there is one: what the others need is not loaded for it."""
        module = name.replace("-", "_")
        if module in self._modules():
            by_name.imported(self._modules()[module])

    def _load(self) -> None:
        if not self._loaded:
            for module in self._modules().values():
                by_name.imported(module)
            self._loaded = True

    def _modules(self) -> dict[str, str]:
        """By the names of modules and folders: what is to be imported for their entry."""
        inside = {True: f".{self.kind}", False: ""}
        return {name: f"{self.package}.{name}{inside[folder]}" for name, folder in by_name.parts(self.package).items()}
