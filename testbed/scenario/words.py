"""Names a scenario may use that no registry holds."""

import typing
from functools import cache

from testbed.core.names.catalogue import registered
from testbed.core.plan import Connections, Expect

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


@cache
def engines() -> list[str]:
    """What carries migrations out, as ``run`` finds it."""
    return list(registered("testbed.engines"))


def trackers() -> list[str]:
    """Dirty trackers, and ``auto`` for the best that works."""
    from testbed.dirty import registry

    return ["auto", *registry.items()]
