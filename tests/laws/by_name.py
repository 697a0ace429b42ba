"""Imports that are made by name are imports: those contracts of import-linter that we use see them, too.

``testbed.core.names.by_name`` makes them, a registry asks it for the modules of its package, and ``module(...)`` is the
command of a process that runs one. Any other way is refused, and so is a name that cannot be read from the text.
"""

import re
from collections.abc import Iterator

import grimp
from importlinter import Contract, ContractCheck, fields, output
from importlinter.contracts import acyclic_siblings, layers, protected

from tests.laws import calls

MAKING = re.compile(r"(importlib|runpy|pkgutil|builtins)\..*|sys\.executable")
HARMLESS = re.compile(r"importlib\.(util(\.find_spec)?|(metadata|resources)(\..*)?)")
"""Of ``importlib``: what imports nothing but the packages that a name lies in."""


def with_names(graph: grimp.ImportGraph) -> grimp.ImportGraph:
    """The same graph, with the imports that are made by name."""
    ours = sorted(module for module in graph.modules if module.split(".")[0] in calls.PACKAGES)
    for module, file in calls.files().items():
        for use in calls.uses(module, file):
            for asked in _asked(use, ours) if use.given else ():
                if asked != module and not graph.direct_import_exists(importer=module, imported=asked):
                    graph.add_import(
                        importer=module, imported=asked, line_number=use.line, line_contents=f"by name: {use.full}"
                    )
    return graph


def _asked(use: calls.Use, ours: list[str]) -> list[str]:
    """The modules that a pattern means: ours, or the package of others that it begins with."""
    pattern = use.given or ""
    root = re.split(r"\\?\.", pattern)[0]
    if root not in calls.PACKAGES:
        return [root]
    found = [name for name in ours if re.fullmatch(pattern, name)]
    return found + [f"{name}.__main__" for name in found if f"{name}.__main__" in ours]


class Layers(layers.LayersContract):
    """Import-linter's, with imports by name."""

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        """See ``Contract``."""
        return super().check(with_names(graph), verbose)


class Protected(protected.ProtectedContract):
    """Import-linter's, with imports by name."""

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        """See ``Contract``."""
        return super().check(with_names(graph), verbose)


class AcyclicSiblings(acyclic_siblings.AcyclicSiblingsContract):
    """Import-linter's, with imports by name."""

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        """See ``Contract``."""
        return super().check(with_names(graph), verbose)


class ByName(Contract):
    """Nothing is imported by name but by those ``makers``, and each name but those that ``passers`` pass on is read."""

    type_name = "by_name"
    makers = fields.ListField(subfield=fields.StringField())
    passers = fields.ListField(subfield=fields.StringField())

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        """See ``Contract``."""
        faults = [f"{module}:{line} {words}" for module, line, words in sorted(set(self._faults()))]
        return ContractCheck(kept=not faults, metadata={"faults": faults})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """See ``Contract``."""
        for fault in check.metadata["faults"]:
            output.print_error(f"- {fault}")

    def _faults(self) -> Iterator[tuple[str, int, str]]:
        makers, passers = (set(self.contract_options[each]) for each in ("makers", "passers"))
        for module, file in calls.files().items():
            for use in calls.uses(module, file) if module not in makers else ():
                if MAKING.fullmatch(use.full) and not HARMLESS.fullmatch(use.full):
                    yield (
                        module,
                        use.line,
                        f"uses {use.full}, where by_name.imported or module is to be asked",
                    )
                elif use.full.endswith("()") and use.given is None and module not in passers:
                    yield module, use.line, f"calls {use.full} with a name that cannot be read"
