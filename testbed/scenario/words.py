"""Names a scenario may use that no registry holds."""

import typing
from functools import cache
from typing import Any

from testbed.core.agents.moments import FORM, PATTERN, in_order, read_fault
from testbed.core.names.catalogue import registered
from testbed.core.plan import Connections, Expect, PlannedFault

CROSS_PROTOCOLS = ("udp", "tcp")
CONNECTIONS: tuple[str, ...] = typing.get_args(Connections)
"""What may become of the guest's TCP connections."""
ENDS: tuple[str, ...] = typing.get_args(Expect)
"""How a migration may be meant to end."""

# fmt: off
CONGESTION_CONTROLS = (
    "bbr", "bic", "cdg", "cubic", "dctcp", "highspeed", "htcp", "hybla", "illinois",
    "lp", "nv", "reno", "scalable", "vegas", "veno", "westwood", "yeah",
)
# fmt: on
"""All that Linux has (net/ipv4/Kconfig). Which of them this machine's kernel offers, the run finds out."""


FAULT: dict[str, Any] = {"type": "string", "description": FORM, "pattern": PATTERN}
"""As a schema has it: the words themselves. How else they may be written, and what excludes what, it leaves out."""


def faults(value: object) -> tuple[PlannedFault, ...]:
    """What is to break, in its order: a list, or one text with commas. Raises ``ValueError``."""
    given = value.split(",") if isinstance(value, str) else value
    if not isinstance(given, list | tuple):
        raise ValueError(f"must be a list of faults, each {FORM}, not {value!r:.60}")
    for each in given:
        if not isinstance(each, str | PlannedFault):
            raise ValueError(f"expected {FORM}, not {each!r:.60}")
    return in_order(read_fault(str(each)) for each in given)


@cache
def engines() -> list[str]:
    """What carries migrations out, as ``run`` finds it."""
    return list(registered("testbed.engines"))


def trackers() -> list[str]:
    """Dirty trackers, and ``auto`` for the best that works."""
    from testbed.dirty import registry

    return ["auto", *registry.items()]
