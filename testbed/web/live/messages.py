"""What a run and the server of its live page say to each other: one JSON object a line, written and read here alone.

run ──────> server    Opening; events; before a migration's end Grown; at the end of the run Report and RunEnded
server ───> run       orders
"""

import math
from dataclasses import dataclass, field
from typing import TypeAlias, get_args

from testbed.core.errors import ScenarioError
from testbed.core.events import Event
from testbed.core.text.json_lines import JsonLines, json_object
from testbed.rig.orders import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """What the server is started with: ``fd``, the socket that listens, inherited; ``cookie``: its name."""

    fd: int
    title: str
    cookie: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The first message: what lets a browser in, which is not among the arguments that everybody may read; and the
    labels of the run's figures.
    """

    token: str
    about: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """Whole lines by which the run's files have grown since the last such message, of whatever migrations."""

    samples: str
    pages: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """``report.html``, which a server without root could not read."""

    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """The last message. ``valid`` None: the run was broken off, for that ``reason``."""

    valid: bool | None
    reason: str
    folder: str
    report_there: bool


Message: TypeAlias = Opening | Event | Grown | Report | RunEnded
_KINDS: dict[str, type[Message]] = {
    each.__name__: each for each in (*get_args(Event), Opening, Grown, Report, RunEnded)
}
MESSAGES = JsonLines[Message]("message", _KINDS, most=math.inf, whole=(Grown, Report))
"""What the run says; files are of any length."""
ORDERS = JsonLines[Order]("message", {"Order": Order})
"""What the server passes on from a browser."""


def read_order(line: bytes) -> Order:
    """The server has no rights, and is believed as little as a browser. Raises ``ValueError`` for what is no order."""
    try:
        return Order.read(json_object(line))
    except ScenarioError as error:
        raise ValueError(str(error)) from error
