"""What may be imported is listed; whatever is not is refused, and so is an entry of a list that nobody needs."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

import grimp
from importlinter import Contract, ContractCheck, fields, output
from importlinter.application import contract_utils

from tests.laws import calls
from tests.laws.by_name import with_names


def lies_in(module: str, rooms: Iterable[str]) -> str | None:
    """The first of the rooms that a module is, or is a part of."""
    return next((room for room in rooms if module == room or module.startswith(f"{room}.")), None)


def table(lines: Iterable[str] | None) -> dict[str, list[str]]:
    """``room: name, name`` a line."""
    pairs = (line.split(":", 1) for line in lines or ())
    return {room.strip(): [name.strip() for name in names.split(",")] for room, names in pairs}


class Listing(Contract):
    """A contract whose faults are lines."""

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        """See ``Contract``."""
        faults = sorted(self.faults(with_names(graph)))
        return ContractCheck(kept=not faults, metadata={"faults": faults})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """See ``Contract``."""
        for fault in check.metadata["faults"]:
            output.print_error(f"- {fault}")

    def faults(self, graph: grimp.ImportGraph) -> Iterator[str]:
        """A line for each."""
        raise NotImplementedError

    def option(self, name: str) -> Any:
        """As it was read; None where it is not given."""
        return getattr(self, name)


class Allowed(Listing):
    """``room`` imports itself and what is ``allowed``, and nothing else. ``also``: a line for each of its modules that
    may import more, ``module: name, name``. Where all that is allowed is so limited, the whole that it reaches is.
    """

    type_name = "allowed"
    room = fields.StringField()
    allowed = fields.ListField(subfield=fields.StringField())
    also = fields.ListField(subfield=fields.StringField(), required=False)
    ignore_imports = fields.SetField(subfield=fields.ImportExpressionField(), required=False)

    def faults(self, graph: grimp.ImportGraph) -> Iterator[str]:
        """See ``Listing``."""
        contract_utils.remove_ignored_imports(graph, self.option("ignore_imports"), contract_utils.AlertLevel.NONE)
        room, allowed, also = self.option("room"), self.option("allowed"), table(self.option("also"))
        unused = set(allowed) | {(part, name) for part, names in also.items() for name in names}
        for module in sorted(each for each in graph.modules if lies_in(each, [room])):
            part = lies_in(module, also)
            for imported in sorted(graph.find_modules_directly_imported_by(module)):
                if lies_in(imported, [room]):
                    continue
                if entry := lies_in(imported, allowed):
                    unused.discard(entry)
                elif part and (entry := lies_in(imported, also[part])):
                    unused.discard((part, entry))
                else:
                    yield f"{module} -> {imported}{_lines(graph, module, imported)}: not in the list of {room}"
        yield from (f"{entry} is listed, and {room} does not import it" for entry in unused)


class Packages(Listing):
    """``uses``: a line for each package that is neither ours nor Python's, ``package: room, room``; no other room
    imports it.
    """

    type_name = "packages"
    uses = fields.ListField(subfield=fields.StringField())

    def faults(self, graph: grimp.ImportGraph) -> Iterator[str]:
        """See ``Listing``."""
        uses = table(self.option("uses"))
        unused = {(package, room) for package, rooms in uses.items() for room in rooms}
        foreign = {each for each in graph.modules if not lies_in(each, calls.PACKAGES)} - sys.stdlib_module_names
        for package in sorted(foreign):
            for module in sorted(graph.find_modules_that_directly_import(package)):
                room = lies_in(module, uses.get(package, ()))
                unused.discard((package, room or ""))
                if room is None:
                    yield f"{module} -> {package}{_lines(graph, module, package)}: not in the list of {package}"
        yield from (f"{package} is listed for {room}, which does not import it" for package, room in unused)


def _lines(graph: grimp.ImportGraph, importer: str, imported: str) -> str:
    details = graph.get_import_details(importer=importer, imported=imported)
    return f" (l.{', l.'.join(str(each['line_number']) for each in details)})" if details else ""
