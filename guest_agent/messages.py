"""What is said on a guest's control socket, both ways: a JSON object a line, one reply to each request.

request   {"do": "status"}\\n                at most 64 KiB
reply     {"ok": true, ...}\\n  or  {"ok": false, "error": "..."}\\n      descriptors ride on both (SCM_RIGHTS)

    ports         where its memory is: Ports, and descriptors of its RAM and its journal
    userfaultfd   Acknowledged, and the descriptor of one
    logs          Logs, and a descriptor of each
    adopt         brings local_ports and a descriptor for each; Acknowledged
    run           FirstStep
    status        Status
    stop          Acknowledged
"""

from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias, TypeVar, get_args

from testbed.core.errors import TestbedError
from testbed.core.text.from_json import built, value
from testbed.core.text.json_lines import json_line, json_object
from testbed.core.text.printable import printable

MAX_LINE = 64 * 1024
MAX_FDS = 250
"""Descriptors that one message may carry: the kernel's limit is 253 (SCM_MAX_FD)."""
Verb: TypeAlias = Literal["ports", "userfaultfd", "logs", "adopt", "run", "status", "stop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRequest:
    """``local_ports``: of ``adopt`` alone, the guest's own port of each connection that moved, one a descriptor."""

    do: Verb
    local_ports: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the guest's memory is: ``ram_address`` in the process ``pid``, which is the guest."""

    pid: int
    ram_address: int
    ram_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """The names of its services, in the order of the descriptors of their logs (ring.py)."""

    services: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStep:
    """The first operation after ``run``: when it was completed (CLOCK_MONOTONIC), and how many are done by then."""

    at: float
    operation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """``operations`` completed ever; ``shortfall`` operations that were due and never made up; ``busy_s`` CPU seconds
    in batches, of the guest's own thread; ``at`` when this was said (CLOCK_MONOTONIC); ``first_step`` as in
    ``FirstStep``, 0 before it.
    """

    operations: int
    running: bool
    errors: int
    shortfall: float
    busy_s: float
    first_step: float
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """There is nothing more to say of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The request was not carried out. ``error``: why, in a sentence."""

    error: str


Reply: TypeAlias = Ports | Logs | FirstStep | Status | Acknowledged
R = TypeVar("R", bound=Reply)


def request_line(request: ControlRequest) -> bytes:
    """As ``read_request`` reads it."""
    return json_line({"do": request.do} | ({"local_ports": request.local_ports} if request.local_ports else {}))


def read_request(line: bytes) -> ControlRequest:
    """What a line asks for. Raises ``TestbedError`` with what was expected."""
    try:
        known = json_object(line)
    except ValueError:
        known = {}
    if not isinstance(known.get("do"), str):
        raise TestbedError('a request is one line such as {"do": "status"}')
    if known["do"] not in get_args(Verb):
        raise TestbedError(f"a guest cannot '{printable(known['do'], 40)}'; it knows {', '.join(get_args(Verb))}")
    try:
        return built(ControlRequest, known)
    except ValueError as error:
        raise TestbedError(f"a request that cannot be: {error}") from error


def reply_line(reply: Reply | Refused) -> bytes:
    """As ``read_reply`` reads it."""
    return json_line({"ok": not isinstance(reply, Refused)} | asdict(reply))


def read_reply(kind: type[R], line: bytes) -> R | Refused:
    """The reply to a request that is answered with ``kind``. Raises ``ValueError`` for what is none."""
    known = json_object(line)
    return built(kind, known) if value(bool, known.get("ok"), "ok") else built(Refused, known)
