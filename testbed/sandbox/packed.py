"""Our modules that a sandbox loads, compiled once by who puts it up: inside nothing can be written, so what has no
bytecode beside it would be compiled by each sandbox anew, which took three times as long as all else of its start.
"""

import marshal
from functools import cache

from testbed.linux.files.installed import ROOT

NAMES = (
    *("testbed", "testbed.core", "testbed.core.names", "testbed.core.own", "testbed.core.text"),
    *("testbed.policies", "testbed.sandbox"),
    *("testbed.core.errors", "testbed.core.names.by_name", "testbed.core.names.catalogue"),
    *("testbed.core.own.beside", "testbed.core.own.file", "testbed.core.own.running", "testbed.core.own.words"),
    *("testbed.core.parameters", "testbed.core.registry", "testbed.core.rounds"),
    *("testbed.core.text.from_json", "testbed.core.text.json_lines", "testbed.core.text.meant"),
    *("testbed.core.text.nearest", "testbed.core.text.printable", "testbed.core.text.quantity"),
    *("testbed.core.units", "testbed.core.version"),
    *("testbed.policies.common", "testbed.policies.decisions", "testbed.policies.policy"),
    *("testbed.sandbox.chosen", "testbed.sandbox.messages", "testbed.sandbox.served"),
    "testbed.sandbox.served_process",
)
"""What sandboxes load, and no more of us than that; what is missing here is found as anywhere, and takes longer."""


@cache
def modules() -> bytes:
    """All of them, as ``Packed`` reads them."""
    return marshal.dumps({name: _packed(name) for name in NAMES})


def _packed(name: str) -> tuple[str, bool, bytes]:
    path = name.replace(".", "/")
    is_package = (ROOT / path / "__init__.py").is_file()
    file = f"{path}/__init__.py" if is_package else f"{path}.py"
    return file, is_package, marshal.dumps(compile((ROOT / file).read_bytes(), file, "exec", dont_inherit=True))
