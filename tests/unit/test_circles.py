"""No module needs itself, by whatever way: imports within functions and for the type checker alone are counted, too."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("testbed", "guest_agent", "topologies")


def modules() -> dict[str, Path]:
    """All of ours by name."""
    files = (file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
    return {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


def imported(file: Path) -> Iterator[tuple[str, str | None]]:
    """Each import of a file: the module, and the name that is taken from it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.ImportFrom(module=str(module), names=names):
                yield from ((module, each.name) for each in names)
            case ast.Import(names=names):
                yield from ((each.name, None) for each in names)


def test_no_module_needs_itself() -> None:
    ours = modules()
    graph: dict[str, set[str]] = {}
    for name, file in ours.items():
        found = {f"{module}.{part}" if f"{module}.{part}" in ours else module for module, part in imported(file)}
        graph[name] = {each for each in found if each in ours and each != name}
    assert len(graph) > 200 and graph["testbed.api"], "they were read"
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the way round
