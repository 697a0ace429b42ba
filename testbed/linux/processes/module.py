"""A module of ours as a process, wherever the user stands: no file there, nor beside the package, passes for another.

    Popen(module("testbed.rig.NAME", CONFIG))       python -P .../module.py testbed.rig.NAME CONFIG

``-m`` would look into the current folder first, and ``PYTHONPATH`` comes before Python's own modules. Here nothing is
looked for in the package's own place but its own parts.
"""

import marshal
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import CodeType, ModuleType

ROOT = __file__.rsplit("/", 4)[0]
"""What holds ``testbed`` and ``guest_agent``: a checkout that may not be installed, or a directory of packages."""

PACKED_OPTION = "testbed_packed"
"""Of Python's ``-X``: the file of ``Packed``. No variable of the environment, which anybody may have set."""


def module(name: str, *arguments: str) -> list[str]:
    """The command that runs it, with this Python."""
    return [sys.executable, "-P", __file__, name, *arguments]


class Parts:
    """Finds what lies beside this package and is of it, in a checkout that was not installed; asked last."""

    NAMES = ("testbed", "guest_agent", "topologies")

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where one of ``NAMES`` lies, as an importer asks; None for all else."""
        return PathFinder.find_spec(name, [ROOT], target) if path is None and name in cls.NAMES else None


class Packed:
    """Finds those of our modules that were packed: compiled by who started this process, in a file of one mapping of
    names to (file inside, whether it is a package, code in bytes). For where nothing can be written, so that each
    process would compile them anew.
    """

    def __init__(self, file: str) -> None:
        with open(file, "rb") as packed:
            self._known: dict[str, tuple[str, bool, bytes]] = marshal.load(packed)  # noqa: S302 - we wrote it

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where one of those lies, as an importer asks; None for what was not packed."""
        if name not in self._known:
            return None
        file, is_package, _ = self._known[name]
        file = f"{ROOT}/{file}"
        spec = ModuleSpec(name, self, origin=file, is_package=is_package)  # type: ignore[arg-type]
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [file.rpartition("/")[0]]
        return spec

    def create_module(self, _spec: ModuleSpec) -> None:
        """An ordinary module, empty yet."""

    def exec_module(self, module: ModuleType) -> None:
        """Runs the module's code in it."""
        exec(self.get_code(module.__name__), module.__dict__)  # noqa: S102 - as any importer does

    def get_code(self, name: str) -> CodeType:
        """The code of one module, which ``runpy`` asks for."""
        code: CodeType = marshal.loads(self._known[name][2])  # noqa: S302 - we wrote it
        return code


def become(script: str) -> None:
    """This process goes on as one that runs a user's own script, with the same Python and what that has."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, script])  # noqa: S606 - no shell is wanted


def main() -> None:
    """Becomes the module named first."""
    import runpy

    sys.meta_path.append(Parts)
    if packed := sys._xoptions.get(PACKED_OPTION):
        sys.meta_path.insert(0, Packed(str(packed)))
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
