"""What a run and the server of its live page say to each other: one JSON object a line, written and read here alone.

run ──────> server    Opening; events; before a migration's end Grown; at the end of the run Report and RunEnded
server ───> run       orders
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any, TypeAlias, get_args

from testbed.core.errors import ScenarioError
from testbed.core.events import Event
from testbed.core.text.from_json import built
from testbed.rig.orders import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The first message: what lets a browser in, which is not among the arguments that everybody may read."""

    token: str


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
_WHOLE: tuple[type[Message], ...] = (Grown, Report)
"""Files: texts of any length, taken as they are."""


def to_line(message: Message | Order) -> bytes:
    """A message as it is written, its kind under ``message``."""
    return (json.dumps({"message": type(message).__name__, **plain(message)}) + "\n").encode()


def from_line(line: bytes) -> Message:
    """What the run says. Raises ``ValueError`` for what is no message."""
    known = _parsed(line)
    kind = _KINDS.get(str(known.get("message")))
    if kind is None:
        raise ValueError(f"there is no message {known.get('message')!r:.40}")
    return _as_it_is(kind, known) if kind in _WHOLE else built(kind, known)


def order_from_line(line: bytes) -> Order:
    """What the server passes on from a browser; it has no rights, and is believed as little as that. Raises
    ``ValueError`` for what is no order.
    """
    try:
        return Order.read(_parsed(line))
    except ScenarioError as error:
        raise ValueError(str(error)) from error


def plain(known: Any) -> Any:
    """Dataclasses as JSON has them."""
    match known:
        case Enum():
            return known.value
        case Mapping():
            return {name: plain(part) for name, part in known.items()}
        case list() | tuple():
            return [plain(part) for part in known]
    if is_dataclass(known):
        return {each.name: plain(getattr(known, each.name)) for each in fields(known)}
    return known


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        known = json.loads(line)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if not isinstance(known, dict):
        raise ValueError("is no JSON object")
    return known


def _as_it_is(kind: type[Message], known: dict[str, Any]) -> Message:
    texts: dict[str, Any] = {each.name: known.get(each.name) for each in fields(kind)}
    if not all(isinstance(text, str) for text in texts.values()):
        raise ValueError(f"a {kind.__name__} is made of texts")
    return kind(**texts)
