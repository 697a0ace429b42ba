"""What clients and their parent say to each other, one line each.

stdin   {"do": "stop"}                          end of input: the parent has died, leave at once
stdout  {"event": "ready"}, {"event": "finished", "sent": n, "answered": n, "errors": n, "reconnects": n, ...}
"""

from dataclasses import dataclass

from testbed.core.text.json_lines import JsonLines


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientReady:
    """The guest has answered, and all connections are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFinished:
    """Counts of one client's whole life. Requests (or probes): ``sent``, ``answered``, ``abandoned`` with a connection
    that broke, ``errors`` (refused, or answered wrongly). Connections: ``broken``, and ``reconnects`` after the first.
    ``mismatched``: replies, or reads of a stream, that were not what had been asked for.
    """

    sent: int
    answered: int
    errors: int
    reconnects: int
    broken: int = 0
    abandoned: int = 0
    mismatched: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientStop:
    """Ask nothing new, finish what is outstanding, say so and leave."""


EVENTS = JsonLines[ClientReady | ClientFinished]("event", {"ready": ClientReady, "finished": ClientFinished})
ORDERS = JsonLines[ClientStop]("do", {"stop": ClientStop})
