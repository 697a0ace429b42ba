"""What agents and the run say to each other, a JSON object a line, and what an agent is started with.

    {"event": "progress", "at": 17.5, "round": 1, "sent_bytes": 4096, "round_bytes": 8192}      an agent, on its stdout
    {"do": "throttle", "level": 0.5}                                                          the run, on its stdin

The values are ``agents.told``'s, field by field. A reader believes nothing: whatever is no such line, to its end, is a
``RemoteProtocolError`` that says where; texts are made printable as they are read. Numbers are bounded as a record's
are, and a writer keeps to it: what is too small to be read is 0, what is too large the largest.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from enum import Enum
from typing import Any, TypeVar

from testbed.core.agents import told
from testbed.core.agents.config import AgentConfig, DestinationConfig, SourceConfig
from testbed.core.errors import RemoteProtocolError
from testbed.core.text.from_json import LEAST, MOST, built
from testbed.core.text.printable import printable, printable_texts

EVENTS: Mapping[str, type[told.Told]] = {
    "source_ready": told.SourceReady,
    "destination_ready": told.DestinationReady,
    "failed": told.AgentFailed,
    "progress": told.RoundProgress,
    "round": told.RoundDone,
    "cells": told.RoundCells,
    "throttled": told.Throttled,
    "unaccepted": told.UnacceptedConnections,
    "in_doubt": told.CommitUnanswered,
    "source_finished": told.SourceFinished,
    "never_connected": told.NeverConnected,
    "destination_finished": told.DestinationFinished,
    "announced": told.Announced,
}
ORDERS: Mapping[str, type[told.AgentOrder]] = {
    "migrate": told.MigrateOrder,
    "cancel": told.CancelOrder,
    "throttle": told.ThrottleOrder,
    "resume": told.ResumeOrder,
    "release": told.ReleaseOrder,
}
ROLES: Mapping[str, type[AgentConfig]] = {"source": SourceConfig, "destination": DestinationConfig}
MOST_LINE = 16 << 20
"""Bytes: 65,535 connections that nobody has accepted, at more than 200 each."""
_NAMES = {kind: (key, name) for key, kinds in (("event", EVENTS), ("do", ORDERS)) for name, kind in kinds.items()}
Kind = TypeVar("Kind")


def line(said: told.Told | told.AgentOrder) -> bytes:
    """With its end."""
    key, name = _NAMES[type(said)]
    return json.dumps({key: name, **_in_json(said)}, allow_nan=False, default=_in_json).encode() + b"\n"


def read_event(data: bytes) -> told.Told:
    """What an agent said. Raises ``RemoteProtocolError``."""
    return _read(_parsed(data), "event", EVENTS)


def read_order(data: bytes) -> told.AgentOrder:
    """What an agent is to do. Raises ``RemoteProtocolError``."""
    return _read(_parsed(data), "do", ORDERS)


def argument(config: AgentConfig) -> str:
    """What an agent is started with, as its only argument."""
    return json.dumps(asdict(config))


def read_argument(text: str) -> AgentConfig:
    """The inverse. Raises ``RemoteProtocolError``."""
    try:
        return _read(json.loads(text), "role", ROLES)
    except (ValueError, RecursionError) as error:
        raise RemoteProtocolError(f"it is no JSON: {error}") from error


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


_JSON = json.JSONDecoder(parse_constant=_no_number, object_hook=printable_texts)


def _parsed(data: bytes) -> object:
    if not data.endswith(b"\n") or len(data) > MOST_LINE:
        raise RemoteProtocolError(f"the line has no end within {len(data)} bytes")
    try:
        return _JSON.decode(data.decode())
    except (ValueError, RecursionError) as error:
        raise RemoteProtocolError(f"the line is no JSON: {error}") from error


def _read(known: object, key: str, kinds: Mapping[str, type[Kind]]) -> Kind:
    name = known.get(key) if isinstance(known, dict) else None
    kind = kinds.get(name) if isinstance(name, str) else None
    if kind is None:
        raise RemoteProtocolError(f"{key}: {printable(repr(name), 40)} is none of {', '.join(kinds)}")
    try:
        return built(kind, known, str(name))
    except ValueError as error:
        raise RemoteProtocolError(str(error)) from error


def _in_json(value: Any) -> Any:
    """What JSON has no words for: a part's fields, a choice."""
    if isinstance(value, Enum):
        return value.value
    return {field.name: _bounded(getattr(value, field.name)) for field in fields(value)}


def _bounded(value: object) -> object:
    """Numbers that are fields; those in lists count something, and lists may be long."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return 0 if abs(value) < LEAST else max(min(value, MOST), -MOST)
