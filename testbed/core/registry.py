"""A table of names. One extension is one small file that puts itself in."""

import difflib
import importlib
import pkgutil
from collections.abc import Callable
from typing import Generic, TypeVar

from testbed.core.errors import ScenarioError

T = TypeVar("T")
C = TypeVar("C", bound=type)


def nearest(word: str, words: list[str]) -> str:
    """``did you mean 'x'?`` for a misspelt word, or the list of all the words there are."""
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else "there are: " + ", ".join(sorted(words))


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

    With ``from_file``, a name that ends in ``.py`` is the path of a user's own file, and ``from_file`` finds the class
    in it.
    """

    def __init__(self, kind: str, package: str, from_file: Callable[[str], type[T]] | None = None) -> None:
        self.kind, self.package, self._from_file = kind, package, from_file
        self._entries: dict[str, type[T]] = {}
        self._loaded = False

    @property
    def takes_files(self) -> bool:
        """Whether a name may be the path of a user's own file."""
        return self._from_file is not None

    def register(self, name: str) -> Callable[[C], C]:
        """A class decorator: puts the class in under ``name``. Two of one name are our bug (``ValueError``)."""

        def put(entry: C) -> C:
            if name in self._entries:
                raise ValueError(f"two {self.kind}s are called '{name}'")
            self._entries[name] = entry
            return entry

        return put

    def get(self, name: str) -> type[T]:
        """The class of that name, or in that file. Raises ``ScenarioError`` with the nearest right name."""
        if self._from_file and is_path(name):
            return self._from_file(name)
        if name not in self._entries:
            self._load_one(name)
        if name not in self._entries:
            self._load()
        if name not in self._entries:
            raise ScenarioError(f"no {self.kind} is called '{name}'; {nearest(name, list(self._entries))}")
        return self._entries[name]

    def items(self) -> dict[str, type[T]]:
        """All entries by name, in alphabetical order."""
        self._load()
        return dict(sorted(self._entries.items()))

    def _load_one(self, name: str) -> None:
        """The module called as the entry, if there is one: what the others need is not loaded for it."""
        module = name.replace("-", "_")
        if module in self._modules():
            importlib.import_module(self._modules()[module])

    def _load(self) -> None:
        if not self._loaded:
            for module in self._modules().values():
                importlib.import_module(module)
            self._loaded = True

    def _modules(self) -> dict[str, str]:
        """By the names of modules and folders: what is to be imported for their entry."""
        found = pkgutil.iter_modules(importlib.import_module(self.package).__path__)
        inside = {True: f".{self.kind}", False: ""}
        return {each.name: f"{self.package}.{each.name}{inside[each.ispkg]}" for each in found}
